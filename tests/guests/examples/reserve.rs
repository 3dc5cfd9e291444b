//! Reserves a missing key of the cache, and ends without filling it.

use std::{process, time::Duration};

use gristmill_guest::{Lookup, prelude::*};

/// Tells what was found under the key `wanted` without waiting: `hit`, `reserved` or `busy`. Where
/// it was reserved, the input says how to end: `trap`, `spin`, `fail`, or with the word itself.
#[job]
fn reserve(ctx: &Ctx, input: String) -> JobResult<String> {
    let found = ctx.cache().get_or_reserve("wanted", Duration::ZERO)?;
    let Lookup::Reserved(_reservation) = found else {
        return Ok(if matches!(found, Lookup::Busy) { "busy" } else { "hit" }.to_owned());
    };
    match input.as_str() {
        "trap" => process::abort(),
        "spin" => loop {
            std::hint::spin_loop();
        },
        "fail" => bail_retry!("holding a reservation"),
        _ => Ok("reserved".to_owned()),
    }
}

gristmill_guest::export!(reserve);
