//! What Rust types are as payloads.
//!
//! The rule is by type: `String` is text, `Vec<u8>` is bytes, `()` is nothing, [`Payload`] is as it
//! came, and everything else is JSON by serde. One blanket implementation holds the rule for all
//! serde types and tells the first three apart when it runs, since Rust has no specialization.

use std::any::{Any, TypeId};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    JobError, Payload,
    payload::{BYTES, JSON, TEXT},
};

/// A type that a job can take as its input.
///
/// | type | accepts | gets |
/// |---|---|---|
/// | `String` | `text/*`, `application/json` | the text, or the JSON string |
/// | `Vec<u8>` | anything | the bytes |
/// | `()` | no input | nothing |
/// | [`Payload`] | anything | media type and bytes as they came |
/// | any other `serde::Deserialize` | `application/json`, `text/*` | the JSON value; text is offered as a JSON string is, so that enums and newtypes of strings can be sent as text |
///
/// A number with a fraction is read to the last place but one; a plugin that needs the last one too depends on
/// serde_json with its feature `float_roundtrip`, for 40 kB.
///
/// An absent input is offered to serde as `null`, so that `Option<T>` can be left out. Input that
/// doesn't fit is a fatal [`JobError`] with the code `invalid-input`.
///
/// ```
/// use gristmill_guest::{FromPayload, Payload};
///
/// #[derive(serde::Deserialize, PartialEq, Debug)]
/// #[serde(rename_all = "lowercase")]
/// enum Size { Small, Large }
///
/// assert_eq!(Size::from_payload(Payload::new("application/json", "\"small\""))?, Size::Small);
/// assert_eq!(Size::from_payload(Payload::text("large"))?, Size::Large);
/// assert_eq!(Option::<Size>::from_payload(Payload::default())?, None);
///
/// let error = Size::from_payload(Payload::text("huge")).unwrap_err();
/// assert_eq!(error.code.as_deref(), Some("invalid-input"));
/// # Ok::<(), gristmill_guest::JobError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a job can't take `{Self}`",
    note = "a job takes `String`, `Vec<u8>`, `Payload`, or a type that owns its data and derives `serde::Deserialize`"
)]
pub trait FromPayload: Sized {
    /// The media types that fit, as `describe` lists them; none where any fits.
    fn accepts() -> Option<&'static [&'static str]>;

    /// Reads the input of a job.
    fn from_payload(payload: Payload) -> Result<Self, JobError>;
}

/// A type that a job can give as its result.
///
/// | type | gives |
/// |---|---|
/// | `String`, `str` | `text/plain` |
/// | `Vec<u8>`, `[u8]` | `application/octet-stream` |
/// | `()` | no result |
/// | [`Payload`] | media type and bytes as they are |
/// | any other `serde::Serialize` | `application/json` |
///
/// A value that JSON can't hold is a fatal [`JobError`] with the code `unserializable`.
///
/// ```
/// use gristmill_guest::{Payload, ToPayload};
///
/// assert_eq!("hello".to_payload()?, Some(Payload::text("hello")));
/// assert_eq!(().to_payload()?, None);
/// assert_eq!(7.to_payload()?, Some(Payload::new("application/json", "7")));
/// # Ok::<(), gristmill_guest::JobError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a job can't give `{Self}`",
    note = "a job gives `String`, `Vec<u8>`, `Payload`, `()`, or a type that owns its data and derives `serde::Serialize`"
)]
pub trait ToPayload {
    /// The media type, as `describe` names it; none where it isn't known or nothing is given.
    fn returns() -> Option<&'static str>;

    /// The value as a payload; none for `()`.
    fn to_payload(&self) -> Result<Option<Payload>, JobError>;

    /// The same, without a copy of what is bytes already.
    fn into_payload(self) -> Result<Option<Payload>, JobError>
    where
        Self: Sized,
    {
        self.to_payload()
    }
}

/// How a serde type travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Bytes,
    Nothing,
    Json,
}

impl Shape {
    fn of<T: 'static>() -> Shape {
        let this = TypeId::of::<T>();
        if this == TypeId::of::<String>() || this == TypeId::of::<&'static str>() {
            Shape::Text
        } else if this == TypeId::of::<Vec<u8>>() {
            Shape::Bytes
        } else if this == TypeId::of::<()>() {
            Shape::Nothing
        } else {
            Shape::Json
        }
    }
}

/// Whether a type travels as JSON.
pub fn is_json<T: 'static>() -> bool {
    Shape::of::<T>() == Shape::Json && TypeId::of::<T>() != TypeId::of::<Payload>()
}

impl<T: DeserializeOwned + 'static> FromPayload for T {
    fn accepts() -> Option<&'static [&'static str]> {
        match Shape::of::<T>() {
            Shape::Text => Some(&["text/*", JSON]),
            Shape::Bytes => None,
            Shape::Nothing => Some(&[]),
            // Only where any fits may the input be absent.
            Shape::Json if serde_json::from_slice::<T>(b"null").is_ok() => None,
            Shape::Json => Some(&[JSON, "text/*"]),
        }
    }

    fn from_payload(payload: Payload) -> Result<T, JobError> {
        match Shape::of::<T>() {
            Shape::Text => text(payload).map(recast),
            Shape::Bytes => Ok(recast(payload.data)),
            Shape::Nothing => nothing(&payload).map(recast),
            Shape::Json => json(payload),
        }
    }
}

