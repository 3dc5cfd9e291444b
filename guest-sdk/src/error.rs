//! Failures that say what to do about them.

use std::{
    error::Error,
    fmt::{self, Display, Formatter},
    time::Duration,
};

use crate::{HostError, Payload, ToPayload};

/// What a job's function gives back; `JobResult` alone is a job without a result.
pub type JobResult<T = ()> = Result<T, JobError>;

/// Why an attempt failed, and whether to try again.
///
/// Any error becomes a `JobError` by `?`, to be retried; [`OrFail`] and [`bail_fatal!`] say
/// otherwise. It is no [`std::error::Error`] itself, which is what makes that conversion possible.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// let error = JobError::fatal("no such account").code("http-404");
/// assert_eq!(error.to_string(), "no such account");
/// assert_eq!(error.disposition, Disposition::Fatal);
/// ```
///
/// [`bail_fatal!`]: crate::bail_fatal
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobError {
    /// One line for people.
    pub message: String,
    /// Short and for machines, such as `http-503`; failures are grouped by it.
    pub code: Option<String>,
    /// More, for whoever inspects the job.
    pub detail: Option<Payload>,
    /// Whether and when to try again.
    pub disposition: Disposition,
}

/// What the host does after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Try again by the job's retry policy.
    Retry,
    /// Try again no sooner than after this time.
    RetryAfter(Duration),
    /// Never try again.
    Fatal,
}

impl JobError {
    fn new(disposition: Disposition, message: impl Into<String>) -> JobError {
        JobError { message: message.into(), code: None, detail: None, disposition }
    }

    /// A failure that may pass: the job is tried again by its retry policy.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// assert_eq!(JobError::retry("connection lost").disposition, Disposition::Retry);
    /// ```
    pub fn retry(message: impl Into<String>) -> JobError {
        JobError::new(Disposition::Retry, message)
    }

    /// A failure that may pass, but not before this time is over.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// let error = JobError::retry_after(Duration::from_secs(30), "too many requests");
    /// assert_eq!(error.disposition, Disposition::RetryAfter(Duration::from_secs(30)));
    /// ```
    pub fn retry_after(delay: Duration, message: impl Into<String>) -> JobError {
        JobError::new(Disposition::RetryAfter(delay), message)
    }

    /// A failure that another attempt would meet again: the job is not tried again.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// assert_eq!(JobError::fatal("not a picture").disposition, Disposition::Fatal);
    /// ```
    pub fn fatal(message: impl Into<String>) -> JobError {
        JobError::new(Disposition::Fatal, message)
    }

    /// Sets a code for machines.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// assert_eq!(JobError::retry("busy").code("http-503").code.as_deref(), Some("http-503"));
    /// ```
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> JobError {
        self.code = Some(code.into());
        self
    }

    /// Adds something for whoever inspects the job: text, bytes, a payload, or any value as JSON.
    /// What can't be written as JSON is replaced by the reason.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// let error = JobError::fatal("too wide").detail(&[640, 480]);
    /// assert_eq!(error.detail, Some(Payload::new("application/json", "[640,480]")));
    /// ```
    #[must_use]
    pub fn detail<T: ToPayload + ?Sized>(mut self, detail: &T) -> JobError {
        self.detail =
            detail.to_payload().unwrap_or_else(|error| Some(Payload::text(error.message)));
        self
    }

    pub(crate) fn invalid_input(reason: impl Display) -> JobError {
        JobError::fatal(format!("invalid input: {reason}")).code("invalid-input")
    }
}

impl Display for JobError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Retried, with the message of the error and its sources; where one of them is a [`HostError`],
/// that one decides (see there).
impl<E: Error + 'static> From<E> for JobError {
    fn from(error: E) -> JobError {
        let mut converted = JobError::retry(chain(&error));
        let mut next: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = next {
            if let Some(host) = error.downcast_ref::<HostError>() {
                converted.disposition = host.disposition();
                converted.code = Some(host.code().to_owned());
                break;
            }
            next = error.source();
        }
        converted
    }
}

/// The messages of an error and of its sources. Many errors repeat their source in their own
/// message; that isn't said twice.
fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        next = source.source();
    }
    message
}

