//! What a host call answers when it can't give its result.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
};

use crate::Disposition;

/// What a host call answers when it can't give its result.
///
/// By `?` it becomes a [`JobError`](crate::JobError) with [`HostError::code`] and
/// [`HostError::disposition`].
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// let error = JobError::from(HostError::Unavailable("cache".to_owned()));
/// assert_eq!(error.to_string(), "cache is unavailable");
/// assert_eq!(error.code.as_deref(), Some("unavailable"));
/// assert_eq!(error.disposition, Disposition::Retry);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostError {
    /// The plugin's manifest doesn't grant this; the text names the missing grant.
    AccessDenied(String),
    /// An argument is no valid one; the text names it and says why.
    Invalid(String),
    /// A value is larger than its limit, which is given in bytes.
    TooLarge(u64),
    /// A budget of this attempt is spent; the text names it.
    QuotaExceeded(String),
    /// The service behind the call can't be reached now; the text names it.
    Unavailable(String),
    /// Something that a later host says.
    Other {
        /// Short and for machines.
        code: String,
        /// For people.
        message: String,
    },
}

impl HostError {
    /// Whether another attempt has a chance: yes where a service was unavailable, where a budget
    /// was spent (the next attempt has its own, and may start from a checkpoint), and where the
    /// host says something that this version doesn't know; no where the same call would be refused
    /// again.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// assert_eq!(HostError::TooLarge(512).disposition(), Disposition::Fatal);
    /// ```
    pub fn disposition(&self) -> Disposition {
        match self {
            HostError::QuotaExceeded(_) | HostError::Unavailable(_) | HostError::Other { .. } => {
                Disposition::Retry
            }
            HostError::AccessDenied(_) | HostError::Invalid(_) | HostError::TooLarge(_) => {
                Disposition::Fatal
            }
        }
    }

    /// A short name of the case, such as `access-denied`; for [`HostError::Other`] what the host
    /// calls it.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// assert_eq!(HostError::TooLarge(512).code(), "too-large");
    /// ```
    pub fn code(&self) -> &str {
        match self {
            HostError::AccessDenied(_) => "access-denied",
            HostError::Invalid(_) => "invalid",
            HostError::TooLarge(_) => "too-large",
            HostError::QuotaExceeded(_) => "quota-exceeded",
            HostError::Unavailable(_) => "unavailable",
            HostError::Other { code, .. } => code,
        }
    }
}

impl Display for HostError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            HostError::AccessDenied(grant) => write!(f, "access denied: {grant}"),
            HostError::Invalid(reason) => write!(f, "invalid argument: {reason}"),
            HostError::TooLarge(limit) => write!(f, "larger than the limit of {limit} bytes"),
            HostError::QuotaExceeded(budget) => write!(f, "quota exceeded: {budget}"),
            HostError::Unavailable(service) => write!(f, "{service} is unavailable"),
            HostError::Other { message, .. } => f.write_str(message),
        }
    }
}

impl Error for HostError {}
