//! Uses the cache in every way and tells what came back.

use std::time::Duration;

use gristmill_guest::{SetOptions, prelude::*};
use serde::Serialize;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Seen {
    /// What was under the key before; an earlier run leaves its job's id.
    before: Option<String>,
    after: Option<String>,
    runs: i64,
    remembered: u32,
    computed: bool,
    stored_where_absent: bool,
    swapped: bool,
    many: Vec<Option<u32>>,
    keys: Vec<String>,
    cleared: u64,
    deleted: bool,
}

/// Sets, gets, counts, remembers, swaps, lists and clears in its own namespace.
#[job]
fn cache_user(ctx: &Ctx) -> JobResult<Seen> {
    let cache = ctx.cache();
    let before = cache.get("last-job")?;
    cache.set_with("last-job", &ctx.job_id(), MINUTE)?;
    let mut computed = false;
    let remembered = cache.remember("answer", MINUTE, || {
        computed = true;
        JobResult::Ok(42)
    })?;
    let stored_where_absent =
        cache.set_with("last-job", "somebody", SetOptions::forever().if_absent())?;
    let version = cache.entry::<String>("last-job")?.map(|entry| entry.version);
    let swapped = cache.compare_and_set("last-job", version, &ctx.job_id(), Some(MINUTE))?;
    cache.set_many(&[("many:a", 1), ("many:b", 2)], Some(MINUTE))?;
    let mut keys: Vec<String> = cache.scan("many:").collect::<Result<_, _>>()?;
    keys.sort_unstable();
    keys.dedup();
    Ok(Seen {
        before,
        after: cache.get("last-job")?,
        runs: cache.increment_with("runs", 1, MINUTE)?,
        remembered,
        computed,
        stored_where_absent,
        swapped,
        many: cache.get_many(&["many:b", "many:none", "many:a"])?,
        keys,
        cleared: cache.clear("many:")?,
        deleted: cache.delete("many:a")?,
    })
}

gristmill_guest::export!(cache_user);
