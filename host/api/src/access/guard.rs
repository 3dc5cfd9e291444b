//! Every request is asked for its token before anything else of it is read.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{Access, Role};
use crate::problem::{Kind, Problem};

/// What a route asks of a token; an administrator's is always enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it tells nothing of jobs.
    Nobody,
    /// The right to enqueue.
    Enqueue,
    /// The right to enqueue or to see everything: who knows a job's id may see it.
    Job,
    /// The right to see everything.
    Read,
    /// The right to do everything.
    Admin,
    /// The same, and a token even where nobody else needs one: a manifest grants files of the daemon's
    /// user, whom not everybody on this machine is.
    Owner,
}

impl Needs {
    /// The roles of which one is enough.
    pub(crate) fn roles(self) -> &'static [Role] {
        match self {
            Self::Nobody => &[],
            Self::Enqueue => &[Role::Enqueue, Role::Admin],
            Self::Job => &[Role::Enqueue, Role::Read, Role::Admin],
            Self::Read => &[Role::Read, Role::Admin],
            Self::Admin | Self::Owner => &[Role::Admin],
        }
    }

    /// The roles in words.
    pub(crate) fn words(self) -> String {
        self.roles().iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ")
    }
}

/// Lets a request through that may take the route.
pub(crate) async fn guard(
    State((access, needs)): State<(Arc<Access>, Needs)>,
    request: Request,
    next: Next,
) -> Response {
    match access.check(needs, request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl Access {
    fn check(&self, needs: Needs, headers: &HeaderMap) -> Result<(), Problem> {
        if self.tokens.is_empty() {
            check_host(headers)?;
            return if needs == Needs::Owner { Err(ownerless()) } else { Ok(()) };
        }
        if needs == Needs::Nobody {
            return Ok(());
        }
        let refused = |kind, detail| {
            let mut problem = Problem::new(kind, detail).field("authorization");
            problem.more.roles = needs.roles().to_vec();
            Err(problem)
        };
        let Some(shown) = bearer(headers) else {
            let detail = format!(
                "this takes the header `Authorization: Bearer TOKEN` with a token of role {}",
                needs.words()
            );
            return refused(Kind::Unauthorized, detail);
        };
        match self.tokens.roles(shown) {
            Some(roles) if needs.roles().iter().any(|role| roles.has(*role)) => Ok(()),
            Some(roles) => {
                let (needed, has) = (needs.words(), roles.names());
                let detail = format!("this takes a token of role {needed}; this one is of {has}");
                refused(Kind::Forbidden, detail)
            }
            None => {
                let detail = "this token isn't known here, or not any more";
                refused(Kind::Unauthorized, detail.to_owned())
            }
        }
    }
}

fn ownerless() -> Problem {
    let detail = "what a plugin's manifest grants is the daemon's owner's, so that this takes a token of \
                  role admin on every address, and this daemon has none: give it one with --token-file \
                  or GRISTMILL_TOKENS";
    let mut problem = Problem::new(Kind::Unauthorized, detail).field("authorization");
    problem.more.roles = Needs::Owner.roles().to_vec();
    problem
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// A page of another origin can have its own name lead to this machine, and read here what it likes
/// where no token is asked for. Its name then is in the request.
fn check_host(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(host) = headers.get(header::HOST).map(|value| value.as_bytes()) else {
        return Ok(());
    };
    let host = std::str::from_utf8(host).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_here = name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_here {
        return Ok(());
    }
    let detail = "without access tokens this is for this machine alone, under the name localhost or \
                  a loopback address";
    Err(Problem::new(Kind::ForeignHost, detail).field("host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tokens_only_names_of_this_machine_are_answered() {
        let check = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            Access::default().check(Needs::Read, &headers).is_ok()
        };
        for host in ["localhost", "LOCALHOST:7430", "127.0.0.1:1", "[::1]:80", "a.localhost"] {
            assert!(check(host), "{host}");
        }
        for host in ["evil.example", "evil.example:7430", "10.0.0.1:7430", "localhost.example"] {
            assert!(!check(host), "{host}");
        }
        assert!(Access::default().check(Needs::Read, &HeaderMap::new()).is_ok());
    }
}
