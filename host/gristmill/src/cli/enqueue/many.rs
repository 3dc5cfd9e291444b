//! `gristmill enqueue --jsonl`: many jobs in batches, some of them on their way at one time.

use std::path::Path;
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};
use gristmill::job::time::monotonic;
use gristmill::{NewJob, VerdictView};

use super::super::args::millis;
use super::super::door::Door;
use super::super::error::Error;
use super::super::exit::Exit;
use super::super::lines::{self, Defaults, Line};
use super::super::output;
use super::super::progress::Progress;
use super::Args;

/// Jobs in one batch: as many as make its round trip cheap, few enough for the queue's own bound.
const BATCH_ITEMS_MAX: usize = 128;
/// What the jobs of one batch weigh, unless it is a single one: JSON may make six times as much of
/// it, which still fits into a request.
const BATCH_WEIGHT_MAX: usize = 1 << 20;
/// Batches on their way at one time: while one is answered, the next are being sent and read.
const BATCHES_AT_ONE_TIME: usize = 4;

pub(super) async fn run(args: &Args, path: &Path) -> Result<Exit, Error> {
    let lines = lines::read_all(path, &defaults(args))?;
    let door = args.door.open().await?;
    let progress = Progress::of(lines.len());
    let mut tally = Tally::begin(lines.len());
    let sent = send_all(&door, lines, |places, verdicts| {
        verdicts.iter().for_each(|verdict| tally.count(verdict));
        progress.advance(verdicts.len());
        progress.aside(|| {
            let mut told = places.iter().zip(&verdicts);
            told.try_for_each(|(place, verdict)| tell(verdict, place, args.json))
        })
    })
    .await;
    progress.end();
    // What was taken over before an error stays taken over.
    output::note(&tally.summary());
    sent?;
    Ok(if tally.refused() == 0 { Exit::Completed } else { Exit::Unsuccessful })
}

fn defaults(args: &Args) -> Defaults {
    let mut defaults = Defaults {
        plugin: args.plugin.clone(),
        function: args.function.clone(),
        ..Defaults::default()
    };
    defaults.set("timeout_ms", args.options.timeout.map(millis));
    defaults.set("queue", args.queue.clone());
    defaults.set("priority", args.priority);
    defaults.set("max_attempts", args.max_attempts);
    defaults.set("result_ttl_ms", args.result_ttl.map(millis));
    defaults
}

/// Sends all jobs and hands their places and verdicts over batch by batch, in the order of the lines.
async fn send_all(
    door: &Door,
    lines: Vec<Line>,
    mut each: impl FnMut(Vec<String>, Vec<VerdictView>) -> Result<(), Error>,
) -> Result<(), Error> {
    let send = |(places, jobs)| async move {
        let verdicts = door.enqueue_many(jobs).await?;
        Ok::<_, Error>((places, verdicts))
    };
    let mut answers =
        stream::iter(Batches(lines.into_iter())).map(send).buffered(BATCHES_AT_ONE_TIME);
    while let Some(answer) = answers.next().await {
        let (places, verdicts) = answer?;
        each(places, verdicts)?;
    }
    Ok(())
}

/// Places and jobs of one batch after the other.
struct Batches(std::vec::IntoIter<Line>);

impl Iterator for Batches {
    type Item = (Vec<String>, Vec<NewJob>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut weight = 0;
        let fitting = self.0.as_slice().iter().take(BATCH_ITEMS_MAX).take_while(|line| {
            weight += line.job.weight();
            weight <= BATCH_WEIGHT_MAX
        });
        // One that is too heavy for any company goes alone.
        let items = fitting.count().max(1);
        let batch: Self::Item =
            self.0.by_ref().take(items).map(|line| (line.place, line.job)).unzip();
        (!batch.1.is_empty()).then_some(batch)
    }
}

/// The id of a job that was taken, on stdout; why it wasn't, on stderr; or with `json` the verdict.
fn tell(verdict: &VerdictView, place: &str, json: bool) -> Result<(), Error> {
    let refusal = match verdict {
        VerdictView::Created { id, .. } | VerdictView::Duplicate { id } if !json => {
            return output::text(&id.to_string());
        }
        VerdictView::Created { .. } | VerdictView::Duplicate { .. } => None,
        VerdictView::UniqueConflict { owner_id, .. } => {
            Some(format!("unique_key: job {owner_id} holds it"))
        }
        VerdictView::Rejected { message, field: Some(field), .. } => {
            Some(format!("{field}: {message}"))
        }
        VerdictView::Rejected { message, .. } => Some(message.clone()),
    };
    if let Some(refusal) = refusal {
        output::complain(&format!("{place}: {refusal}"));
    }
    if json { output::json_line(verdict) } else { Ok(()) }
}

/// What became of the jobs.
struct Tally {
    jobs: usize,
    created: usize,
    duplicates: usize,
    conflicts: usize,
    rejected: usize,
    begun: Instant,
}

impl Tally {
    fn begin(jobs: usize) -> Self {
        let begun = monotonic();
        Self { jobs, created: 0, duplicates: 0, conflicts: 0, rejected: 0, begun }
    }

    fn count(&mut self, verdict: &VerdictView) {
        *match verdict {
            VerdictView::Created { .. } => &mut self.created,
            VerdictView::Duplicate { .. } => &mut self.duplicates,
            VerdictView::UniqueConflict { .. } => &mut self.conflicts,
            VerdictView::Rejected { .. } => &mut self.rejected,
        } += 1;
    }

    fn refused(&self) -> usize {
        self.conflicts + self.rejected
    }

    fn summary(&self) -> String {
        let Self { jobs, created, duplicates, conflicts, rejected, begun } = self;
        let took = monotonic().saturating_duration_since(*begun).as_secs_f64();
        let mut text = format!(
            "{jobs} jobs: {created} created, {duplicates} duplicates, {conflicts} conflicts, \
             {rejected} rejected"
        );
        let unknown = jobs - created - duplicates - self.refused();
        if unknown > 0 {
            text.push_str(&format!(", {unknown} without an answer"));
        }
        format!("{text}; {took:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use gristmill::Payload;

    use super::*;

    fn batches(weights: &[usize]) -> Vec<usize> {
        let line = |weight: &usize| {
            let mut job = NewJob::new("echo".parse().unwrap(), Payload::none());
            job.input = Payload::bytes(vec![b'.'; weight.saturating_sub(job.weight())]);
            Line { place: String::new(), job }
        };
        let lines: Vec<Line> = weights.iter().map(line).collect();
        Batches(lines.into_iter()).map(|(_, jobs)| jobs.len()).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_jobs_and_in_weight() {
        assert!(batches(&[]).is_empty());
        assert_eq!(batches(&[1_000; BATCH_ITEMS_MAX + 1]), [BATCH_ITEMS_MAX, 1]);
        let half = BATCH_WEIGHT_MAX / 2;
        assert_eq!(batches(&[half - 999, half - 999, half, 2 * half, 10]), [2, 1, 1, 1]);
        let all = batches(&[400_000; 7]);
        assert_eq!(all, [2, 2, 2, 1]);
    }
}
