//! Jobs as producers write them: the body of a request, and the lines of a file.

use std::sync::Arc;

use gristmill::client;
use gristmill_job::wire::{JobRequest, JobView, WireError};
use gristmill_job::{Job, NewJob, Timestamp, limits};
use serde_json::Value;

/// Each line is refused with a reason, or is a job that keeps to its bounds, that another door reads
/// as the same job, and that can be shown.
///
/// # Panics
/// It isn't so.
pub fn job_request(data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(request) = serde_json::from_slice::<JobRequest>(line) {
            check(request);
        }
        // Where jobs come in an array, one that is faulty must not cost the others their verdicts.
        if let Ok(items) = serde_json::from_slice::<Vec<Value>>(line) {
            let requests = items.into_iter().filter_map(|item| serde_json::from_value(item).ok());
            requests.for_each(check);
        }
    }
}

fn check(request: JobRequest) {
    match NewJob::try_from(request) {
        Ok(job) => {
            assert!(job.input.data.len() <= limits::PAYLOAD_BYTES_MAX);
            assert_eq!(passed_on(&job), job, "another door reads another job");
            check_view(job);
        }
        Err(WireError { field, problem }) => {
            assert!(!field.is_empty() && !problem.is_empty(), "{field}: {problem}");
        }
    }
}

/// The job as a client hands it to the next door.
fn passed_on(job: &NewJob) -> NewJob {
    let text = serde_json::to_vec(&client::request(job)).expect("a request is JSON");
    let request: JobRequest = serde_json::from_slice(&text).expect("our own request");
    NewJob::try_from(request).expect("our own request")
}

/// What a door answers with, and a client reads.
fn check_view(job: NewJob) {
    let view = JobView::from(&Job::taken_over(Arc::new(job), Timestamp::from_millis(0)));
    let text = serde_json::to_vec(&view).expect("a view is JSON");
    let read: JobView = serde_json::from_slice(&text).expect("our own view");
    assert_eq!(serde_json::to_vec(&read).expect("a view is JSON"), text);
}
