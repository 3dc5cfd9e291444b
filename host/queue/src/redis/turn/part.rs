//! A cycle as the server takes it.

use gristmill_job::{NewJob, OutcomeKind, QueueName};
use gristmill_redis::Arguments;

use crate::redis::BATCH_BYTES_MAX;
use crate::redis::codec::{self, Left, Package, millis};
use crate::redis::intake::Item;
use crate::{Cycle, Note, Settlement};

/// A part of a cycle that is one step of the server.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) notes: Arguments,
    pub(super) notes_count: usize,
    pub(super) settlements: Arguments,
    pub(super) settlements_count: usize,
    /// Jobs that come with settlements, in their order.
    pub(super) follow_ups: Arguments,
    /// Settlements and the jobs that come with them.
    items: usize,
}

impl Part {
    fn has_room(&self, items: usize, bytes: usize, items_max: usize) -> bool {
        let is_empty = self.notes_count + self.settlements_count == 0;
        let fits = self.items + items <= items_max && self.bytes() + bytes <= BATCH_BYTES_MAX;
        is_empty || fits
    }

    fn bytes(&self) -> usize {
        self.notes.bytes() + self.settlements.bytes() + self.follow_ups.bytes()
    }
}

/// A cycle in its parts: usually one, more where settlements bring many jobs with them.
pub(super) fn parts(cycle: &Cycle, items_max: usize) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    for note in &cycle.notes {
        let arguments = write_note(note);
        let part = part_with_room(&mut parts, 0, arguments.bytes(), items_max);
        part.notes.append(&arguments);
        part.notes_count += 1;
    }
    for settlement in &cycle.settlements {
        let Written { own, follow_ups, jobs } = write_settlement(settlement, &cycle.queue);
        let bytes = own.bytes() + follow_ups.bytes();
        let part = part_with_room(&mut parts, 1 + jobs, bytes, items_max);
        part.settlements.append(&own);
        part.follow_ups.append(&follow_ups);
        part.settlements_count += 1;
        part.items += 1 + jobs;
    }
    parts
}

fn part_with_room(
    parts: &mut Vec<Part>,
    items: usize,
    bytes: usize,
    items_max: usize,
) -> &mut Part {
    let last = parts.len() - 1;
    if !parts[last].has_room(items, bytes, items_max) {
        parts.push(Part::default());
    }
    let last = parts.len() - 1;
    &mut parts[last]
}

fn write_note(note: &Note) -> Arguments {
    let mut arguments = Arguments::default();
    let (kind, held, text, lines) = match note {
        Note::Progress(held, progress) => (b'p', *held, codec::encode(progress), 0),
        Note::Checkpoint(held, state) => (b'c', *held, codec::encode(&Package::from(state)), 0),
        Note::Log(held, lines) => (b'l', *held, codec::encode(lines), lines.len()),
    };
    let id = held.id.as_uuid().as_bytes();
    arguments.push_joined(&[&[kind], id, &held.attempt.to_be_bytes()]);
    arguments.push(text);
    arguments.push_number(lines);
    arguments
}

/// A settlement as the script takes it.
struct Written {
    own: Arguments,
    follow_ups: Arguments,
    /// How many jobs come with it.
    jobs: usize,
}

fn write_settlement(settlement: &Settlement, queue: &QueueName) -> Written {
    let held = settlement.held();
    let (kind, outcome, delay, follow_ups): (u8, Vec<u8>, _, &[NewJob]) = match settlement {
        Settlement::Complete { digest, result, usage, follow_ups, .. } => {
            let left = Left::new(OutcomeKind::Completed, result.as_ref(), None, Some(*usage));
            (b'C', left.stored(Some(digest)), None, follow_ups)
        }
        Settlement::Fail { digest, outcome, error, usage, retry, .. } => {
            let left = Left::new(*outcome, None, Some(error), Some(*usage));
            (b'F', left.stored(digest.as_ref()), *retry, &[])
        }
        Settlement::Cancelled { usage, .. } => {
            let left = |usage| Left::new(OutcomeKind::Cancelled, None, None, Some(usage));
            (b'X', usage.map(|usage| left(usage).stored(None)).unwrap_or_default(), None, &[])
        }
        Settlement::Release { delay, .. } => (b'R', Vec::new(), *delay, &[]),
    };
    let (here, abroad): (Vec<&NewJob>, Vec<&NewJob>) =
        follow_ups.iter().partition(|job| job.queue == *queue);
    let mut head = [&[kind][..], &held.attempt.to_be_bytes()].concat();
    // Most settlements have no more to them: then nothing is said of it.
    if delay.is_some() || !follow_ups.is_empty() {
        let delay = delay.and_then(|delay| i64::try_from(millis(delay)).ok());
        head.extend(delay.unwrap_or(-1).to_be_bytes());
        for jobs in [&here, &abroad] {
            head.extend(u32::try_from(jobs.len()).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
    let (mut own, mut jobs) = (Arguments::default(), Arguments::default());
    own.push(held.id.as_uuid().as_bytes());
    own.push(head);
    own.push(outcome);
    for job in here {
        Item::new(job).write(&mut jobs);
    }
    for job in abroad {
        jobs.push(job.id.as_uuid().as_bytes());
        jobs.push(codec::spec(job));
    }
    Written { own, follow_ups: jobs, jobs: follow_ups.len() }
}
