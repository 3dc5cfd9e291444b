//! `gristmill:job/log`: structured lines, kept with the job within its budget.

use gristmill_job::LogLevel;

use crate::bindings::log::{Host, Level};
use crate::state::{State, lock};

/// Below this, lines cost more than they tell.
const LEVEL_MIN: LogLevel = LogLevel::Debug;

fn level(level: Level) -> LogLevel {
    match level {
        Level::Trace => LogLevel::Trace,
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}

impl Host for State {
    fn enabled(&mut self, asked: Level) -> wasmtime::Result<bool> {
        self.count_host_call()?;
        Ok(level(asked) >= LEVEL_MIN)
    }

    fn emit(
        &mut self,
        given: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let given = level(given);
        if given >= LEVEL_MIN {
            lock(self.log()).line(given, &message, fields);
        }
        Ok(())
    }
}
