//! Cancelling, retrying and removing.

use gristmill_job::{JobId, Payload, StateName, UniqueKey, WorkerId};
use reqwest::{Method, RequestBuilder};

use super::fixture::{Server, json, problem};
use crate::{Kind, Problem};

impl Server {
    fn cancel(&self, id: JobId) -> RequestBuilder {
        self.change(Method::POST, &format!("/v1/jobs/{id}/cancel"))
    }

    fn retry(&self, id: JobId) -> RequestBuilder {
        self.change(Method::POST, &format!("/v1/jobs/{id}/retry"))
    }

    fn remove(&self, id: JobId) -> RequestBuilder {
        self.change(Method::DELETE, &format!("/v1/jobs/{id}"))
    }
}

/// Expects a refusal because of the job's state.
async fn refused(request: RequestBuilder, state: StateName, rule: &str) {
    let problem: Problem = problem(request, 409).await;
    assert!(problem.is(Kind::WrongState), "{problem:?}");
    assert_eq!(problem.state, Some(state));
    assert!(problem.detail.contains(rule), "{}", problem.detail);
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_and_runs_again() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    assert_eq!(json(server.cancel(id), 200).await["state"], "cancelled");
    refused(server.cancel(id), StateName::Cancelled, "only jobs that wait or run").await;
    assert_eq!(json(server.retry(id), 200).await["state"], "queued");
    refused(server.retry(id), StateName::Queued, "only failed and cancelled jobs").await;
}

#[tokio::test]
async fn a_running_job_is_marked_and_can_not_be_removed() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    server.lease(WorkerId::random()).await;
    refused(server.remove(id), StateName::Running, "before it is cancelled or has ended").await;
    let job = json(server.cancel(id), 200).await;
    assert_eq!((&job["state"], &job["cancel_requested"]), (&"running".into(), &true.into()));
}

#[tokio::test]
async fn a_removed_job_is_answered_as_it_was_and_is_gone() {
    let server = Server::start().await;
    let id = server.enqueued().await;
    server.complete(Payload::text("done")).await;
    assert_eq!(json(server.remove(id), 200).await["result"], "done");
    for request in [server.remove(id), server.retry(id), server.cancel(id)] {
        assert!(problem(request, 404).await.is(Kind::UnknownJob));
    }
}

#[tokio::test]
async fn a_retry_of_a_job_whose_key_is_taken_names_the_owner() {
    let server = Server::start().await;
    let key = Some(UniqueKey::new("k").unwrap());
    let id = server.enqueued_with(|job| job.unique_key.clone_from(&key)).await;
    server.fail().await;
    let owner = server.enqueued_with(|job| job.unique_key = key).await;
    let problem = problem(server.retry(id), 409).await;
    assert!(problem.is(Kind::UniqueConflict), "{problem:?}");
    assert_eq!(problem.owner_id, Some(owner));
}
