//! Remembers a value that takes its time to compute, and counts how often it was computed.

use std::{process, time::Duration};

use gristmill_guest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

/// The value under `wanted`. The caller that computes it says `computes`; the input tells how it
/// ends, once nobody holds `gate` any more: `trap`, `fail`, `spin`, or with the value.
#[job]
fn single_flight(ctx: &Ctx, input: String) -> JobResult<i64> {
    ctx.info("asks");
    ctx.cache().remember("wanted", MINUTE, || {
        let computed = ctx.cache().increment("computed", 1)?;
        ctx.info("computes");
        drop(ctx.cache().get_or_reserve("gate", MINUTE)?);
        match input.as_str() {
            "trap" => process::abort(),
            "fail" => bail_retry!("can't be computed"),
            "spin" => loop {
                std::hint::spin_loop();
            },
            _ => JobResult::Ok(computed),
        }
    })
}

gristmill_guest::export!(single_flight);
