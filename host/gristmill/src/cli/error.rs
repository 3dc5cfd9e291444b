//! Why a command couldn't be done.

use std::error::Error as StdError;

use gristmill::JobId;

/// Why a command couldn't be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Wrong use, configuration or input.
    #[error("{0}")]
    Usage(String),
    /// A component couldn't be built.
    #[error("{0}")]
    Build(String),
    /// A component isn't there, or was built and can't be used.
    #[error("{0}")]
    Unusable(String),
    /// Everything that is wrong with a configuration, a line each.
    #[error("{}", .0.join("; "))]
    Faults(Vec<String>),
    /// What was asked for doesn't exist.
    #[error("{0}")]
    NotFound(String),
    /// The host in this process couldn't do it.
    #[error(transparent)]
    Host(#[from] gristmill::Error),
    /// The daemon couldn't be asked, or said no.
    #[error(transparent)]
    Client(#[from] gristmill::client::Error),
    /// The queue couldn't be asked.
    #[error(transparent)]
    Queue(#[from] gristmill::queue::Error),
    /// The cache couldn't be asked.
    #[error(transparent)]
    Cache(#[from] gristmill::cache::Error),
    /// A job couldn't be changed.
    #[error(transparent)]
    Change(#[from] gristmill::ChangeError),
    /// It is a line of a file that is wrong.
    #[error("{place}")]
    At {
        /// File and line.
        place: String,
        /// What is wrong there.
        source: Box<Self>,
    },
    /// Jobs were lost, or settled otherwise than they should be.
    #[error("the figures are worth nothing: {0}")]
    Miscounted(String),
    /// The result can't be written.
    #[error("the output can't be written")]
    Output(#[source] std::io::Error),
    /// Threads or signal handlers can't be had.
    #[error("the process can't be set up")]
    Threads(#[source] std::io::Error),
}

impl Error {
    /// There is no such job, or no longer.
    pub(crate) fn unknown_job(id: JobId) -> Self {
        Self::NotFound(format!("there is no job {id}; finished jobs are kept for a while only"))
    }
}

/// An error and what caused it, in one line.
pub(crate) fn one_line(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let text = inner.to_string();
        // Some errors say already what caused them.
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        source = inner.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_is_one_line_that_says_nothing_twice() {
        let cause = std::io::Error::other("disk\n  gone");
        assert_eq!(one_line(&Error::Output(cause)), "the output can't be written: disk gone");
        let source = Box::new(Error::Usage("priority: 9 is none".to_owned()));
        let at = Error::At { place: "jobs.jsonl:3".to_owned(), source };
        assert_eq!(one_line(&at), "jobs.jsonl:3: priority: 9 is none");
    }
}
