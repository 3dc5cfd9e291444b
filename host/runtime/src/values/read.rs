//! From JSON to values, with the path of each fault.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::words::{listed, quoted, shown};
use super::{Integer, ValueType};

/// Faults that are told of one input: enough to mend it in a few rounds.
const FAULTS_MAX: usize = 8;

/// Values that one input may be made of. Each takes some 40 bytes in the engine, so that an input of
/// 1 MiB takes 10 MiB at most; bytes in base64 count as one.
pub(crate) const VALUES_MAX: usize = 1 << 18;

/// Base64 as most encoders write it, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads values, and goes on after a fault.
pub(crate) struct Reader<'t> {
    path: Vec<Step<'t>>,
    faults: Vec<String>,
    values: usize,
}

enum Step<'t> {
    Name(&'t str),
    Index(usize),
}

impl<'t> Reader<'t> {
    pub(crate) fn new() -> Self {
        Self { path: Vec::new(), faults: Vec::new(), values: 0 }
    }

    /// All that was wrong; nothing, if nothing was.
    pub(crate) fn faults(self) -> Option<String> {
        (!self.faults.is_empty()).then(|| self.faults.join("; "))
    }

    /// Reads what belongs to a name, such as a field or a parameter; where a value is left out, the
    /// type has to be an option.
    pub(crate) fn named(
        &mut self,
        name: &'t str,
        ty: &'t ValueType,
        json: Option<Value>,
    ) -> Option<Val> {
        self.path.push(Step::Name(name));
        let val = match (json, ty) {
            (Some(json), _) => self.value(ty, json),
            (None, ValueType::Option(_)) => Some(Val::Option(None)),
            (None, _) => self.fault(format!("is missing: expected {ty}")),
        };
        self.path.pop();
        val
    }

    /// Reads the bytes that belong to a parameter's name, without a value for each.
    pub(crate) fn named_bytes(&mut self, name: &'t str, json: Option<Value>) -> Option<Vec<u8>> {
        self.path.push(Step::Name(name));
        let bytes = match json {
            Some(json) => self.bytes(json),
            None => self.fault(format!("is missing: expected {}", ValueType::Bytes)),
        };
        self.path.pop();
        bytes
    }

    /// Says that there is a fault at this place.
    pub(crate) fn fault<T>(&mut self, what: impl fmt::Display) -> Option<T> {
        if self.faults.len() < FAULTS_MAX {
            let mut text = "input".to_owned();
            for step in &self.path {
                // Writing to a string can't fail.
                let _ = match step {
                    Step::Name(name) => write!(text, ".{name}"),
                    Step::Index(index) => write!(text, "[{index}]"),
                };
            }
            let _ = write!(text, ": {what}");
            self.faults.push(text);
        }
        None
    }

    fn misfit<T>(&mut self, ty: &ValueType, json: &Value) -> Option<T> {
        self.fault(format_args!("expected {ty}, got {}", shown(json)))
    }

