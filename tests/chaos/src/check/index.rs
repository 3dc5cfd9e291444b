//! Counts and lists of the queues against each other, and against the jobs.

use std::collections::HashMap;

use gristmill_job::{JobId, StateName};
use gristmill_queue::QueueStatus;

use super::{Breach, Rule};
use crate::history::{History, Standing};

pub(super) fn breaches(history: &History) -> Vec<Breach> {
    let mut breaches: Vec<Breach> = history.queues.iter().flat_map(of_queue).collect();
    let mut listed: HashMap<JobId, Vec<StateName>> = HashMap::new();
    for (state, id) in history.queues.iter().flat_map(|queue| &queue.listed) {
        listed.entry(*id).or_default().push(*state);
    }
    for (id, record) in &history.records {
        let states = listed.remove(id).unwrap_or_default();
        if states != [record.state] {
            let story = format!("it is {}, and listed as {states:?}", record.state);
            breaches.push(Breach { rule: Rule::Indexed, job: Some(*id), story });
        }
    }
    for (id, states) in listed {
        let story = format!("it is listed as {states:?}, and there is no record of it");
        breaches.push(Breach { rule: Rule::Indexed, job: Some(id), story });
    }
    breaches
}

fn of_queue(queue: &Standing) -> Vec<Breach> {
    let QueueStatus { queue: name, counts, totals, waiting_bytes, .. } = &queue.status;
    let listed = |state| queue.listed.iter().filter(|(as_state, _)| *as_state == state).count();
    let all = queue.listed.len();
    let sums = [
        ("scheduled jobs", counts.scheduled, listed(StateName::Scheduled)),
        ("queued jobs", counts.queued, listed(StateName::Queued)),
        ("running jobs", counts.running, listed(StateName::Running)),
        ("completed jobs", counts.completed, listed(StateName::Completed)),
        ("failed jobs", counts.failed, listed(StateName::Failed)),
        ("cancelled jobs", counts.cancelled, listed(StateName::Cancelled)),
        // Nothing is removed in a run, so what ever was is still there.
        ("jobs enqueued in total", totals.enqueued, all),
        ("jobs completed in total", totals.completed, listed(StateName::Completed)),
        ("jobs failed in total", totals.failed, listed(StateName::Failed)),
        ("jobs cancelled in total", totals.cancelled, listed(StateName::Cancelled)),
    ];
    let mut faults: Vec<String> = sums
        .into_iter()
        .filter(|(_, counted, listed)| *counted != *listed as u64)
        .map(|(what, counted, listed)| format!("{counted} {what} are counted, {listed} listed"))
        .collect();
    if counts.scheduled + counts.queued == 0 && *waiting_bytes > 0 {
        faults.push(format!("nothing waits, and it weighs {waiting_bytes} bytes"));
    }
    let breach =
        |fault| Breach { rule: Rule::Indexed, job: None, story: format!("queue {name}: {fault}") };
    faults.into_iter().map(breach).collect()
}
