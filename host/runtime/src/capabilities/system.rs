//! `gristmill:job/system`: time and randomness for guests without WASI.

use gristmill_job::time;
use rand::RngCore as _;

use crate::bindings::system::Host;
use crate::bindings::types::Error;
use crate::state::State;

/// Bytes of randomness in one call: enough for any key, and no way to make the host work for long.
const RANDOM_BYTES_MAX: u32 = 64 << 10;

impl Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        Ok(self.shared.clock.now().as_millis())
    }

    fn monotonic(&mut self) -> wasmtime::Result<u64> {
        self.count_host_call()?;
        let elapsed = time::monotonic().saturating_duration_since(self.started);
        Ok(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    fn random(&mut self, length: u32) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        self.count_host_call()?;
        if length > RANDOM_BYTES_MAX {
            return Ok(Err(Error::TooLarge(u64::from(RANDOM_BYTES_MAX))));
        }
        let mut bytes = vec![0; length as usize];
        rand::rng().fill_bytes(&mut bytes);
        Ok(Ok(bytes))
    }
}
