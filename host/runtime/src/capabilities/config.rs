//! `gristmill:job/config`: the manifest's values; a plugin without a manifest has none.

use crate::bindings::config::Host;
use crate::state::State;

impl Host for State {
    fn get(&mut self, _key: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(None)
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_host_call()?;
        Ok(Vec::new())
    }
}
