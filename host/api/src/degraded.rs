//! Whether a host does with other back-ends than were asked for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why other back-ends are used than were asked for, as long as they are. Cloning shares it.
#[derive(Clone, Default)]
pub struct Degraded(Arc<Mutex<Reasons>>);

/// One for each part, where there is one.
type Reasons = [Option<Arc<str>>; 2];

/// What may be another than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Where jobs wait.
    Queue,
    /// What jobs remember.
    Cache,
}

impl Degraded {
    /// This part is another than was asked for, for this reason.
    pub fn set(&self, part: Part, reason: impl Into<Arc<str>>) {
        self.lock()[part as usize] = Some(reason.into());
    }

    /// This part is what was asked for.
    pub fn clear(&self, part: Part) {
        self.lock()[part as usize] = None;
    }

    /// Whether any part is another than was asked for.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.lock().iter().any(Option::is_some)
    }

    /// Whether this part is.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        self.lock()[part as usize].is_some()
    }

    /// Why; one reason for each part, or one for both.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let reasons = self.lock();
        let mut texts: Vec<&str> = reasons.iter().flatten().map(|reason| &**reason).collect();
        texts.dedup();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    fn lock(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Degraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Degraded").field(&self.reason()).finish()
    }
}
