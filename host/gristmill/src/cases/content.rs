//! What a payload, or a value in the cache, is or is expected to be.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use gristmill_job::limits::{DELAY_MAX, PAYLOAD_BYTES_MAX};
use gristmill_job::{Payload, media};
use gristmill_runtime::{Item, Section};
use serde_json::{Number, Value, json};
use toml::de::DeValue;

use crate::media_type::media_type;

/// The whole numbers that a double has all of.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What a payload, or a value in the cache, is or is expected to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// JSON, whatever its layout.
    Json(Value),
    /// Bytes of this media type, or of any where it is compared.
    Bytes(Bytes, &'static str),
}

impl Content {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::Text(text) => Bytes::from(text.clone()),
            Self::Json(value) => Bytes::from(value.to_string()),
            Self::Bytes(bytes, _) => bytes.clone(),
        }
    }

    /// As a payload, of the media type that is said, or of the one of its form.
    #[must_use]
    pub fn payload(&self, content_type: Option<String>) -> Payload {
        let usual = match self {
            Self::Text(_) => media::TEXT,
            Self::Json(_) => media::JSON,
            Self::Bytes(_, content_type) => content_type,
        };
        let content_type = content_type.unwrap_or_else(|| usual.to_owned());
        Payload { content_type, data: self.bytes() }
    }

    /// Whether a payload is this. JSON is compared by its values; a text is also a JSON string.
    #[must_use]
    pub fn is(&self, payload: &Payload) -> bool {
        match self {
            Self::Text(text) => {
                let is_json = || media::is_json(&payload.content_type);
                payload.data == *text
                    || is_json() && parsed(&payload.data) == Some(Value::from(text.as_str()))
            }
            Self::Json(value) => parsed(&payload.data) == Some(normal(value)),
            Self::Bytes(bytes, _) => payload.data == bytes,
        }
    }

    /// As a value to be shown.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Json(value) => normal(value),
            Self::Bytes(bytes, content_type) => shown_payload(&Payload {
                content_type: (*content_type).to_owned(),
                data: bytes.clone(),
            }),
        }
    }
}

/// A payload as a value to be shown: JSON as it is, text as a string, bytes in base64.
#[must_use]
pub fn shown_payload(payload: &Payload) -> Value {
    let value = media::is_json(&payload.content_type).then(|| parsed(&payload.data)).flatten();
    value.unwrap_or_else(|| match std::str::from_utf8(&payload.data) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "base64": BASE64.encode(&payload.data) }),
    })
}

fn parsed(data: &[u8]) -> Option<Value> {
    serde_json::from_slice(data).ok().map(|value| normal(&value))
}

/// A value in which `3.0` is `3`: languages without whole numbers write them either way.
#[must_use]
pub fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT_MAX =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "it was looked at above")]
                Value::from(float as i64)
            }
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), normal(value))).collect())
        }
        other => other.clone(),
    }
}

/// The keys under which a content may stand, in the order of their forms.
pub(super) struct Keys(pub(super) [&'static str; 4]);

pub(super) const INPUT: Keys = Keys(["input", "input_json", "input_file", "input_base64"]);
pub(super) const RESULT: Keys = Keys(["result", "result_json", "result_file", "result_base64"]);

/// The content under one of these keys, if there is one.
pub(super) fn take(table: &mut Section<'_>, keys: &Keys, dir: &Path) -> Option<Content> {
    let given = keys.0.map(|key| table.take(key));
    let mut given = given.into_iter().enumerate().filter_map(|(form, item)| Some((form, item?)));
    let (form, item) = given.next()?;
    if let Some((_, second)) = given.next() {
        second.fault(format!("{} is given already: only one of them may be", item.key));
        return None;
    }
    match form {
        0 => plain_content(&item),
        1 => json_text(&item),
        2 => of_file(&item, dir),
        _ => of_base64(&item),
    }
}

/// Text where it is a string, JSON else.
fn plain_content(item: &Item<'_>) -> Option<Content> {
    match item.value() {
        DeValue::String(text) => Some(Content::Text(text.to_string())),
        _ => json_of(item).map(Content::Json),
    }
}

/// A content in one value: text where it is a string; where it is a table of `value`, `json`, `file` or
/// `base64`, perhaps with `ttl`, what that says; JSON else.
pub(super) fn in_one(item: &Item<'_>, dir: &Path) -> Option<(Content, Option<Duration>)> {
    const FORMS: [&str; 4] = ["value", "json", "file", "base64"];
    let is_form = item.value().as_table().is_some_and(|table| {
        let forms = FORMS.iter().filter(|form| table.contains_key(**form)).count();
        forms == 1 && table.len() == forms + usize::from(table.contains_key("ttl"))
    });
    if !is_form {
        return Some((plain_content(item)?, None));
    }
    let mut table = item.table()?;
    let ttl = table.take("ttl").map(|item| item.duration(DELAY_MAX));
    let content = take(&mut table, &Keys(FORMS), dir);
    table.end();
    match ttl {
        Some(ttl) => Some((content?, Some(ttl?))),
        None => Some((content?, None)),
    }
}

fn json_text(item: &Item<'_>) -> Option<Content> {
    item.good(serde_json::from_str(item.string()?)).map(Content::Json)
}

fn of_base64(item: &Item<'_>) -> Option<Content> {
    let bytes = item.good(BASE64.decode(item.string()?))?;
    Some(Content::Bytes(bytes.into(), media::BYTES))
}

fn of_file(item: &Item<'_>, dir: &Path) -> Option<Content> {
    let path = dir.join(item.string()?);
    let bytes = std::fs::read(&path);
    let bytes = item.good(bytes.map_err(|e| format!("{} can't be read: {e}", path.display())))?;
    if bytes.len() > PAYLOAD_BYTES_MAX {
        item.fault(format!("{} has more than {PAYLOAD_BYTES_MAX} bytes", path.display()));
        return None;
    }
    let content_type = media_type(&path, &bytes);
    Some(Content::Bytes(bytes.into(), content_type))
}

/// A value of TOML as JSON.
pub(super) fn json_of(item: &Item<'_>) -> Option<Value> {
    item.good(to_json(item.value()))
}

fn to_json(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => return Err(format!("{} is no whole number of 64 bits", number.as_str())),
        },
        DeValue::Float(number) => {
            let float = number.as_str().parse::<f64>().ok().and_then(Number::from_f64);
            match float {
                Some(float) => Value::Number(float),
                None => return Err(format!("JSON has no number {}", number.as_str())),
            }
        }
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| to_json(item.get_ref()));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| Ok((key.get_ref().to_string(), to_json(value.get_ref())?)));
            Value::Object(pairs.collect::<Result<_, String>>()?)
        }
    })
}
