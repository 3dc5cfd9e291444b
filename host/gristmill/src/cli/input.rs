//! A job's input: from the command line, a file or stdin, and of which media type it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use gristmill::job::limits::PAYLOAD_BYTES_MAX;
use gristmill::job::media;
use gristmill::{Payload, media_type, sniffed};
use serde_json::Value;

use super::error::Error;

/// What the function is given.
#[derive(Args, Default)]
pub(crate) struct InputArgs {
    /// The input: JSON, if it is a JSON object or array, else text
    #[arg(
        long,
        value_name = "TEXT",
        env = "GRISTMILL_INPUT",
        hide_env_values = true,
        conflicts_with_all = ["input_file", "wave"]
    )]
    input: Option<String>,
    /// The arguments of a function that has types of its own, in WAVE, such as '1, \"a\", {x: 2}'
    #[arg(
        long,
        value_name = "TEXT",
        env = "GRISTMILL_WAVE",
        hide_env_values = true,
        conflicts_with_all = ["input_file", "content_type"]
    )]
    wave: Option<String>,
    /// The input from a file, or from stdin (-); its media type is told by the file's extension,
    /// else it is text where it is UTF-8 without NUL, else bytes
    #[arg(long, value_name = "PATH|-", env = "GRISTMILL_INPUT_FILE", hide_env_values = true)]
    input_file: Option<PathBuf>,
    /// The input's media type, where it isn't the one that is told by its form
    #[arg(long, value_name = "TYPE", env = "GRISTMILL_CONTENT_TYPE", hide_env_values = true)]
    content_type: Option<String>,
}

/// An input that can be read more than once.
pub(crate) enum Kept<'a> {
    /// It came from stdin, which is read once.
    Read(Payload),
    /// It is read anew each time, since a file may change.
    Again(&'a InputArgs),
}

impl Kept<'_> {
    /// The input as it is now. Blocks on files.
    pub(crate) fn read(&self) -> Result<Payload, Error> {
        match self {
            Self::Read(payload) => Ok(payload.clone()),
            Self::Again(args) => args.read(),
        }
    }
}

impl InputArgs {
    /// The file that the input comes from, if it does.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.input_file.as_deref().filter(|path| path.as_os_str() != "-")
    }

    /// Reads stdin, if that is the input, so that it is there to be read again.
    pub(crate) fn keep(&self) -> Result<Kept<'_>, Error> {
        match (&self.input_file, self.file()) {
            (Some(_), None) => Ok(Kept::Read(self.read()?)),
            _ => Ok(Kept::Again(self)),
        }
    }

    /// Reads the input. Blocks on files.
    pub(crate) fn read(&self) -> Result<Payload, Error> {
        if let Some(text) = &self.wave {
            return of_wave(text);
        }
        let mut payload = match (&self.input, &self.input_file) {
            (Some(text), _) => of_text(text)?,
            (None, Some(path)) if path.as_os_str() == "-" => {
                let data = read_bounded(io::stdin().lock(), "stdin")?;
                Payload { content_type: sniffed(&data).to_owned(), data: data.into() }
            }
            (None, Some(path)) => of_file(path)?,
            (None, None) => {
                let Some(_) = &self.content_type else { return Ok(Payload::none()) };
                let problem = "--content-type: there is no input that it could be of";
                return Err(Error::Usage(problem.to_owned()));
            }
        };
        if let Some(content_type) = &self.content_type {
            payload.content_type.clone_from(content_type);
        }
        Ok(payload)
    }
}

fn of_text(text: &str) -> Result<Payload, Error> {
    if text.len() > PAYLOAD_BYTES_MAX {
        return Err(too_large("--input"));
    }
    let is_json = matches!(serde_json::from_str(text), Ok(Value::Object(_) | Value::Array(_)));
    let content_type = if is_json { media::JSON } else { media::TEXT };
    Ok(Payload { content_type: content_type.to_owned(), data: text.to_owned().into() })
}

fn of_wave(text: &str) -> Result<Payload, Error> {
    if text.len() > PAYLOAD_BYTES_MAX {
        return Err(too_large("--wave"));
    }
    Ok(Payload { content_type: media::WAVE.to_owned(), data: text.to_owned().into() })
}

fn of_file(path: &Path) -> Result<Payload, Error> {
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Error::Usage(format!("--input-file {name} can't be read: {error}")))?;
    let data = read_bounded(file, &name)?;
    Ok(Payload { content_type: media_type(path, &data).to_owned(), data: data.into() })
}

/// Reads no more than it takes to see that it is too much: the rest may be without end.
fn read_bounded(source: impl Read, name: &str) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    let bound = PAYLOAD_BYTES_MAX as u64 + 1;
    source
        .take(bound)
        .read_to_end(&mut data)
        .map_err(|error| Error::Usage(format!("--input-file {name} can't be read: {error}")))?;
    if data.len() > PAYLOAD_BYTES_MAX { Err(too_large(name)) } else { Ok(data) }
}

fn too_large(name: &str) -> Error {
    Error::Usage(format!(
        "{name} is larger than the {PAYLOAD_BYTES_MAX} bytes that an input may have; give the job a \
         reference to the data"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> String {
        of_text(text).unwrap().content_type
    }

    #[test]
    fn text_on_the_command_line_is_json_where_it_is_an_object_or_an_array() {
        assert_eq!(given(r#"{"a": 1}"#), "application/json");
        assert_eq!(given("[1]"), "application/json");
        assert_eq!(given("42"), "text/plain");
        assert_eq!(given("{not json"), "text/plain");
    }

    #[test]
    fn an_input_without_end_is_refused_after_its_first_bytes() {
        let error = read_bounded(io::repeat(b'x'), "stdin").unwrap_err().to_string();
        assert!(error.starts_with("stdin is larger than the 1048576 bytes"), "{error}");
    }

    #[test]
    fn a_media_type_without_an_input_is_an_error() {
        let args =
            InputArgs { content_type: Some("text/plain".to_owned()), ..InputArgs::default() };
        assert!(args.read().unwrap_err().to_string().contains("no input"));
    }
}
