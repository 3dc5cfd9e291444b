//! Enqueues more of itself.

use gristmill_guest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
#[serde(default)]
struct Plan {
    /// How many jobs to enqueue.
    children: u32,
    /// How many generations there are after this one.
    generations: u32,
    /// Enqueue at once instead of on success.
    now: bool,
    /// Fail after all is enqueued.
    fail: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { children: 2, generations: 1, now: false, fail: false }
    }
}

/// Enqueues two jobs of itself, which enqueue nothing more, and gives the verdicts.
#[job]
fn follow_up(ctx: &Ctx, input: Option<Plan>) -> JobResult<Vec<String>> {
    let plan = input.unwrap_or_default();
    let Some(generations) = plan.generations.checked_sub(1) else { return Ok(Vec::new()) };
    let children = (0..plan.children)
        .map(|child| {
            let input = Plan { generations, fail: false, ..plan };
            let job = NewJob::new("follow_up", &input)?;
            Ok(job.header("child", child.to_string()))
        })
        .collect::<JobResult<Vec<_>>>()?;
    let verdicts = if plan.now { ctx.enqueue_now(children)? } else { ctx.enqueue(children)? };
    if plan.fail {
        bail_fatal!("told to fail");
    }
    Ok(verdicts.iter().map(|verdict| format!("{verdict:?}")).collect())
}

gristmill_guest::export!(follow_up);
