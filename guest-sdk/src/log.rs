//! The job's log.

use std::fmt::Display;

use crate::{Ctx, host::Host as _};

/// How much a log line matters; the more, the greater.
///
/// ```
/// use gristmill_guest::Level;
///
/// assert!(Level::Error > Level::Info);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks into a fault.
    Debug,
    /// What happened.
    Info,
    /// What should not have happened, but was dealt with.
    Warn,
    /// What went wrong.
    Error,
}

/// The job's log.
impl Ctx {
    /// Logs a line of level trace; its text is made only if such lines are kept.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let bytes = [1, 2];
    /// ctx.trace(format_args!("read {bytes:?}"));
    /// ```
    pub fn trace(&self, message: impl Display) {
        self.log(Level::Trace, message, &[]);
    }

    /// Logs a line of level debug; its text is made only if such lines are kept.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.debug(format_args!("{:?} left", ctx.remaining()));
    /// ```
    pub fn debug(&self, message: impl Display) {
        self.log(Level::Debug, message, &[]);
    }

    /// Logs a line of level info.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.info("answered from the cache");
    /// assert_eq!(host.log()[0].message, "answered from the cache");
    /// ```
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message, &[]);
    }

    /// Logs a line of level warn.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.warn("no colour profile; taking sRGB");
    /// ```
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warn, message, &[]);
    }

    /// Logs a line of level error.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.error("the index is broken; searching without it");
    /// ```
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message, &[]);
    }

    /// Logs a line with fields. Beyond the attempt's budget, 2,000 lines or 256 KiB by default,
    /// lines are dropped, and one line says so; a line is cut at 8 KiB.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let (status, url) = (503, "https://example.org");
    /// ctx.log(Level::Warn, "no answer", &[("status", &status), ("url", &url)]);
    /// assert_eq!(host.log()[0].fields[0], ("status".to_owned(), "503".to_owned()));
    /// ```
    pub fn log(&self, level: Level, message: impl Display, fields: &[(&str, &dyn Display)]) {
        // What is usually kept is sent without asking first, since a question is a call as well.
        if level > Level::Debug || self.enabled(level) {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.to_string()))
                .collect();
            self.host.emit(level, &message.to_string(), &fields);
        }
    }

    /// Whether lines of this level are kept.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(ctx.enabled(Level::Error));
    /// ```
    pub fn enabled(&self, level: Level) -> bool {
        self.host.log_enabled(level)
    }
}
