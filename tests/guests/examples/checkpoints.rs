//! Takes two attempts, the second of which goes on where the first stopped.

use gristmill_guest::prelude::*;

/// Saves the input and fails; the next attempt gives back what was saved.
#[job]
fn checkpoints(ctx: &Ctx, input: String) -> JobResult<String> {
    if let Some(saved) = ctx.checkpoint()? {
        return Ok(saved);
    }
    ctx.save_checkpoint(&input)?;
    bail_retry!("saved on attempt {}", ctx.attempt())
}

gristmill_guest::export!(checkpoints);
