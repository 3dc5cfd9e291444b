//! More jobs, from a job.

use std::time::Duration;

use crate::{JobError, Payload, ToPayload};

/// A job to be; [`Ctx::enqueue`](crate::Ctx::enqueue) hands it over. What is set wrongly is said by
/// its verdict.
///
/// ```
/// use gristmill_guest::prelude::*;
/// use std::time::Duration;
///
/// let job = NewJob::new("thumbnail", &["cat.png", "dog.png"])?
///     .queue("pictures")
///     .priority(3)
///     .delay(Duration::from_secs(60))
///     .max_attempts(2)
///     .timeout(Duration::from_secs(10))
///     .unique_key("cat and dog")
///     .header("tenant", "acme");
/// assert_eq!(job.input, Payload::new("application/json", r#"["cat.png","dog.png"]"#));
/// assert_eq!(job.headers, [("tenant".to_owned(), "acme".to_owned())]);
/// # Ok::<(), JobError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJob {
    /// A function of this plugin, or `plugin/function` where the manifest grants that plugin.
    pub function: String,
    /// What it gets.
    pub input: Payload,
    /// The queue to wait in; the parent's queue if not said.
    pub queue: Option<String>,
    /// 0 is the most urgent, 3 the least, 1 the default.
    pub priority: Option<u8>,
    /// Not before this much time has passed.
    pub delay: Option<Duration>,
    /// How many counted failures end the job.
    pub max_attempts: Option<u32>,
    /// How long an attempt may take.
    pub timeout: Option<Duration>,
    /// While a job with this key is waiting or running, no other with it is enqueued.
    pub unique_key: Option<String>,
    /// Headers for the job to read.
    pub headers: Vec<(String, String)>,
}

impl NewJob {
    /// A call of a function of this plugin, or of `plugin/function` where the manifest grants that
    /// plugin. The input becomes a payload as a job's result does; `&()` is no input.
    pub fn new<T: ToPayload + ?Sized>(
        function: impl Into<String>,
        input: &T,
    ) -> Result<NewJob, JobError> {
        Ok(NewJob {
            function: function.into(),
            input: input.to_payload()?.unwrap_or_default(),
            queue: None,
            priority: None,
            delay: None,
            max_attempts: None,
            timeout: None,
            unique_key: None,
            headers: Vec::new(),
        })
    }

    /// Sets the queue to wait in.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> NewJob {
        self.queue = Some(name.into());
        self
    }

    /// Sets how urgent it is: 0 is the most, 3 the least.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> NewJob {
        self.priority = Some(priority);
        self
    }

    /// Lets it wait for this long first.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> NewJob {
        self.delay = Some(delay);
        self
    }

    /// Sets how many counted failures end it.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> NewJob {
        self.max_attempts = Some(attempts);
        self
    }

    /// Sets how long an attempt may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> NewJob {
        self.timeout = Some(timeout);
        self
    }

    /// Sets a key that no other waiting or running job of this function may have.
    #[must_use]
    pub fn unique_key(mut self, key: impl Into<String>) -> NewJob {
        self.unique_key = Some(key.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> NewJob {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// When new jobs become real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// In the step that settles this job as completed.
    OnSuccess,
    /// At once.
    Immediately,
}

/// What became of one new job.
///
/// ```
/// use gristmill_guest::Verdict;
///
/// let verdict = Verdict::UniqueConflict("7".to_owned());
/// assert_eq!(verdict.accepted(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has this id, and is enqueued or held back.
    Accepted(String),
    /// The job with this id holds its unique key.
    UniqueConflict(String),
    /// It was refused; the text says why.
    Rejected(String),
}

impl Verdict {
    /// The id of a job that was accepted.
    pub fn accepted(&self) -> Option<&str> {
        match self {
            Verdict::Accepted(id) => Some(id),
            Verdict::UniqueConflict(_) | Verdict::Rejected(_) => None,
        }
    }
}
