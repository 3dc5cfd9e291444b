//! `gristmill:job/config`: the values that the manifest gives the plugin.

use crate::bindings::config::Host;
use crate::state::State;

impl Host for State {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.count_host_call()?;
        Ok(self.plugin.manifest().config.get(&key).cloned())
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_host_call()?;
        let values = &self.plugin.manifest().config;
        Ok(values.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
