//! From JSON to values, with the path of each fault.

use std::fmt::Display;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::{Integer, Named, ValueType};
use crate::misfit::{FAULTS_MAX, Faults, Path, listed, quoted, shown};

/// Values that one input may be made of, with options that it leaves out. Each takes some 40 bytes in the
/// engine, and the name of its field; bytes in base64 count as one.
pub(crate) const VALUES_MAX: usize = 1 << 18;

/// Base64 as most encoders write it, with or without padding.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads values, and goes on after a fault.
pub(crate) struct Reader {
    faults: Faults,
    values: usize,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { faults: Faults::new(FAULTS_MAX), values: 0 }
    }

    /// All that was wrong; nothing, if nothing was.
    pub(crate) fn faults(self) -> Option<String> {
        let faults = self.faults.into_result().err()?;
        Some(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    /// Reads what belongs to a name, such as a field or a parameter; where a value is left out, the
    /// type has to be an option.
    pub(crate) fn named(
        &mut self,
        name: &str,
        ty: &ValueType,
        json: Option<Value>,
        within: &Path<'_>,
    ) -> Option<Val> {
        let path = &Path::Key(within, name);
        match (json, ty) {
            (Some(json), _) => self.value(ty, json, path),
            (None, ValueType::Option(_)) => self.count(path).map(|()| Val::Option(None)),
            (None, _) => {
                self.count(path)?;
                self.fault(path, format_args!("is missing: expected {ty}"))
            }
        }
    }

    /// Reads the bytes that belong to a parameter's name, without a value for each.
    pub(crate) fn named_bytes(&mut self, name: &str, json: Option<Value>) -> Option<Vec<u8>> {
        let path = &Path::Key(&Path::Input, name);
        match json {
            Some(json) => self.bytes(json, path),
            None => self.fault(path, format_args!("is missing: expected {}", ValueType::Bytes)),
        }
    }

    /// Says that there is a fault at this place.
    pub(crate) fn fault<T>(&mut self, path: &Path<'_>, what: impl Display) -> Option<T> {
        self.faults.add(path, || what.to_string());
        None
    }

    fn misfit<T>(&mut self, ty: &ValueType, json: &Value, path: &Path<'_>) -> Option<T> {
        self.fault(path, format_args!("expected {ty}, got {}", shown(json)))
    }

    /// Counts a value, or one that is left out: an object of a few bytes may leave out thousands.
    fn count(&mut self, path: &Path<'_>) -> Option<()> {
        self.values += 1;
        if self.values <= VALUES_MAX {
            return Some(());
        }
        // Said once: what is left isn't looked at.
        if self.values == VALUES_MAX + 1 {
            let why = format_args!("an input may have {VALUES_MAX} values, and has more");
            return self.fault(path, why);
        }
        None
    }

    pub(crate) fn value(&mut self, ty: &ValueType, json: Value, path: &Path<'_>) -> Option<Val> {
        self.count(path)?;
        match (ty, json) {
            (ValueType::Bool, Value::Bool(bool)) => Some(Val::Bool(bool)),
            (ValueType::Integer(integer), json) => self.integer(*integer, ty, &json, path),
            (ValueType::F32, json) => self.float(ty, &json, path).and_then(|float| {
                let val = narrow(float).map(Val::Float32);
                val.or_else(|| self.fault(path, format_args!("{float:e} is out of range for f32")))
            }),
            (ValueType::F64, json) => self.float(ty, &json, path).map(Val::Float64),
            (ValueType::Char, Value::String(text)) => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Some(Val::Char(char)),
                    _ => self.misfit(ty, &Value::String(text), path),
                }
            }
            (ValueType::String, Value::String(text)) => Some(Val::String(text)),
            (ValueType::Bytes, json) => self.bytes(json, path).map(super::list),
            (ValueType::List(item), Value::Array(items)) => {
                self.items(items.into_iter().map(|json| (&**item, json)), path).map(Val::List)
            }
            (ValueType::Tuple(types), Value::Array(items)) if types.len() == items.len() => {
                self.items(types.iter().zip(items), path).map(Val::Tuple)
            }
            (ValueType::Record(fields), Value::Object(object)) => self.record(fields, object, path),
            (ValueType::Enum(cases), Value::String(name)) => {
                if cases.get(&name).is_none() {
                    return self.unknown(&name, cases.names(), path);
                }
                Some(Val::Enum(name))
            }
            (ValueType::Flags(names), Value::Array(items)) => self.flags(ty, names, items, path),
            (ValueType::Variant(cases), json) => self.variant(ty, cases, json, path),
            (ValueType::Option(_), Value::Null) => Some(Val::Option(None)),
            (ValueType::Option(some), json) => self.some(ty, some, json, path),
            (ValueType::Result(ok, err), json) => {
                self.result(ty, ok.as_deref(), err.as_deref(), json, path)
            }
            (ty, json) => self.misfit(ty, &json, path),
        }
    }

    fn integer(
        &mut self,
        integer: Integer,
        ty: &ValueType,
        json: &Value,
        path: &Path<'_>,
    ) -> Option<Val> {
        let Some(number) = whole(json) else { return self.misfit(ty, json, path) };
        integer.val(number).or_else(|| {
            let (name, min, max) = integer.bounds();
            let why = format_args!("{number} is out of range for {name} ({min} to {max})");
            self.fault(path, why)
        })
    }

    fn float(&mut self, ty: &ValueType, json: &Value, path: &Path<'_>) -> Option<f64> {
        match json {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => without_number(text).or_else(|| self.misfit(ty, json, path)),
            _ => self.misfit(ty, json, path),
        }
    }

    fn bytes(&mut self, json: Value, path: &Path<'_>) -> Option<Vec<u8>> {
        match json {
            Value::String(text) => BASE64.decode(&text).ok().or_else(|| {
                self.fault(path, format_args!("expected base64, got {}", quoted(&text)))
            }),
            Value::Array(items) => {
                let byte = ValueType::Integer(Integer::U8);
                let mut bytes = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    match whole(item).and_then(|number| u8::try_from(number).ok()) {
                        Some(byte) => bytes.push(byte),
                        None => {
                            let path = &Path::Item(path, index);
                            let _: Option<()> = self.misfit(&byte, item, path);
                        }
                    }
                }
                (bytes.len() == items.len()).then_some(bytes)
            }
            json => self.misfit(&ValueType::Bytes, &json, path),
        }
    }

    fn items<'t>(
        &mut self,
        items: impl ExactSizeIterator<Item = (&'t ValueType, Value)>,
        path: &Path<'_>,
    ) -> Option<Vec<Val>> {
        let length = items.len();
        let mut vals = Vec::with_capacity(length);
        for (index, (ty, json)) in items.enumerate() {
            vals.extend(self.value(ty, json, &Path::Item(path, index)));
        }
        (vals.len() == length).then_some(vals)
    }

    fn record(
        &mut self,
        fields: &[(String, ValueType)],
        mut object: Map<String, Value>,
        path: &Path<'_>,
    ) -> Option<Val> {
        let mut vals = Vec::with_capacity(fields.len());
        for (name, ty) in fields {
            let json = object.remove(name);
            vals.extend(self.named(name, ty, json, path).map(|val| (name.clone(), val)));
        }
        self.no_more(&object, "field", fields, path)?;
        (vals.len() == fields.len()).then_some(Val::Record(vals))
    }

    /// Nothing may be left of an object once its fields are taken out.
    pub(crate) fn no_more<T>(
        &mut self,
        left: &Map<String, Value>,
        what: &str,
        fields: &[(String, T)],
        path: &Path<'_>,
    ) -> Option<()> {
        for name in left.keys() {
            self.faults.add(path, || {
                let names = listed(fields.iter().map(|(name, _)| name), ", ");
                format!("has no {what} {}; it has {names}", quoted(name))
            });
        }
        left.is_empty().then_some(())
    }

    fn unknown<T, W: AsRef<str>>(
        &mut self,
        name: &str,
        names: impl Iterator<Item = W>,
        path: &Path<'_>,
    ) -> Option<T> {
        self.faults.add(path, || format!("{} is none of {}", quoted(name), listed(names, ", ")));
        None
    }

    fn flags(
        &mut self,
        ty: &ValueType,
        names: &[String],
        items: Vec<Value>,
        path: &Path<'_>,
    ) -> Option<Val> {
        let mut set: Vec<String> = Vec::new();
        for item in items {
            let Value::String(name) = item else { return self.misfit(ty, &item, path) };
            // There are 32 at most.
            if !names.contains(&name) {
                return self.unknown(&name, names.iter(), path);
            }
            if set.contains(&name) {
                return self.fault(path, format_args!("{} is there twice", quoted(&name)));
            }
            set.push(name);
        }
        Some(Val::Flags(set))
    }

    fn variant(
        &mut self,
        ty: &ValueType,
        cases: &Named<Option<ValueType>>,
        json: Value,
        path: &Path<'_>,
    ) -> Option<Val> {
        let (name, json) = self.case(ty, json, path)?;
        let Some((case, ty)) = cases.get(&name) else {
            return self.unknown(&name, cases.names(), path);
        };
        let val = self.payload(case, ty.as_ref(), json, path)?;
        Some(Val::Variant(name, val))
    }

    fn some(
        &mut self,
        ty: &ValueType,
        some: &ValueType,
        json: Value,
        path: &Path<'_>,
    ) -> Option<Val> {
        if !some.may_be_null() {
            return self.value(some, json, path).map(|val| Val::Option(Some(Box::new(val))));
        }
        match json {
            Value::Object(mut object) if object.len() == 1 && object.contains_key("some") => {
                let val = self.named("some", some, object.remove("some"), path)?;
                Some(Val::Option(Some(Box::new(val))))
            }
            json => {
                let why = "(null, or {\"some\": value})";
                self.fault(path, format_args!("expected {ty} {why}, got {}", shown(&json)))
            }
        }
    }

    fn result(
        &mut self,
        ty: &ValueType,
        ok: Option<&ValueType>,
        err: Option<&ValueType>,
        json: Value,
        path: &Path<'_>,
    ) -> Option<Val> {
        let (side, json) = self.case(ty, json, path)?;
        match side.as_str() {
            "ok" => self.payload("ok", ok, json, path).map(|val| Val::Result(Ok(val))),
            "err" => self.payload("err", err, json, path).map(|val| Val::Result(Err(val))),
            _ => self.misfit(ty, &Value::String(side), path),
        }
    }

    /// A case's name, with what it carries in an object of one entry.
    fn case(
        &mut self,
        ty: &ValueType,
        json: Value,
        path: &Path<'_>,
    ) -> Option<(String, Option<Value>)> {
        match json {
            Value::String(name) => Some((name, None)),
            Value::Object(object) if object.len() == 1 => {
                object.into_iter().next().map(|(name, json)| (name, Some(json)))
            }
            json => self.misfit(ty, &json, path),
        }
    }

    /// What a case carries: a value where it has a type, else nothing or `null`.
    fn payload(
        &mut self,
        case: &str,
        ty: Option<&ValueType>,
        json: Option<Value>,
        path: &Path<'_>,
    ) -> Option<Option<Box<Val>>> {
        match (ty, json) {
            (Some(ty), Some(json)) => {
                self.named(case, ty, Some(json), path).map(|val| Some(Box::new(val)))
            }
            (Some(ty), None) => {
                let case = quoted(case);
                let why = format_args!("{case} carries a value: expected {{{case}: {ty}}}");
                self.fault(path, why)
            }
            (None, None | Some(Value::Null)) => Some(None),
            (None, Some(json)) => {
                let path = &Path::Key(path, case);
                self.fault(path, format_args!("carries no value, got {}", shown(&json)))
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

/// What JSON has no number for, by its name.
pub(super) fn without_number(name: &str) -> Option<f64> {
    match name {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// An `f32`, unless the number is too large for one.
pub(super) fn narrow(float: f64) -> Option<f32> {
    let narrow = float as f32;
    (!narrow.is_infinite() || float.is_infinite()).then_some(narrow)
}
