//! Returns early once it is asked to.

#![expect(clippy::disallowed_methods, reason = "a guest has no event to wait for")]

use std::{thread, time::Duration};

use gristmill_guest::prelude::*;

/// Waits until the job is cancelled, and says how often it looked.
#[job]
fn wait_for_cancel(ctx: &Ctx) -> JobResult<u64> {
    let mut looks = 1;
    while !ctx.cancelled() {
        ctx.progress_note(looks, None, "waiting");
        thread::sleep(Duration::from_millis(5));
        looks += 1;
    }
    Ok(looks)
}

gristmill_guest::export!(wait_for_cancel);
