//! What a manifest says of the jobs of its plugin, kept by the worker.

use super::*;

/// A folder with one guest and its manifest.
fn a_folder(guest: &str, manifest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |extension: &str| folder.path().join(format!("{guest}.{extension}"));
    std::fs::copy(gristmill_tests::guest(guest), file("wasm")).expect("the guest");
    std::fs::write(file("toml"), manifest).expect("the manifest");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_attempts_run_as_the_manifest_lets_and_the_rest_waits() {
    let folder = a_folder("wait-for-cancel", "concurrency = 1");
    let config = Config { concurrency: 4, ..Config::default() };
    let plugins = folder.path().to_owned();
    let mut mill = Mill::start_with(memory_queue(), config, Limits::default(), plugins);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(mill.enqueue(a_job("wait-for-cancel", "", Payload::none())).await);
    }
    let mut started = Vec::new();
    while !waiting.is_empty() {
        let event = mill.until(|event| matches!(event, Event::AttemptStarted { .. })).await;
        let Event::AttemptStarted { job, .. } = event else { unreachable!("it was looked for") };
        started.push(job.id);
        waiting.retain(|id| *id != job.id);
        if waiting.len() == 2 {
            // One waits in an executor, and one is sent back.
            mill.until(|event| matches!(event, Event::Deferred { .. })).await;
        }
        mill.queue.cancel(job.id).await.expect("the queue is there");
        let job = mill.wait(job.id).await;
        // One that notices by itself may still complete.
        assert_eq!((job.attempt, job.failures), (1, 0));
    }
    let (_, seen) = mill.stop().await;
    let starts = seen.iter().filter(|event| matches!(event, Event::AttemptStarted { .. }));
    assert_eq!((starts.count(), started.len()), (3, 3), "none started before its turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_says_what_is_tried_again() {
    let folder = a_folder("trap", "[retry]\nmax_attempts = 2\nbackoff = { base = '1ms' }");
    let (queue, config) = (memory_queue(), Config::default());
    let plugins = folder.path().to_owned();
    let mill = Mill::start_with(queue, config, Limits::default(), plugins);
    let id = mill.enqueue(a_job("trap", "", Payload::none())).await;
    assert_eq!(mill.wait(id).await.failures, 2);
    mill.stop().await;
    let folder = a_folder("trap", "[retry]\nretry_on = ['timed_out']");
    let plugins = folder.path().to_owned();
    let mill = Mill::start_with(memory_queue(), Config::default(), Limits::default(), plugins);
    let id = mill.enqueue(a_job("trap", "", Payload::none())).await;
    assert_eq!(mill.wait(id).await.failures, 1);
    mill.stop().await;
}
