//! How many lookups found something: counted here, and summed up on the server for all processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use gristmill_redis::{ConnectError, Link, Repeat};
use redis::{Pipeline, Value, cmd};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::content;

/// How often what was counted is added to the server's: a process that is killed takes no more with it.
const ADD_INTERVAL: Duration = Duration::from_secs(1);

/// How many lookups found something, and how many didn't.
pub(super) struct Lookups {
    counted: Arc<Counted>,
    _closing: DropGuard,
}

/// What is counted here and not yet on the server.
struct Counted {
    key: String,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Lookups {
    pub(super) fn open(link: &Arc<Link>, key: String) -> Self {
        let counted = Arc::new(Counted { key, hits: AtomicU64::new(0), misses: AtomicU64::new(0) });
        let closing = CancellationToken::new();
        let adding = add_for_ever(Arc::clone(link), Arc::clone(&counted));
        drop(link.home().spawn(closing.clone().run_until_cancelled_owned(adding)));
        Self { counted, _closing: closing.drop_guard() }
    }

    pub(super) fn count(&self, is_hit: bool) {
        let counter = if is_hit { &self.counted.hits } else { &self.counted.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Hits and misses of all processes.
    pub(super) async fn totals(&self, link: &Arc<Link>) -> Result<(u64, u64), ConnectError> {
        self.counted.add(link).await?;
        let mut read = cmd("HMGET");
        read.arg(&self.counted.key).arg("hits").arg("misses");
        let totals = both(link.ask(&read).await?);
        totals.map_err(|error| link.misunderstood(&error))
    }
}

async fn add_for_ever(link: Arc<Link>, counted: Arc<Counted>) {
    loop {
        tokio::time::sleep(ADD_INTERVAL).await;
        // What isn't added now is added later.
        if let Err(error) = counted.add(&link).await {
            tracing::debug!(%error, "lookups of the cache are not added up");
        }
    }
}

impl Counted {
    /// Adds what was counted to the server's totals. After an unknown reply it may be added twice:
    /// these are figures for people.
    async fn add(&self, link: &Arc<Link>) -> Result<(), ConnectError> {
        let hits = self.hits.swap(0, Ordering::Relaxed);
        let misses = self.misses.swap(0, Ordering::Relaxed);
        if (hits, misses) == (0, 0) {
            return Ok(());
        }
        let mut add = Pipeline::new();
        add.cmd("HINCRBY").arg(&self.key).arg("hits").arg(hits);
        add.cmd("HINCRBY").arg(&self.key).arg("misses").arg(misses);
        let added = link.pipeline(&add, Repeat::Once).await;
        if added.is_err() {
            self.hits.fetch_add(hits, Ordering::Relaxed);
            self.misses.fetch_add(misses, Ordering::Relaxed);
        }
        added.map(drop)
    }
}

fn both(value: Value) -> anyhow::Result<(u64, u64)> {
    let Value::Array(parts) = value else { anyhow::bail!("HMGET answered with no list") };
    let mut parts = parts.into_iter();
    let mut next = || -> anyhow::Result<u64> {
        match content(parts.next().context("HMGET's answer is too short")?)? {
            Some(text) => Ok(std::str::from_utf8(&text)?.parse()?),
            None => Ok(0),
        }
    };
    Ok((next()?, next()?))
}
