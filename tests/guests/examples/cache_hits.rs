//! Looks one entry up again and again: what a hit costs a guest is measured with it.

use gristmill_guest::prelude::*;

/// Looks `wanted` up as often as the input says, and answers how often it was there.
#[job]
fn cache_hits(ctx: &Ctx, input: u64) -> JobResult<u64> {
    let cache = ctx.cache();
    let mut hits = 0;
    for _ in 0..input {
        hits += u64::from(cache.get_bytes("wanted")?.is_some());
    }
    Ok(hits)
}

gristmill_guest::export!(cache_hits);