impl FromPayload for Payload {
    fn accepts() -> Option<&'static [&'static str]> {
        None
    }

    fn from_payload(payload: Payload) -> Result<Payload, JobError> {
        Ok(payload)
    }
}

impl<T: Serialize + 'static> ToPayload for T {
    fn returns() -> Option<&'static str> {
        match Shape::of::<T>() {
            Shape::Text => Some(TEXT),
            Shape::Bytes => Some(BYTES),
            Shape::Nothing => None,
            Shape::Json => Some(JSON),
        }
    }

    fn to_payload(&self) -> Result<Option<Payload>, JobError> {
        let value: &dyn Any = self;
        if let Some(text) = value.downcast_ref::<String>() {
            text.as_str().to_payload()
        } else if let Some(text) = value.downcast_ref::<&'static str>() {
            (*text).to_payload()
        } else if let Some(bytes) = value.downcast_ref::<Vec<u8>>() {
            bytes.as_slice().to_payload()
        } else if value.is::<()>() {
            Ok(None)
        } else {
            Payload::json(self).map(Some).map_err(unserializable)
        }
    }

    fn into_payload(self) -> Result<Option<Payload>, JobError> {
        match Shape::of::<T>() {
            Shape::Bytes => Ok(Some(Payload::bytes(recast::<T, Vec<u8>>(self)))),
            Shape::Text if TypeId::of::<T>() == TypeId::of::<String>() => {
                Ok(Some(Payload::text(recast::<T, String>(self))))
            }
            _ => self.to_payload(),
        }
    }
}

impl ToPayload for Payload {
    fn returns() -> Option<&'static str> {
        None
    }

    fn to_payload(&self) -> Result<Option<Payload>, JobError> {
        Ok(Some(self.clone()))
    }

    fn into_payload(self) -> Result<Option<Payload>, JobError> {
        Ok(Some(self))
    }
}

impl ToPayload for str {
    fn returns() -> Option<&'static str> {
        Some(TEXT)
    }

    fn to_payload(&self) -> Result<Option<Payload>, JobError> {
        Ok(Some(Payload::text(self)))
    }
}

impl ToPayload for [u8] {
    fn returns() -> Option<&'static str> {
        Some(BYTES)
    }

    fn to_payload(&self) -> Result<Option<Payload>, JobError> {
        Ok(Some(Payload::bytes(self)))
    }
}

/// Gives a value the type that it is known to have.
fn recast<A: 'static, B: 'static>(value: A) -> B {
    let mut value = Some(value);
    let slot: &mut dyn Any = &mut value;
    slot.downcast_mut::<Option<B>>().and_then(Option::take).expect("both names are of one type")
}

fn text(payload: Payload) -> Result<String, JobError> {
    if payload.is_text() {
        String::from_utf8(payload.data)
            .map_err(|error| JobError::invalid_input(format_args!("the text is no UTF-8: {error}")))
    } else if payload.is_json() {
        json(payload)
    } else {
        Err(unfit(&payload, "text or a JSON string"))
    }
}

fn nothing(payload: &Payload) -> Result<(), JobError> {
    if payload.data.is_empty() || (payload.is_json() && payload.data.trim_ascii() == b"null") {
        Ok(())
    } else {
        Err(unfit(payload, "no input"))
    }
}

fn json<T: DeserializeOwned>(payload: Payload) -> Result<T, JobError> {
    let value = if payload.is_absent() {
        serde_json::from_slice(b"null")
    } else if payload.is_json() {
        serde_json::from_slice(&payload.data)
    } else if payload.is_text() {
        serde_json::from_slice(&serde_json::to_vec(&text(payload)?).unwrap_or_default())
    } else {
        return Err(unfit(&payload, "JSON"));
    };
    value.map_err(JobError::invalid_input)
}

fn unfit(payload: &Payload, expected: &str) -> JobError {
    if payload.is_absent() {
        return JobError::invalid_input(format_args!("expected {expected}, and there is none"));
    }
    let Payload { content_type, data } = payload;
    JobError::invalid_input(format_args!(
        "expected {expected}, not {} bytes of {content_type:?}",
        data.len()
    ))
}

/// Reads a stored value, which is what [`ToPayload`] makes of its type without the media type.
pub(crate) fn decode<T: DeserializeOwned + 'static>(
    data: Vec<u8>,
) -> Result<T, Box<dyn std::error::Error>> {
    Ok(match Shape::of::<T>() {
        Shape::Text => recast(String::from_utf8(data)?),
        Shape::Bytes => recast(data),
        Shape::Nothing => recast(()),
        Shape::Json => serde_json::from_slice(&data)?,
    })
}

pub(crate) fn unserializable(error: serde_json::Error) -> JobError {
    JobError::fatal(format!("a value can't be written as JSON: {error}")).code("unserializable")
}

#[cfg(test)]
mod tests;
