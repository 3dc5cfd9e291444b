//! The manifest of a plugin: `NAME.toml` beside `NAME.wasm`.
//!
//! A plugin without one is granted nothing. One with a faulty manifest can't be used at all: to run
//! it as if nothing had been said would hide the fault in answers that its author can't explain.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use serde::Deserialize;

use crate::error::LoadError;
use crate::grants::Grants;
use crate::log_book::cut;

/// A manifest is a page of names and numbers; what is larger is a file of another kind.
const MANIFEST_BYTES_MAX: u64 = 64 << 10;

/// Bytes of a faulty line that its error repeats.
const LINE_BYTES_SHOWN: usize = 120;

/// What the manifest says; each part that is left out has its default.
#[derive(Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Manifest {
    /// `[grants]`.
    pub(crate) grants: Grants,
}

impl Manifest {
    /// Reads the manifest beside a component's file; the default, if there is none.
    pub(crate) fn beside(component: &Path) -> Result<Self, LoadError> {
        let path = component.with_extension("toml");
        let faulty = |why| LoadError::Manifest { path: path.display().to_string(), why };
        match read(&path) {
            Ok(bytes) => Self::parse(&bytes).map_err(faulty),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(faulty(error.to_string())),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > MANIFEST_BYTES_MAX {
            return Err(format!("it is larger than {MANIFEST_BYTES_MAX} bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())?;
        toml::from_str(text).map_err(|error| located(text, &error))
    }
}

/// Reads up to one byte more than a manifest may have.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The fault in one line, with the line that it is in.
fn located(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return message;
    };
    let number = before.matches('\n').count();
    let line = text.lines().nth(number).unwrap_or_default().trim();
    format!("line {}, `{}`: {message}", number + 1, cut(line, LINE_BYTES_SHOWN))
}

#[cfg(test)]
mod tests;
