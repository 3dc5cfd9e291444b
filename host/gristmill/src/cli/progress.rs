//! How far a long command is, on stderr where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::error::Error;

/// A bar that is only drawn on a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many steps.
    pub(crate) fn of(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        let template = "{bar:40} {pos} of {len}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many steps more are done.
    pub(crate) fn advance(&self, steps: usize) {
        self.0.inc(steps as u64);
    }

    /// Writes something else to the terminal, out of the bar's way.
    pub(crate) fn aside(&self, write: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        self.0.suspend(write)
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}
