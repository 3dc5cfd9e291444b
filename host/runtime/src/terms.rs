//! On what terms a function's attempts run: what its manifest says, over what the host says.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gristmill_job::{Backoff, FunctionName, NewJob, RetryOn, RetryPolicy};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;
use crate::manifest::{FunctionRules, Manifest};

/// The terms of all functions of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct AllTerms {
    general: Arc<Terms>,
    functions: HashMap<FunctionName, Arc<Terms>>,
}

/// On what terms a function's attempts run.
#[derive(Debug)]
pub struct Terms {
    /// What each is allowed.
    pub limits: Arc<Limits>,
    /// How long one may go on once somebody wants its job cancelled.
    pub cancel_grace: Duration,
    /// Counted failures that end a job whose producer doesn't say.
    pub attempts_max: Option<u32>,
    /// The waits between attempts of a job whose producer doesn't say.
    pub backoff: Option<Backoff>,
    /// Which outcomes are tried again.
    pub retry_on: Option<RetryOn>,
    gates: Vec<Gate>,
}

/// Lets so many attempts run at one time.
#[derive(Debug, Clone)]
struct Gate {
    allowed: u32,
    running: Arc<Semaphore>,
    /// Attempts that wait for one of those to end: as many again, so that a plugin whose attempts
    /// are many can't hold all executors.
    waiting: Arc<Semaphore>,
}

/// The right to run an attempt; it ends when this is dropped.
#[derive(Debug, Default)]
pub struct Admission(#[expect(dead_code, reason = "held until the end")] Vec<OwnedSemaphorePermit>);

/// As many attempts as may run and wait do so already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{allowed} attempts at one time are allowed by its manifest, and more are waiting already")]
pub struct Busy {
    /// How many may run at one time.
    pub allowed: u32,
}

impl AllTerms {
    pub(crate) fn new(manifest: &Manifest, of_host: &Limits) -> Self {
        let of_plugin = manifest.rules.concurrency.map(Gate::new);
        let terms = |rules: &FunctionRules, own: Option<Gate>| {
            // Its own first: what waits for its function must not hold a place of the others.
            let gates = own.into_iter().chain(of_plugin.clone()).collect();
            Arc::new(Terms::new(rules, of_host, gates))
        };
        let function = |(name, rules): (&FunctionName, &FunctionRules)| {
            let own = rules.concurrency.map(Gate::new);
            (name.clone(), terms(&manifest.rules_of(name), own))
        };
        Self {
            general: terms(&manifest.rules, None),
            functions: manifest.functions.iter().map(function).collect(),
        }
    }

    /// Whether some function has terms of its own.
    pub(crate) fn differ(&self) -> bool {
        !self.functions.is_empty()
    }

    /// The terms of a function; of none that the manifest names, the general ones.
    pub(crate) fn of(&self, function: Option<&FunctionName>) -> &Arc<Terms> {
        function.and_then(|name| self.functions.get(name)).unwrap_or(&self.general)
    }

    /// All terms, each with its function; none: the general ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&FunctionName>, &Terms)> {
        let functions = self.functions.iter().map(|(name, terms)| (Some(name), &**terms));
        std::iter::once((None, &*self.general)).chain(functions)
    }
}

impl Terms {
    fn new(rules: &FunctionRules, of_host: &Limits, gates: Vec<Gate>) -> Self {
        Self {
            limits: Arc::new(rules.limits(of_host)),
            cancel_grace: rules.cancel_grace.unwrap_or_default(),
            attempts_max: rules.attempts_max,
            backoff: rules.backoff,
            retry_on: rules.retry_on,
            gates,
        }
    }

    /// The policy by which a job is tried again: its own, and what the manifest says beside it or in
    /// its place.
    #[must_use]
    pub fn retry(&self, job: &NewJob) -> RetryPolicy {
        let usual = RetryPolicy::default();
        let policy = job.retry.unwrap_or_else(|| RetryPolicy {
            attempts_max: self.attempts_max.unwrap_or(usual.attempts_max),
            backoff: self.backoff.unwrap_or(usual.backoff),
            retry_on: usual.retry_on,
        });
        RetryPolicy { retry_on: self.retry_on.unwrap_or(policy.retry_on), ..policy }
    }

