//! Names and identities, each its own type, so that two strings never sit side by side.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::limits;

/// A job's id: any UUID. No code reads time or order from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = "uuid"))]
pub struct JobId(Uuid);

/// A worker's id: random at each start, and new when its lease was reaped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = "uuid"))]
pub struct WorkerId(Uuid);

macro_rules! uuid_id {
    ($name:ident) => {
        impl $name {
            /// A new random id.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The id as a UUID.
            #[must_use]
            pub fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(JobId);
uuid_id!(WorkerId);

/// A name that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {rule}")]
pub struct InvalidName {
    what: &'static str,
    rule: &'static str,
    text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = $pattern))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the rule.
            ///
            /// # Errors
            /// [`InvalidName`] says which rule the text breaks.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.into()))
                } else {
                    // A hostile name of a megabyte must not come back in a log line.
                    let shown = text.chars().take(limits::NAME_SHOWN_CHARS).collect();
                    Err(InvalidName { what: $what, rule: $rule, text: shown })
                }
            }

            /// The name's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

name! {
    /// A plugin's name: the stem of its file.
    PluginName, "plugin name",
    "lower-case letters, digits and `-`, a letter first, at most 63",
    "^[a-z][a-z0-9-]{0,62}$",
    |text| {
        text.len() <= limits::NAME_BYTES_MAX
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}

name! {
    /// A queue's name.
    QueueName, "queue name",
    "letters, digits, `.`, `_` and `-`, a letter or digit first, at most 63",
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    is_plain
}

name! {
    /// The name of a part of the cache that several plugins share.
    BucketName, "bucket name",
    "letters, digits, `.`, `_` and `-`, a letter or digit first, at most 63",
    "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
    is_plain
}

name! {
    /// A function's name: one that a plugin's handler knows, or the path of an exported function.
    FunctionName, "function name",
    "1 to 255 bytes without spaces or control characters",
    "^[!-~]{1,255}$",
    |text| {
        !text.is_empty()
            && text.len() <= limits::FUNCTION_NAME_BYTES_MAX
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
    }
}

name! {
    /// A key of which one job at a time may be scheduled, queued or running, per queue, plugin and
    /// function.
    UniqueKey, "unique key",
    "1 to 255 bytes",
    "^[ -~]{1,255}$",
    |text| !text.is_empty() && text.len() <= limits::UNIQUE_KEY_BYTES_MAX
}

/// Whether a name is of the kind that a file could have.
fn is_plain(text: &str) -> bool {
    text.len() <= limits::NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

impl Default for QueueName {
    fn default() -> Self {
        Self("default".into())
    }
}

/// The content digest that identifies a plugin's version: SHA-256, written `sha256:` and 64 hex
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^sha256:[0-9a-fA-F]{64}$"))]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The raw digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "digest",
            rule: "`sha256:` and 64 hexadecimal digits",
            text: text.chars().take(limits::NAME_SHOWN_CHARS).collect(),
        };
        let hex = text.strip_prefix("sha256:").ok_or_else(invalid)?;
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_rules() {
        for good in ["a", "word-count", "x2", &"a".repeat(63)] {
            assert!(PluginName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "2x", "-a", "a_b", "a/b", "ü", &"a".repeat(64)] {
            assert!(PluginName::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "{q}", "a b", ".hidden"] {
            assert!(QueueName::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "a b", "a\n"] {
            assert!(FunctionName::new(bad).is_err(), "{bad:?}");
        }
        assert!(FunctionName::new("ns:pkg/face@1.0.0#run").is_ok());
    }

    #[test]
    fn a_bad_name_says_its_rule_and_is_cut() {
        let error = PluginName::new(&"X".repeat(10_000)).unwrap_err().to_string();
        assert!(error.len() < 300, "{}", error.len());
        assert!(error.contains("lower-case letters"), "{error}");
    }

    #[test]
    fn a_digest_survives_its_text() {
        let digest = Digest::of(b"component");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("sha256:12".parse::<Digest>().is_err());
        assert!("md5:0".parse::<Digest>().is_err());
    }
}
