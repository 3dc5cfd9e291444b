//! What a plugin is granted beyond what is its own.

use std::collections::BTreeMap;
use std::fmt;

use gristmill_job::BucketName;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// What a plugin is granted beyond what is its own: nothing, if not said.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Buckets of the cache, which it shares with every other plugin that is granted them.
    pub cache: BTreeMap<BucketName, Access>,
}

/// What a plugin may do in a bucket; a greater one includes the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Look up what others have stored.
    ReadOnly,
    /// Store and remove, too.
    ReadWrite,
}

impl Access {
    const ALL: [Self; 2] = [Self::ReadOnly, Self::ReadWrite];

    /// How a manifest writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By hand, so that whatever stands in its place is answered with what may stand there.
impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = Access;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"read-only\" or \"read-write\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Access, E> {
                let known = Access::ALL.into_iter().find(|access| access.as_str() == text);
                known.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Word)
    }
}
