//! Plain commands on the keys of a queue.

use gristmill_job::{JobId, WorkerId};
use redis::{Cmd, cmd};

use super::life::{bytes, key};

/// A command on a key of the queue.
pub(super) fn on(name: &str, command: &str, arguments: &[&dyn AsBytes]) -> Cmd {
    let mut damage = cmd(command);
    damage.arg(key(name));
    for argument in arguments {
        damage.arg(argument.as_bytes());
    }
    damage
}

/// What a command is given.
pub(super) trait AsBytes {
    fn as_bytes(&self) -> Vec<u8>;
}

impl AsBytes for JobId {
    fn as_bytes(&self) -> Vec<u8> {
        bytes(*self)
    }
}

impl AsBytes for WorkerId {
    fn as_bytes(&self) -> Vec<u8> {
        self.as_uuid().as_bytes().to_vec()
    }
}

impl AsBytes for &str {
    fn as_bytes(&self) -> Vec<u8> {
        str::as_bytes(self).to_vec()
    }
}

impl AsBytes for Vec<u8> {
    fn as_bytes(&self) -> Vec<u8> {
        self.clone()
    }
}
