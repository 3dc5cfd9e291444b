//! JSON values as schemas see them: 1 and 1.0 are one number.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::{Bound, Type};

/// How far a remainder of fractions may be off: what is a multiple in decimals is so in no binary.
const REMAINDER_SHARE: f64 = 1e-9;

/// Floats from here on aren't compared as whole numbers: what they would be converted to ends above.
const WHOLE_MAX: f64 = 1e38;

impl Type {
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("null", Self::Null),
        ("boolean", Self::Boolean),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("string", Self::String),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    pub(super) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|known| known.1 == self).map_or("", |known| known.0)
    }

    pub(super) fn is_of(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_))
            | (Self::Array, Value::Array(_))
            | (Self::Object, Value::Object(_)) => true,
            (Self::Integer, Value::Number(number)) => {
                !number.is_f64() || float(number).fract() == 0.0
            }
            _ => false,
        }
    }
}

impl Bound {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::MoreThan => "more than",
            Self::AtMost => "at most",
            Self::LessThan => "less than",
        }
    }

    pub(super) fn holds(self, number: &Number, bound: &Number) -> bool {
        let order = compare(number, bound);
        match self {
            Self::AtLeast => order != Ordering::Less,
            Self::MoreThan => order == Ordering::Greater,
            Self::AtMost => order != Ordering::Greater,
            Self::LessThan => order == Ordering::Less,
        }
    }
}

/// The number, if it has no fraction and is small enough to be exact.
fn whole(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from)) {
        return Some(whole);
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < WHOLE_MAX).then_some(float as i128)
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

fn compare(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => float(a).total_cmp(&float(b)),
    }
}

pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of @ 1..)) = (whole(number), whole(of)) {
        return number % of == 0;
    }
    let (number, of) = (float(number), float(of));
    let (times, remainder) = (number / of, (number % of).abs());
    let is_whole = times.is_finite() && times.fract() == 0.0;
    is_whole || remainder <= of * REMAINDER_SHARE || of - remainder <= of * REMAINDER_SHARE
}

/// Values that are equal have the same text here.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

/// Recurses as deep as the value is, which its reader bounds.
fn write_canonical(value: &Value, text: &mut String) {
    // Writing to a string doesn't fail.
    match value {
        Value::Number(number) => {
            let _ = match whole(number) {
                Some(whole) => write!(text, "{whole}"),
                None => write!(text, "{number}"),
            };
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|member| member.0);
            text.push('{');
            for (key, value) in members {
                let _ = write!(text, "{key:?}:");
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::String(string) => {
            let _ = write!(text, "{string:?}");
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// Whether two values are the same; `None` where both are of many parts, which takes longer to tell.
pub(super) fn same(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(compare(a, b) == Ordering::Equal),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => None,
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => None,
        (a, b) => Some(a == b),
    }
}
