//! What running attempts have to say.

use gristmill_job::{LogLevel, LogLine, Payload, Progress, Timestamp};
use gristmill_queue::{Error, Held, Note};

use super::fixture::{QueueFixture, a_job, seconds};
use super::worker::{complete, past_the_lease, release, retry};

fn progress(done: u64) -> Progress {
    Progress { done, total: Some(10), note: Some("cues".to_owned()) }
}

fn line(message: &str) -> LogLine {
    LogLine {
        at: Timestamp::from_millis(1_777_636_800_123),
        attempt: 1,
        level: LogLevel::Warn,
        message: message.to_owned(),
        fields: vec![("cue".to_owned(), "12\u{0}".to_owned())],
    }
}

pub(super) async fn progress_is_shown_while_the_attempt_runs(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.note(Note::Progress(leased.held(), progress(1))).await;
    worker.note(Note::Progress(leased.held(), progress(7))).await;
    assert_eq!(q.job(id).await.progress, Some(progress(7)));
    worker.end(release(&leased)).await;
    assert_eq!(q.job(id).await.progress, None, "no attempt is running");
}

pub(super) async fn a_checkpoint_reaches_the_next_attempt(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    assert_eq!(leased.checkpoint, None);
    let state = Payload::bytes(vec![0, 255, 10]);
    worker.note(Note::Checkpoint(leased.held(), Payload::text("older"))).await;
    worker.note(Note::Checkpoint(leased.held(), state.clone())).await;
    worker.end(retry(&leased, seconds(0))).await;
    assert_eq!(q.job(id).await.checkpoint, Some(state.clone()));
    assert_eq!(worker.lease_one().await.checkpoint, Some(state));
}

pub(super) async fn a_checkpoint_outlives_its_worker(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    let leased = worker.lease_one().await;
    worker.note(Note::Checkpoint(leased.held(), Payload::text("half"))).await;
    q.advance(past_the_lease()).await;
    other.reap(worker.id).await;
    assert_eq!(other.lease_one().await.checkpoint, Some(Payload::text("half")));
}

pub(super) async fn a_checkpoint_is_gone_when_the_job_is_completed(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.note(Note::Checkpoint(leased.held(), Payload::text("half"))).await;
    worker.end(complete(&leased)).await;
    assert_eq!(q.job(id).await.checkpoint, None);
}

pub(super) async fn log_lines_are_kept_in_order_over_all_attempts(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.note(Note::Log(leased.held(), vec![line("one"), line("two")])).await;
    worker.note(Note::Log(leased.held(), vec![line("three")])).await;
    worker.end(retry(&leased, seconds(0))).await;
    let leased = worker.lease_one().await;
    worker.note(Note::Log(leased.held(), vec![LogLine { attempt: 2, ..line("four") }])).await;
    let expected =
        [line("one"), line("two"), line("three"), LogLine { attempt: 2, ..line("four") }];
    assert_eq!(q.queue.logs(id).await.unwrap().unwrap(), expected);
}

pub(super) async fn log_lines_may_come_with_the_settlement(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker
        .turn(|cycle| {
            cycle.notes.push(Note::Log(leased.held(), vec![line("goodbye")]));
            cycle.settlements.push(complete(&leased));
        })
        .await;
    assert_eq!(q.queue.logs(id).await.unwrap().unwrap(), [line("goodbye")]);
}

pub(super) async fn the_last_log_lines_are_kept(q: QueueFixture) {
    let q = q.with(|config| config.log_lines_max = 3).await;
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let leased = worker.lease_one().await;
    worker.note(Note::Log(leased.held(), vec![line("1"), line("2")])).await;
    worker.note(Note::Log(leased.held(), ["3", "4", "5"].map(line).into())).await;
    assert_eq!(q.queue.logs(id).await.unwrap().unwrap(), ["3", "4", "5"].map(line));
    worker.note(Note::Log(leased.held(), ["6", "7", "8", "9"].map(line).into())).await;
    assert_eq!(q.queue.logs(id).await.unwrap().unwrap(), ["7", "8", "9"].map(line));
}

pub(super) async fn notes_of_others_are_dropped(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    let (mut worker, mut other) = (q.worker(), q.worker());
    other.renew().await;
    let leased = worker.lease_one().await;
    let stale = Held { attempt: 2, ..leased.held() };
    other.note(Note::Progress(leased.held(), progress(1))).await;
    worker.note(Note::Progress(stale, progress(2))).await;
    other.note(Note::Log(leased.held(), vec![line("not mine")])).await;
    other.note(Note::Checkpoint(leased.held(), Payload::text("not mine"))).await;
    let job = q.job(id).await;
    assert_eq!((job.progress, job.checkpoint), (None, None));
    assert_eq!(q.queue.logs(id).await.unwrap().unwrap(), []);
}

pub(super) async fn notes_above_their_bound_are_refused_whole(q: QueueFixture) {
    let q = q.with(|config| config.batch_items_max = 1).await;
    let id = q.enqueue(a_job()).await;
    let mut worker = q.worker();
    let held = worker.lease_one().await.held();
    let error = worker
        .cycle(|cycle| cycle.notes.extend([1, 2].map(|done| Note::Progress(held, progress(done)))))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { items: 2, max: 1, .. }), "{error}");
    assert_eq!(q.job(id).await.progress, None);
}

pub(super) async fn a_job_without_a_log_has_an_empty_one(q: QueueFixture) {
    let id = q.enqueue(a_job()).await;
    assert_eq!(q.queue.logs(id).await.unwrap(), Some(Vec::new()));
    assert_eq!(q.queue.logs(gristmill_job::JobId::random()).await.unwrap(), None);
}