    pub(crate) fn value(&mut self, ty: &'t ValueType, json: Value) -> Option<Val> {
        self.values += 1;
        if self.values > VALUES_MAX {
            // Said once: what is left isn't looked at.
            return if self.values == VALUES_MAX + 1 {
                self.fault(format_args!("an input may have {VALUES_MAX} values, and has more"))
            } else {
                None
            };
        }
        match (ty, json) {
            (ValueType::Bool, Value::Bool(bool)) => Some(Val::Bool(bool)),
            (ValueType::Integer(integer), json) => self.integer(*integer, ty, &json),
            (ValueType::F32, json) => self.float(ty, &json).and_then(|float| {
                let narrow = float as f32;
                if narrow.is_infinite() && float.is_finite() {
                    return self.fault(format_args!("{float:e} is out of range for f32"));
                }
                Some(Val::Float32(narrow))
            }),
            (ValueType::F64, json) => self.float(ty, &json).map(Val::Float64),
            (ValueType::Char, Value::String(text)) => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Some(Val::Char(char)),
                    _ => self.misfit(ty, &Value::String(text)),
                }
            }
            (ValueType::String, Value::String(text)) => Some(Val::String(text)),
            (ValueType::Bytes, json) => self.bytes(json).map(super::list),
            (ValueType::List(item), Value::Array(items)) => {
                self.items(items.into_iter().map(|json| (&**item, json))).map(Val::List)
            }
            (ValueType::Tuple(types), Value::Array(items)) if types.len() == items.len() => {
                self.items(types.iter().zip(items)).map(Val::Tuple)
            }
            (ValueType::Record(fields), Value::Object(object)) => self.record(fields, object),
            (ValueType::Enum(cases), Value::String(name)) => {
                self.known(&name, cases.iter())?;
                Some(Val::Enum(name))
            }
            (ValueType::Flags(names), Value::Array(items)) => self.flags(ty, names, items),
            (ValueType::Variant(cases), json) => self.variant(ty, cases, json),
            (ValueType::Option(_), Value::Null) => Some(Val::Option(None)),
            (ValueType::Option(some), json) => self.some(ty, some, json),
            (ValueType::Result(ok, err), json) => {
                self.result(ty, ok.as_deref(), err.as_deref(), json)
            }
            (ty, json) => self.misfit(ty, &json),
        }
    }

    fn integer(&mut self, integer: Integer, ty: &ValueType, json: &Value) -> Option<Val> {
        let Some(number) = whole(json) else { return self.misfit(ty, json) };
        let (name, min, max) = integer.bounds();
        if !(min..=max).contains(&number) {
            return self
                .fault(format_args!("{number} is out of range for {name} ({min} to {max})"));
        }
        // Within bounds, so that no conversion fails.
        match integer {
            Integer::S8 => number.try_into().map(Val::S8).ok(),
            Integer::U8 => number.try_into().map(Val::U8).ok(),
            Integer::S16 => number.try_into().map(Val::S16).ok(),
            Integer::U16 => number.try_into().map(Val::U16).ok(),
            Integer::S32 => number.try_into().map(Val::S32).ok(),
            Integer::U32 => number.try_into().map(Val::U32).ok(),
            Integer::S64 => number.try_into().map(Val::S64).ok(),
            Integer::U64 => number.try_into().map(Val::U64).ok(),
        }
    }

    fn float(&mut self, ty: &ValueType, json: &Value) -> Option<f64> {
        match json {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => self.misfit(ty, json),
            },
            _ => self.misfit(ty, json),
        }
    }

    fn bytes(&mut self, json: Value) -> Option<Vec<u8>> {
        match json {
            Value::String(text) => BASE64.decode(&text).ok().or_else(|| {
                self.fault(format_args!("expected base64, got {}", shown(&Value::String(text))))
            }),
            Value::Array(items) => {
                let byte = ValueType::Integer(Integer::U8);
                let mut bytes = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    match whole(item).and_then(|number| u8::try_from(number).ok()) {
                        Some(byte) => bytes.push(byte),
                        None => {
                            self.path.push(Step::Index(index));
                            let _: Option<()> = self.misfit(&byte, item);
                            self.path.pop();
                        }
                    }
                }
                (bytes.len() == items.len()).then_some(bytes)
            }
            json => self.misfit(&ValueType::Bytes, &json),
        }
    }

    fn items(
        &mut self,
        items: impl ExactSizeIterator<Item = (&'t ValueType, Value)>,
    ) -> Option<Vec<Val>> {
        let length = items.len();
        let mut vals = Vec::with_capacity(length);
        for (index, (ty, json)) in items.enumerate() {
            self.path.push(Step::Index(index));
            vals.extend(self.value(ty, json));
            self.path.pop();
        }
        (vals.len() == length).then_some(vals)
    }

    fn record(
        &mut self,
        fields: &'t [(String, ValueType)],
        mut object: Map<String, Value>,
    ) -> Option<Val> {
        let mut vals = Vec::with_capacity(fields.len());
        for (name, ty) in fields {
            let json = object.remove(name);
            vals.extend(self.named(name, ty, json).map(|val| (name.clone(), val)));
        }
        self.no_more(&object, "field", fields.iter().map(|(name, _)| name))?;
        (vals.len() == fields.len()).then_some(Val::Record(vals))
    }

    /// Nothing may be left of an object once its fields are taken out.
    pub(crate) fn no_more<'n>(
        &mut self,
        left: &Map<String, Value>,
        what: &str,
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> Option<()> {
        for name in left.keys() {
            let names = listed(names.clone());
            let _: Option<()> =
                self.fault(format_args!("has no {what} {}; it has {names}", quoted(name)));
        }
        left.is_empty().then_some(())
    }

    fn known<'n>(
        &mut self,
        name: &str,
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> Option<()> {
        if names.clone().any(|known| known == name) {
            return Some(());
        }
        self.unknown(name, names)
    }

    fn unknown<'n, T>(&mut self, name: &str, names: impl Iterator<Item = &'n String>) -> Option<T> {
        self.fault(format_args!("{} is none of {}", quoted(name), listed(names)))
    }

    fn flags(&mut self, ty: &ValueType, names: &[String], items: Vec<Value>) -> Option<Val> {
        let mut set: Vec<String> = Vec::new();
        for item in items {
            let Value::String(name) = item else { return self.misfit(ty, &item) };
            self.known(&name, names.iter())?;
            if set.contains(&name) {
                return self.fault(format_args!("{} is there twice", quoted(&name)));
            }
            set.push(name);
        }
        Some(Val::Flags(set))
    }

    fn variant(
        &mut self,
        ty: &ValueType,
        cases: &'t [(String, Option<ValueType>)],
        json: Value,
    ) -> Option<Val> {
        let (name, json) = self.case(ty, json)?;
        let Some((case, ty)) = cases.iter().find(|(case, _)| *case == name) else {
            return self.unknown(&name, cases.iter().map(|(name, _)| name));
        };
        let val = self.payload(case, ty.as_ref(), json)?;
        Some(Val::Variant(name, val))
    }

    fn some(&mut self, ty: &ValueType, some: &'t ValueType, json: Value) -> Option<Val> {
        if !some.may_be_null() {
            return self.value(some, json).map(|val| Val::Option(Some(Box::new(val))));
        }
        match json {
            Value::Object(mut object) if object.len() == 1 && object.contains_key("some") => {
                let val = self.named("some", some, object.remove("some"))?;
                Some(Val::Option(Some(Box::new(val))))
            }
            json => self.fault(format_args!(
                "expected {ty} (null, or {{\"some\": value}}), got {}",
                shown(&json)
            )),
        }
    }

    fn result(
        &mut self,
        ty: &ValueType,
        ok: Option<&'t ValueType>,
        err: Option<&'t ValueType>,
        json: Value,
    ) -> Option<Val> {
        let (side, json) = self.case(ty, json)?;
        match side.as_str() {
            "ok" => self.payload("ok", ok, json).map(|val| Val::Result(Ok(val))),
            "err" => self.payload("err", err, json).map(|val| Val::Result(Err(val))),
            _ => self.misfit(ty, &Value::String(side)),
        }
    }

    /// A case's name, with what it carries in an object of one entry.
    fn case(&mut self, ty: &ValueType, json: Value) -> Option<(String, Option<Value>)> {
        match json {
            Value::String(name) => Some((name, None)),
            Value::Object(object) if object.len() == 1 => {
                object.into_iter().next().map(|(name, json)| (name, Some(json)))
            }
            json => self.misfit(ty, &json),
        }
    }

    /// What a case carries: a value where it has a type, else nothing or `null`.
    fn payload(
        &mut self,
        case: &'t str,
        ty: Option<&'t ValueType>,
        json: Option<Value>,
    ) -> Option<Option<Box<Val>>> {
        match (ty, json) {
            (Some(ty), Some(json)) => {
                self.named(case, ty, Some(json)).map(|val| Some(Box::new(val)))
            }
            (Some(ty), None) => {
                let case = quoted(case);
                self.fault(format_args!("{case} carries a value: expected {{{case}: {ty}}}"))
            }
            (None, None | Some(Value::Null)) => Some(None),
            (None, Some(json)) => {
                self.path.push(Step::Name(case));
                let fault = self.fault(format_args!("carries no value, got {}", shown(&json)));
                self.path.pop();
                fault
            }
        }
    }
}

/// A whole number: in digits, in a string of digits (for those whose numbers are floats), or as a float
/// without a fraction that is exact.
fn whole(json: &Value) -> Option<i128> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    match json {
        Value::Number(number) => {
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).or_else(
                || {
                    let float = number.as_f64()?;
                    (float.fract() == 0.0 && float.abs() <= EXACT_MAX).then_some(float as i128)
                },
            )
        }
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        }
        _ => None,
    }
}
