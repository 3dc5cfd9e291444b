//! A script: a step that happens whole on the server.

use redis::Cmd;
use sha1_smol::Sha1;

/// A script's source, and the name by which a server that has it runs it.
#[derive(Debug)]
pub struct Script {
    source: String,
    sha: String,
}

impl Script {
    /// A script of this source.
    #[must_use]
    pub fn new(source: String) -> Self {
        let sha = Sha1::from(&source).digest().to_string();
        Self { source, sha }
    }

    pub(crate) fn sha(&self) -> &str {
        &self.sha
    }

    /// The command that makes it known to a server.
    pub(crate) fn load(&self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(self.source.as_str());
        command
    }
}
