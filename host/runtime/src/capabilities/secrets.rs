//! `gristmill:job/secrets`: what the manifest grants by name, read each time it is asked for, so that
//! a secret that was changed takes no restart.

use std::io::Read as _;
use std::path::Path;

use crate::bindings::secrets::Host;
use crate::bindings::types::Error;
use crate::config;
use crate::grants::Secret;
use crate::log_book::cut;
use crate::state::{State, lock};

/// A secret is a key or a certificate.
const SECRET_BYTES_MAX: u64 = 64 << 10;

impl Host for State {
    #[tracing::instrument(level = "trace", name = "secrets.get", skip_all)]
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        self.count_host_call()?;
        let Some(secret) = self.plugin.grants().secrets.get(&name) else {
            let (name, plugin) = (cut(&name, config::NAME_BYTES_SHOWN), self.plugin.name());
            return Ok(Err(Error::AccessDenied(format!(
                "the secret {name:?} is not granted to this plugin; what this needs is {name:?} = \
                 {{ env = \"VARIABLE\" }} or {{ file = \"/PATH\" }} under [grants.secrets] in its \
                 manifest, {plugin}.toml"
            ))));
        };
        // A file may be on a network, and the attempt must end in time all the same.
        let source = secret.clone();
        let read = tokio::task::spawn_blocking(move || source.read());
        let read = read.await.unwrap_or_else(|panic| Err(panic.to_string()));
        Ok(match read {
            Ok(value) => {
                lock(self.log()).hide(&name, &value);
                Ok(value)
            }
            Err(why) => Err(Error::Unavailable(format!("the secret {name:?}: {why}"))),
        })
    }
}

impl Secret {
    /// Its value, or why there is none.
    ///
    /// # Errors
    /// A message that names the source, never the value.
    pub fn read(&self) -> Result<String, String> {
        let value = match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(value) => value,
                Err(std::env::VarError::NotPresent) => return Err(format!("{self} isn't set")),
                Err(std::env::VarError::NotUnicode(_)) => {
                    return Err(format!("{self} is no text in UTF-8"));
                }
            },
            Self::File(path) => read_file(path).map_err(|why| format!("{self} {why}"))?,
            Self::Given(value) => return Ok(value.0.clone()),
        };
        let without_end = value.strip_suffix('\n').unwrap_or(&value);
        Ok(without_end.strip_suffix('\r').unwrap_or(without_end).to_owned())
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("can't be read: {error}"))?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(format!("has more than {SECRET_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is no text in UTF-8".to_owned())
}
