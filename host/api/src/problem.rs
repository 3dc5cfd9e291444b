//! A refusal, as RFC 9457 has it.

use std::error::Error as StdError;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gristmill_job::wire::WireError;
use gristmill_job::{JobId, Rejection, RejectionCode, StateName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Role;
use crate::change::ChangeError;
use crate::verdict::field_of;

/// A refusal: the body of every answer that isn't what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: `/problems/` and the kind's name.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// The kind in a few words.
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here, and what would be right.
    pub detail: String,
    /// The key, parameter or header that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// The job that holds the unique key, where it is held.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner_id: Option<JobId>,
    /// The job's state, where it is what stands in the way.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub state: Option<StateName>,
    /// What few problems have.
    #[serde(flatten)]
    pub more: Box<More>,
}

/// What few problems have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct More {
    /// The roles of which a token must have one, where access is refused.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub roles: Vec<Role>,
    /// Everything that is wrong with a plugin.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<FileFault>,
    /// What is behind it, for the daemon's log alone: it may tell of addresses within.
    #[serde(skip)]
    pub cause: Option<String>,
}

/// Why a request couldn't be served, as the log has it; an answer's extension.
#[derive(Debug, Clone)]
pub(crate) struct Blame(pub(crate) String);

/// Something that is wrong with one of a plugin's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileFault {
    /// `component` or `manifest`.
    pub file: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// What kinds of problems there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The path leads nowhere.
    UnknownRoute,
    /// The path doesn't take this method.
    MethodNotAllowed,
    /// A token is needed, and none is given, or one that isn't known.
    Unauthorized,
    /// The token's role doesn't suffice.
    Forbidden,
    /// The request was sent to another host than this machine.
    ForeignHost,
    /// There is no such job, or no longer.
    UnknownJob,
    /// There is no such worker, or no longer.
    UnknownWorker,
    /// There is no such plugin.
    NoPlugin,
    /// The cache has no such entry.
    UnknownEntry,
    /// The job has no result, or none yet.
    NoResult,
    /// The body is no JSON, or not that of a job.
    MalformedBody,
    /// The body, or the batch in it, is too large.
    BodyTooLarge,
    /// The body didn't come in time.
    TooSlow,
    /// The body is said to be something else than is taken here.
    UnsupportedMediaType,
    /// A part of the path or the query can't be read.
    InvalidParameter,
    /// A key of the job doesn't hold what it should.
    Invalid,
    /// The idempotency key was used with another body.
    IdempotencyConflict,
    /// The plugin can't be used.
    FaultyPlugin,
    /// No plugin of that name is known here.
    UnknownPlugin,
    /// The plugin has no such function.
    UnknownFunction,
    /// The input isn't what the function takes.
    InvalidInput,
    /// The plugin isn't granted it.
    AccessDenied,
    /// The queue holds as much as it may.
    QueueFull,
    /// The job's unique key is held by another job.
    UniqueConflict,
    /// The job's state doesn't allow it.
    WrongState,
    /// As many listen to events as may.
    TooManyListeners,
    /// A back-end can't be reached.
    Unavailable,
    /// The daemon is about to end.
    Stopping,
}