/// Says what a missing value or an error means for the job.
///
/// Works on `Option`, and on `Result` with any error that converts into a boxed one: those of the
/// standard library, of `anyhow`, and strings.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// #[job]
/// fn double(input: String) -> JobResult<u32> {
///     let number: u32 = input.trim().parse().or_fatal("not a number")?;
///     number.checked_mul(2).or_fatal("too large")
/// }
///
/// let error = TestHost::new().run::<double>("many".to_owned()).unwrap_err();
/// assert_eq!(error.to_string(), "not a number: invalid digit found in string");
/// assert_eq!(error.disposition, Disposition::Fatal);
/// ```
pub trait OrFail<T> {
    /// Fails for good.
    fn or_fatal(self, message: impl Display) -> Result<T, JobError>;

    /// Fails, to be tried again by the job's retry policy.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// let error = None::<u32>.or_retry("no replica is in sync").unwrap_err();
    /// assert_eq!(error, JobError::retry("no replica is in sync"));
    /// ```
    fn or_retry(self, message: impl Display) -> Result<T, JobError>;

    /// Fails, to be tried again no sooner than after this time.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// let minute = Duration::from_secs(60);
    /// let error = Err::<(), _>("closed").or_retry_after(minute, "the shop").unwrap_err();
    /// assert_eq!(error, JobError::retry_after(minute, "the shop: closed"));
    /// ```
    fn or_retry_after(self, delay: Duration, message: impl Display) -> Result<T, JobError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> OrFail<T> for Result<T, E> {
    fn or_fatal(self, message: impl Display) -> Result<T, JobError> {
        self.map_err(|error| explained(Disposition::Fatal, message, error))
    }

    fn or_retry(self, message: impl Display) -> Result<T, JobError> {
        self.map_err(|error| explained(Disposition::Retry, message, error))
    }

    fn or_retry_after(self, delay: Duration, message: impl Display) -> Result<T, JobError> {
        self.map_err(|error| explained(Disposition::RetryAfter(delay), message, error))
    }
}

impl<T> OrFail<T> for Option<T> {
    fn or_fatal(self, message: impl Display) -> Result<T, JobError> {
        self.ok_or_else(|| JobError::fatal(message.to_string()))
    }

    fn or_retry(self, message: impl Display) -> Result<T, JobError> {
        self.ok_or_else(|| JobError::retry(message.to_string()))
    }

    fn or_retry_after(self, delay: Duration, message: impl Display) -> Result<T, JobError> {
        self.ok_or_else(|| JobError::retry_after(delay, message.to_string()))
    }
}

fn explained(
    disposition: Disposition,
    message: impl Display,
    error: impl Into<Box<dyn Error + Send + Sync>>,
) -> JobError {
    let error = error.into();
    JobError::new(disposition, format!("{message}: {}", chain(error.as_ref())))
}

/// Ends the job's function with a failure that isn't tried again; takes what `format!` takes.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// #[job]
/// fn open(input: String) -> JobResult {
///     if input != "sesame" {
///         bail_fatal!("{input:?} is not the word");
///     }
///     Ok(())
/// }
///
/// let error = TestHost::new().run::<open>("barley".to_owned()).unwrap_err();
/// assert_eq!(error, JobError::fatal("\"barley\" is not the word"));
/// ```
#[macro_export]
macro_rules! bail_fatal {
    ($($message:tt)+) => {
        return ::core::result::Result::Err(::core::convert::Into::into(
            $crate::JobError::fatal(::std::format!($($message)+)),
        ))
    };
}

/// Ends the job's function with a failure that is tried again; takes what `format!` takes.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// #[job]
/// fn flaky(ctx: &Ctx) -> JobResult {
///     if ctx.attempt() < 3 {
///         bail_retry!("not on attempt {}", ctx.attempt());
///     }
///     Ok(())
/// }
///
/// let host = TestHost::new();
/// assert_eq!(host.run::<flaky>(()), Err(JobError::retry("not on attempt 1")));
/// assert_eq!(host.with_attempt(3).run::<flaky>(()), Ok(()));
/// ```
#[macro_export]
macro_rules! bail_retry {
    ($($message:tt)+) => {
        return ::core::result::Result::Err(::core::convert::Into::into(
            $crate::JobError::retry(::std::format!($($message)+)),
        ))
    };
}

#[cfg(test)]
mod tests;