    /// Says in a job how it is tried again, where its producer doesn't and the manifest does.
    pub fn fill_in(&self, job: &mut NewJob) {
        let has_policy = self.attempts_max.is_some() || self.backoff.is_some();
        if has_policy && job.retry.is_none() {
            job.retry = Some(self.retry(job));
        }
    }

    /// Waits until an attempt may run.
    ///
    /// # Errors
    /// [`Busy`]: enough of them are waiting already.
    pub async fn admit(&self) -> Result<Admission, Busy> {
        let mut permits = Vec::new();
        for gate in &self.gates {
            permits.push(gate.enter().await?);
        }
        Ok(Admission(permits))
    }
}

impl Gate {
    fn new(allowed: u32) -> Self {
        let room = || Arc::new(Semaphore::new(allowed as usize));
        Self { allowed, running: room(), waiting: room() }
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let busy = || Busy { allowed: self.allowed };
        if let Ok(running) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(running);
        }
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        Arc::clone(&self.running).acquire_owned().await.map_err(|_| busy())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn terms(manifest: &str) -> AllTerms {
        let manifest = Manifest::parse(manifest.as_bytes(), &Limits::MAX).unwrap();
        AllTerms::new(&manifest, &Limits::default())
    }

    fn name(function: &str) -> FunctionName {
        function.parse().unwrap()
    }

    #[test]
    fn a_function_has_its_own_terms_then_its_plugins_then_the_hosts() {
        let all = terms(
            "cancel_grace = '1s'\n[limits]\nmemory = '32MiB'\nwall = '10s'\n\
             [functions.convert.limits]\nwall = '5m'\n[functions.convert]\ncancel_grace = '3s'",
        );
        let (convert, other) = (all.of(Some(&name("convert"))), all.of(Some(&name("other"))));
        assert_eq!(
            (convert.limits.memory_bytes_max, other.limits.memory_bytes_max),
            (32 << 20, 32 << 20)
        );
        assert_eq!(convert.limits.wall, Duration::from_secs(300));
        assert_eq!(other.limits.wall, Duration::from_secs(10));
        assert_eq!(convert.limits.cpu, Limits::default().cpu);
        assert_eq!(
            (convert.cancel_grace, other.cancel_grace),
            (Duration::from_secs(3), Duration::from_secs(1))
        );
    }

    #[test]
    fn a_job_that_says_nothing_of_retries_has_its_manifests() {
        let all = terms("[retry]\nmax_attempts = 2\nretry_on = []");
        let mut job = NewJob::new("p".parse().unwrap(), gristmill_job::Payload::none());
        let policy = all.of(None).retry(&job);
        assert_eq!((policy.attempts_max, policy.backoff), (2, Backoff::default()));
        assert!(!policy.retry_on.trapped);
        job.retry = Some(RetryPolicy { attempts_max: 7, ..RetryPolicy::default() });
        let policy = all.of(None).retry(&job);
        assert_eq!((policy.attempts_max, policy.retry_on.trapped), (7, false));
    }

    #[tokio::test]
    async fn as_many_attempts_wait_as_may_run_and_the_rest_is_sent_away() {
        let all = terms("[functions.f]\nconcurrency = 1");
        let f = all.of(Some(&name("f")));
        let first = f.admit().await.unwrap();
        let mut second = Box::pin(f.admit());
        assert!(second.as_mut().now_or_never().is_none(), "it waits");
        assert_eq!(f.admit().await.unwrap_err(), Busy { allowed: 1 });
        assert!(all.of(None).admit().now_or_never().is_some(), "others aren't held up");
        drop(first);
        second.await.unwrap();
        assert!(f.admit().now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_a_plugin_may_run_is_shared_by_its_functions() {
        let all = terms("concurrency = 2\n[functions.f]\nconcurrency = 1");
        let held =
            [all.of(None).admit().await.unwrap(), all.of(Some(&name("f"))).admit().await.unwrap()];
        assert!(all.of(None).admit().now_or_never().is_none());
        drop(held);
        assert!(all.of(None).admit().now_or_never().is_some());
    }
}