impl Kind {
    /// The one table of kinds: name, title, status.
    pub(crate) const fn facts(self) -> (&'static str, &'static str, StatusCode) {
        use StatusCode as S;
        match self {
            Self::UnknownRoute => ("unknown-route", "no such path", S::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "wrong method for this path", S::METHOD_NOT_ALLOWED)
            }
            Self::Unauthorized => {
                ("unauthorized", "a known access token is needed", S::UNAUTHORIZED)
            }
            Self::Forbidden => ("forbidden", "the token's role doesn't suffice", S::FORBIDDEN),
            Self::ForeignHost => ("foreign-host", "sent to another host", S::FORBIDDEN),
            Self::NoPlugin => ("no-plugin", "no such plugin", S::NOT_FOUND),
            Self::TooSlow => ("too-slow", "the body came too slowly", S::REQUEST_TIMEOUT),
            Self::IdempotencyConflict => (
                "idempotency-conflict",
                "the idempotency key was used with another body",
                S::UNPROCESSABLE_ENTITY,
            ),
            Self::FaultyPlugin => {
                ("faulty-plugin", "the plugin can't be used", S::UNPROCESSABLE_ENTITY)
            }
            Self::TooManyListeners => {
                ("too-many-listeners", "as many listen as may", S::TOO_MANY_REQUESTS)
            }
            Self::UnknownJob => ("unknown-job", "no such job", S::NOT_FOUND),
            Self::UnknownEntry => ("unknown-entry", "no such entry", S::NOT_FOUND),
            Self::UnknownWorker => ("unknown-worker", "no such worker", S::NOT_FOUND),
            Self::NoResult => ("no-result", "the job has no result", S::NOT_FOUND),
            Self::MalformedBody => ("malformed-body", "the body can't be read", S::BAD_REQUEST),
            Self::BodyTooLarge => ("body-too-large", "the body is too large", S::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                "the body isn't of a type that is taken",
                S::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::InvalidParameter => {
                ("invalid-parameter", "a parameter can't be read", S::BAD_REQUEST)
            }
            Self::Invalid => ("invalid", "the job isn't valid", S::UNPROCESSABLE_ENTITY),
            Self::UnknownPlugin => ("unknown-plugin", "no such plugin", S::UNPROCESSABLE_ENTITY),
            Self::UnknownFunction => {
                ("unknown-function", "no such function", S::UNPROCESSABLE_ENTITY)
            }
            Self::InvalidInput => {
                ("invalid-input", "the input doesn't fit", S::UNPROCESSABLE_ENTITY)
            }
            Self::AccessDenied => ("access-denied", "not granted", S::UNPROCESSABLE_ENTITY),
            Self::QueueFull => ("queue-full", "the queue is full", S::TOO_MANY_REQUESTS),
            Self::UniqueConflict => ("unique-conflict", "the unique key is held", S::CONFLICT),
            Self::WrongState => ("wrong-state", "the job's state doesn't allow it", S::CONFLICT),
            Self::Unavailable => {
                ("unavailable", "a back-end can't be reached", S::SERVICE_UNAVAILABLE)
            }
            Self::Stopping => ("stopping", "the daemon is stopping", S::SERVICE_UNAVAILABLE),
        }
    }
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (name, title, status) = kind.facts();
        Self {
            kind: format!("/problems/{name}").into(),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            owner_id: None,
            state: None,
            more: Box::default(),
        }
    }

    /// Names the key, parameter or header that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Keeps what is behind an error for the log.
    fn caused_by(mut self, error: &dyn StdError) -> Self {
        self.more.cause = error.source().map(ToString::to_string);
        self
    }

    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, kind: Kind) -> bool {
        self.kind.rsplit('/').next() == Some(kind.facts().0)
    }

    pub(crate) fn unknown_job(id: JobId) -> Self {
        ChangeError::UnknownJob(id).into()
    }

    pub(crate) fn unique_conflict(owner: JobId) -> Self {
        let detail = format!("the unique key is held by job {owner}");
        let problem = Self::new(Kind::UniqueConflict, detail).field("unique_key");
        Self { owner_id: Some(owner), ..problem }
    }
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        Self::new(Kind::Invalid, error.problem).field(error.field)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let kind = match rejection.code {
            RejectionCode::QueueFull => Kind::QueueFull,
            RejectionCode::UnknownFunction => Kind::UnknownFunction,
            RejectionCode::UnknownPlugin => Kind::UnknownPlugin,
            RejectionCode::InvalidInput => Kind::InvalidInput,
            RejectionCode::AccessDenied => Kind::AccessDenied,
            RejectionCode::Invalid => Kind::Invalid,
        };
        let problem = Self::new(kind, rejection.message);
        match field_of(rejection.code) {
            Some(field) => problem.field(field),
            None => problem,
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::UnknownJob(_) => Self::new(Kind::UnknownJob, error.to_string()),
            ChangeError::WrongState { state, .. } => {
                let problem = Self::new(Kind::WrongState, error.to_string());
                Self { state: Some(state), ..problem }
            }
            ChangeError::UniqueConflict(owner) => Self::unique_conflict(owner),
            ChangeError::Queue(error) => error.into(),
        }
    }
}

impl From<gristmill_queue::Error> for Problem {
    fn from(error: gristmill_queue::Error) -> Self {
        use gristmill_queue::Error as E;
        let kind = match &error {
            E::TooLarge { .. } => Kind::BodyTooLarge,
            E::InvalidCursor => Kind::InvalidParameter,
            E::WorkerReaped(_) | E::Unavailable(_) => Kind::Unavailable,
        };
        let problem = Self::new(kind, error.to_string()).caused_by(&error);
        if matches!(error, E::InvalidCursor) { problem.field("cursor") } else { problem }
    }
}

impl From<gristmill_cache::Error> for Problem {
    fn from(error: gristmill_cache::Error) -> Self {
        use gristmill_cache::Error as E;
        let kind = match &error {
            E::TooLarge { .. } | E::TooMany { .. } => Kind::BodyTooLarge,
            E::InvalidKey { .. } | E::NotANumber => Kind::InvalidParameter,
            E::Unavailable(_) => Kind::Unavailable,
        };
        Self::new(kind, error.to_string()).caused_by(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let blame = status.is_server_error().then(|| match &self.more.cause {
            Some(cause) => Blame(format!("{}: {cause}", self.detail)),
            None => Blame(self.detail.clone()),
        });
        let mut response = (status, Json(self)).into_response();
        if let Some(blame) = blame {
            response.extensions_mut().insert(blame);
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        let media = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        response
    }
}
