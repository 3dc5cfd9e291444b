//! Exit codes: of what a job came to, and of every error.

use std::io::ErrorKind;
use std::process::ExitCode;

use gristmill::job::wire::JobView;
use gristmill::job::{OutcomeKind, RejectionCode, codes};
use gristmill::redis::RedisError;
use gristmill::{
    CacheError, ChangeError, Error as HostError, Kind, LoadError, Problem, cache, client, queue,
    shelf,
};

use super::error::{Error, one_line};
use super::output;

/// How a command's work came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As it should.
    Completed,
    /// The job ended in another way.
    Unsuccessful,
    /// The job's input isn't what its function takes, or there is no such function.
    Unfit,
    /// A component or its manifest can't be used as it is.
    Unusable,
    /// The job's time was up.
    TimedOut,
    /// Somebody didn't want to wait.
    Interrupted,
}

impl Exit {
    /// How a job came out.
    pub(crate) fn of(job: &JobView) -> Self {
        let code = job.error.as_ref().map(|error| error.code.as_str());
        match (job.outcome, code) {
            (Some(OutcomeKind::Completed), _) => Self::Completed,
            (Some(OutcomeKind::TimedOut), _) => Self::TimedOut,
            (_, Some(codes::INVALID_INPUT | codes::UNKNOWN_FUNCTION)) => Self::Unfit,
            _ => Self::Unsuccessful,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Completed => 0,
            Self::Unsuccessful => 1,
            Self::Unfit => 2,
            Self::Unusable => 3,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
        }
    }
}

/// The exit code; an error is told on stderr in one line.
pub(crate) fn code(ended: Result<Exit, Error>) -> ExitCode {
    match ended {
        Ok(exit) => exit.code().into(),
        // Whoever read the output has seen enough.
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            match &error {
                Error::Faults(faults) => faults.iter().for_each(|fault| output::complain(fault)),
                error => output::complain(&one_line(error)),
            }
            of_error(&error).into()
        }
    }
}

fn of_error(error: &Error) -> u8 {
    match error {
        Error::Usage(_) | Error::Faults(_) => 2,
        Error::Unusable(_) => 3,
        Error::Build(_)
        | Error::NotFound(_)
        | Error::Miscounted(_)
        | Error::Output(_)
        | Error::Threads(_) => 1,
        Error::At { source, .. } => of_error(source),
        Error::Host(error) => of_host(error),
        Error::Queue(error) | Error::Change(ChangeError::Queue(error)) => of_queue(error),
        Error::Change(
            ChangeError::UnknownJob(_)
            | ChangeError::WrongState { .. }
            | ChangeError::UniqueConflict(_),
        ) => 1,
        Error::Cache(error) => of_cache(error),
        Error::Client(error) => match error {
            client::Error::InvalidServer(_)
            | client::Error::InvalidToken
            | client::Error::Certificates { .. } => 2,
            client::Error::Tls(_) => 1,
            client::Error::Unreachable { .. } | client::Error::Unexpected { .. } => 4,
            client::Error::Refused(problem) => of_problem(problem),
        },
    }
}

fn of_host(error: &HostError) -> u8 {
    match error {
        HostError::Plugin { source: LoadError::Host(_), .. } => 1,
        HostError::Plugin { .. } => 3,
        HostError::Rejected(rejection) => match rejection.code {
            RejectionCode::UnknownPlugin => 3,
            RejectionCode::QueueFull => 1,
            RejectionCode::UnknownFunction
            | RejectionCode::InvalidInput
            | RejectionCode::AccessDenied
            | RejectionCode::Invalid => 2,
        },
        HostError::Queue(error) => of_queue(error),
        HostError::CacheUse(error) => of_cache(error),
        HostError::Shelf(error) if error.is_passing() => 4,
        HostError::Shelf(shelf::Error::TooLarge { .. }) => 3,
        HostError::Shelf(_) => 1,
        HostError::Redis(RedisError::Connect(_)) | HostError::Cache(CacheError::Connect(_)) => 4,
        HostError::Cache(CacheError::File(_)) => 2,
        HostError::Redis(RedisError::Address(_) | RedisError::Unsaid) => 2,
        HostError::PluginsDir(_) | HostError::Bind(_) => 2,
        HostError::UniqueConflict(_)
        | HostError::Sandbox(_)
        | HostError::Threads(_)
        | HostError::Worker(_) => 1,
    }
}

fn of_queue(error: &queue::Error) -> u8 {
    match error {
        queue::Error::Unavailable(_) => 4,
        queue::Error::TooLarge { .. } | queue::Error::InvalidCursor => 2,
        queue::Error::WorkerReaped(_) => 1,
    }
}

fn of_cache(error: &cache::Error) -> u8 {
    match error {
        cache::Error::Unavailable(_) => 4,
        _ => 2,
    }
}

fn of_problem(problem: &Problem) -> u8 {
    let is_any = |kinds: &[Kind]| kinds.iter().any(|kind| problem.is(*kind));
    if is_any(&[Kind::UnknownPlugin, Kind::FaultyPlugin]) {
        3
    } else if is_any(&[
        Kind::UnknownJob,
        Kind::UniqueConflict,
        Kind::WrongState,
        Kind::QueueFull,
        Kind::NoPlugin,
    ]) {
        1
    } else if problem.status >= 500 {
        4
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_daemon_has_the_exit_code_of_its_kind() {
        let code = |kind| of_problem(&Problem::new(kind, "why"));
        assert_eq!(code(Kind::UnknownPlugin), 3);
        assert_eq!(code(Kind::UnknownFunction), 2);
        assert_eq!(code(Kind::InvalidInput), 2);
        assert_eq!(code(Kind::UniqueConflict), 1);
        assert_eq!(code(Kind::WrongState), 1);
        assert_eq!(code(Kind::QueueFull), 1);
        assert_eq!(code(Kind::Stopping), 4);
    }

    #[test]
    fn a_server_that_can_not_be_reached_is_4() {
        let (server, reason) = ("http://127.0.0.1:1".to_owned(), "refused".to_owned());
        assert_eq!(of_error(&client::Error::Unreachable { server, reason }.into()), 4);
    }
}
