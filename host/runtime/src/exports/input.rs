//! From a job's input to an exported function's arguments.

use gristmill_job::{Payload, media};
use serde_json::{Map, Value};
use wasmtime::component::Val;
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;

use super::call::{Parameter, Shape};
use super::{Export, FunctionTypes};
use crate::log_book::cut;
use crate::misfit::Path;
use crate::values::{self, Reader, VALUES_MAX, ValueType};

/// What is quoted of the parser's words about a text in WAVE.
const WAVE_FAULT_BYTES_MAX: usize = 200;

/// An exported function's arguments, checked.
#[derive(Debug)]
pub(crate) enum Arguments {
    Values(Vec<Val>),
    /// The only argument of a function that takes `list<u8>`.
    Bytes(Vec<u8>),
    /// The only argument of a function that takes `string`.
    Text(String),
}

impl Export {
    /// Reads arguments: in JSON by name or by position, in WAVE, or, where a string or bytes are the only
    /// parameter, as they are.
    ///
    /// # Errors
    /// Everything that doesn't fit, each with its path.
    pub(crate) fn arguments(&self, input: &Payload) -> Result<Arguments, String> {
        self.types.arguments(input, |text| self.of_wave(text))
    }

    fn of_wave(&self, text: &str) -> Result<Arguments, String> {
        let told = |error: &dyn std::fmt::Display| {
            let error = error.to_string();
            format!("the input is no WAVE that fits: {}", cut(&error, WAVE_FAULT_BYTES_MAX))
        };
        let text = text.trim();
        // The parser reads a call, of which a job's input is the arguments.
        let call = if text.starts_with('(') { format!("f{text}") } else { format!("f({text})") };
        let call = UntypedFuncCall::parse(&call).map_err(|error| told(&error))?;
        let vals =
            call.to_wasm_params::<Val>(&self.parameter_types).map_err(|error| told(&error))?;
        Ok(self.types.shaped(vals))
    }
}

impl FunctionTypes {
    /// Whether an input is what the function takes. One in WAVE is taken at its producer's word: it is
    /// read by the component's own types.
    ///
    /// # Errors
    /// Everything that doesn't fit, each with its path.
    pub(crate) fn check(&self, input: &Payload) -> Result<(), String> {
        self.arguments(input, |_| Ok(Arguments::Values(Vec::new()))).map(drop)
    }

    /// Reads arguments; those in WAVE by `of_wave`.
    fn arguments(
        &self,
        input: &Payload,
        of_wave: impl FnOnce(&str) -> Result<Arguments, String>,
    ) -> Result<Arguments, String> {
        let content_type = &input.content_type;
        if input.is_none() {
            return self.of_json(Value::Object(Map::new()));
        }
        if media::is_json(content_type) {
            return self.of_json_text(&input.data);
        }
        if media::fits(content_type, media::WAVE) {
            return of_wave(&text_of(input)?);
        }
        match self.parameters.as_slice() {
            [(_, ValueType::Bytes)] => self.of_bytes(&input.data),
            [(_, ValueType::String)] if media::is_text(content_type) => {
                text_of(input).map(Arguments::Text)
            }
            [] => Err(format!("{} takes no input", self.path.function)),
            // A number on a command line is text as far as its sender knows.
            _ if media::is_text(content_type) => self.of_json_text(&input.data),
            _ => {
                let takes = self.accepts().join(" or ");
                Err(format!("{} takes {takes}, not {content_type}", self.path.function))
            }
        }
    }

    fn of_json_text(&self, text: &[u8]) -> Result<Arguments, String> {
        if self.shape.is_none()
            && let Some(vals) = values::arguments(&self.parameters, text)
        {
            return Ok(Arguments::Values(vals));
        }
        let json = serde_json::from_slice(text)
            .map_err(|error| format!("the input is no valid JSON: {error}"))?;
        self.of_json(json)
    }

    fn of_json(&self, json: Value) -> Result<Arguments, String> {
        let mut reader = Reader::new();
        let arguments = self.read(&mut reader, json);
        match (reader.faults(), arguments) {
            (None, Some(arguments)) => Ok(arguments),
            // A reader that gives nothing has said why.
            (faults, _) => Err(faults.unwrap_or_default()),
        }
    }

    fn read(&self, reader: &mut Reader, json: Value) -> Option<Arguments> {
        let mut named = match json {
            Value::Object(named) => named,
            Value::Array(items) => self.by_position(reader, items)?,
            // Nothing else than the only argument can be meant.
            scalar => match self.parameters.as_slice() {
                [(name, _)] => Map::from_iter([(name.clone(), scalar)]),
                parameters => {
                    let expected = parameters.len();
                    let why = format_args!(
                        "expected an object with arguments by name, or an array of {expected}"
                    );
                    return reader.fault(&Path::Input, why);
                }
            },
        };
        let arguments = match (&self.shape, self.parameters.as_slice()) {
            (Some(Shape { parameter: Parameter::Bytes, .. }), [(name, _)]) => {
                reader.named_bytes(name, named.remove(name)).map(Arguments::Bytes)
            }
            _ => {
                let read = |(name, ty): &(String, ValueType)| {
                    reader.named(name, ty, named.remove(name), &Path::Input)
                };
                let vals: Vec<_> = self.parameters.iter().filter_map(read).collect();
                (vals.len() == self.parameters.len()).then(|| self.shaped(vals))
            }
        };
        reader.no_more(&named, "parameter", &self.parameters, &Path::Input)?;
        arguments
    }

    /// Arguments in an array; those at the end that are options may be left out.
    fn by_position(&self, reader: &mut Reader, items: Vec<Value>) -> Option<Map<String, Value>> {
        let (given, taken) = (items.len(), self.parameters.len());
        if given > taken {
            let why = format_args!("expected {taken} arguments, got {given}");
            return reader.fault(&Path::Input, why);
        }
        Some(self.parameters.iter().map(|(name, _)| name.clone()).zip(items).collect())
    }

    /// Arguments in the form in which the function is called.
    fn shaped(&self, mut vals: Vec<Val>) -> Arguments {
        match (&self.shape, vals.as_mut_slice()) {
            (Some(Shape { parameter: Parameter::Bytes, .. }), [Val::List(bytes)]) => {
                Arguments::Bytes(values::raw(bytes))
            }
            (Some(Shape { parameter: Parameter::Text, .. }), [Val::String(text)]) => {
                Arguments::Text(std::mem::take(text))
            }
            _ => Arguments::Values(vals),
        }
    }

    /// Bytes as they are, for a function that takes nothing else.
    fn of_bytes(&self, bytes: &[u8]) -> Result<Arguments, String> {
        if self.shape.is_none() && bytes.len() > VALUES_MAX {
            let (given, function) = (bytes.len(), &self.path.function);
            return Err(format!("{function} takes up to {VALUES_MAX} bytes, not {given}"));
        }
        Ok(Arguments::Bytes(bytes.to_vec()))
    }
}

fn text_of(input: &Payload) -> Result<String, String> {
    String::from_utf8(input.data.to_vec())
        .map_err(|error| format!("the input is no text in UTF-8: {error}"))
}
