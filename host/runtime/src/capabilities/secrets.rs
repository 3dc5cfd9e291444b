//! `gristmill:job/secrets`: no manifest grants a secret yet, so every read is refused.

use crate::bindings::secrets::Host;
use crate::bindings::types::Error;
use crate::log_book::cut;
use crate::state::State;

impl Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        self.count_host_call()?;
        let name = cut(&name, 128);
        Ok(Err(Error::AccessDenied(format!("the secret {name:?} is not granted to this plugin"))))
    }
}
