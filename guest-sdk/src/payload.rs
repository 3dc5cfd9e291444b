//! Bytes and their media type.

use serde::Serialize;

use crate::{FromPayload, JobError};

pub(crate) const TEXT: &str = "text/plain";
pub(crate) const JSON: &str = "application/json";
pub(crate) const BYTES: &str = "application/octet-stream";

/// Bytes and their media type, as they travel between jobs and the host.
///
/// A job that takes or gives a `Payload` gets or sets both as they are; most jobs take and give
/// plain types instead (see [`FromPayload`] and [`ToPayload`](crate::ToPayload)).
///
/// ```
/// use gristmill_guest::Payload;
///
/// let picture = Payload::new("image/png", [0x89, b'P', b'N', b'G']);
/// assert_eq!(picture.media_type(), "image/png");
/// assert!(!picture.is_text());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// A media type such as `application/json` or `text/plain`, with its parameters if it has any.
    pub content_type: String,
    /// The bytes. Inputs and results are bounded by the plugin's limits, 1 MiB by default.
    pub data: Vec<u8>,
}

impl Payload {
    /// A payload of any media type.
    pub fn new(content_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Payload {
        Payload { content_type: content_type.into(), data: data.into() }
    }

    /// Text, as `text/plain`.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert_eq!(Payload::text("hello"), Payload::new("text/plain", "hello"));
    /// ```
    pub fn text(text: impl Into<String>) -> Payload {
        Payload::new(TEXT, text.into())
    }

    /// Bytes that nothing is known of, as `application/octet-stream`.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert_eq!(Payload::bytes([1, 2]).content_type, "application/octet-stream");
    /// ```
    pub fn bytes(data: impl Into<Vec<u8>>) -> Payload {
        Payload::new(BYTES, data)
    }

    /// A value as JSON. Fails where JSON can't hold the value, such as a map with keys that are no
    /// strings.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert_eq!(Payload::json(&[1, 2])?, Payload::new("application/json", "[1,2]"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Payload, serde_json::Error> {
        Ok(Payload::new(JSON, serde_json::to_vec(value)?))
    }

    /// The media type without its parameters.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert_eq!(Payload::new("text/html; charset=utf-8", "").media_type(), "text/html");
    /// ```
    pub fn media_type(&self) -> &str {
        self.content_type.split(';').next().unwrap_or_default().trim()
    }

    /// Whether the media type is one of `text/*`.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert!(Payload::new("Text/CSV", "a,b").is_text());
    /// ```
    pub fn is_text(&self) -> bool {
        self.media_type().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"))
    }

    /// Whether the media type is `application/json` or one that is JSON by its suffix.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// assert!(Payload::new("application/problem+json", "{}").is_json());
    /// ```
    pub fn is_json(&self) -> bool {
        let media_type = self.media_type().to_ascii_lowercase();
        media_type == JSON || media_type.ends_with("+json")
    }

    /// Whether this is what a job gets that was enqueued without an input.
    pub(crate) fn is_absent(&self) -> bool {
        self.content_type.is_empty() && self.data.is_empty()
    }

    /// Reads the payload as a job's input of this type is read.
    ///
    /// ```
    /// # use gristmill_guest::Payload;
    /// let sizes: Vec<u32> = Payload::new("application/json", "[1,2]").parse()?;
    /// assert_eq!(sizes, [1, 2]);
    /// # Ok::<(), gristmill_guest::JobError>(())
    /// ```
    pub fn parse<T: FromPayload>(self) -> Result<T, JobError> {
        T::from_payload(self)
    }
}
