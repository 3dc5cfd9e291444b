//! Calls the host for ever.

use gristmill_guest::prelude::*;

/// Asks for the time left and logs it, over and over.
#[job]
fn spin_in_host_calls(ctx: &Ctx) -> JobResult {
    loop {
        ctx.debug(format_args!("{:?} left", ctx.remaining()));
    }
}

gristmill_guest::export!(spin_in_host_calls);
