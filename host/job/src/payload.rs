//! Bytes and their media type.

use std::fmt;

use bytes::Bytes;

/// Media types that this project gives by itself.
pub mod media {
    /// JSON.
    pub const JSON: &str = "application/json";
    /// Text in UTF-8.
    pub const TEXT: &str = "text/plain";
    /// Values of a component's own types as text: WebAssembly Value Encoding.
    pub const WAVE: &str = "application/wave";
    /// Anything.
    pub const BYTES: &str = "application/octet-stream";

    /// Whether a media type's essence (what stands before `;`) is JSON: `application/json` or a
    /// type with the suffix `+json`.
    #[must_use]
    pub fn is_json(content_type: &str) -> bool {
        let essence = essence(content_type);
        essence.eq_ignore_ascii_case(JSON)
            || essence
                .rsplit_once('+')
                .is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"))
    }

    /// Whether a media type is one of text.
    #[must_use]
    pub fn is_text(content_type: &str) -> bool {
        essence(content_type).get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
    }

    /// Whether `content_type` fits a pattern such as `text/*`, `*/*` or `application/json`.
    #[must_use]
    pub fn fits(content_type: &str, pattern: &str) -> bool {
        let (essence, pattern) = (essence(content_type), essence(pattern));
        match pattern.split_once('/') {
            Some(("*", "*")) => true,
            Some((kind, "*")) => {
                essence.split_once('/').is_some_and(|(k, _)| k.eq_ignore_ascii_case(kind))
            }
            _ => essence.eq_ignore_ascii_case(pattern),
        }
    }

    fn essence(content_type: &str) -> &str {
        content_type.split(';').next().unwrap_or_default().trim()
    }
}

/// What goes into a job and comes out of it. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload {
    /// The media type; empty where there is no payload at all.
    pub content_type: String,
    /// The bytes.
    pub data: Bytes,
}

impl Payload {
    /// The input of a job that was given none.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Text in UTF-8.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { content_type: media::TEXT.to_owned(), data: Bytes::from(text.into()) }
    }

    /// A JSON value.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self { content_type: media::JSON.to_owned(), data: Bytes::from(value.to_string()) }
    }

    /// Bytes of any kind.
    #[must_use]
    pub fn bytes(data: impl Into<Bytes>) -> Self {
        Self { content_type: media::BYTES.to_owned(), data: data.into() }
    }

    /// Whether this is the input of a job that was given none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.content_type.is_empty() && self.data.is_empty()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Inputs can be large and private: neither belongs in a log.
        write!(f, "Payload({:?}, {} bytes)", self.content_type, self.data.len())
    }
}

#[cfg(test)]
mod tests {
    use super::media::{fits, is_json, is_text};

    #[test]
    fn media_types_fit_their_patterns() {
        assert!(fits("text/plain; charset=utf-8", "text/*"));
        assert!(fits("Text/Plain", "text/plain"));
        assert!(fits("application/json", "*/*"));
        assert!(!fits("application/json", "text/*"));
        assert!(!fits("", "text/*"));
    }

    #[test]
    fn json_and_text_are_told_by_the_essence() {
        assert!(is_json("application/problem+json; charset=utf-8"));
        assert!(!is_json("text/json-ish"));
        assert!(is_text("TEXT/vtt"));
        assert!(!is_text("tex"));
    }
}
