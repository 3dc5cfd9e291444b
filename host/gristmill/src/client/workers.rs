//! Workers, and what is asked of them.

use gristmill_api::{Wish, WorkerView, WorkersView};
use gristmill_job::WorkerId;
use reqwest::Method;

use super::{Client, Error};

impl Client {
    /// The workers of all daemons that share the queue, and what they run.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn workers(&self) -> Result<WorkersView, Error> {
        self.look("/v1/workers").await
    }

    /// Asks something of a worker, whichever daemon it is of; answers how it was last heard of.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ask_worker(&self, worker: WorkerId, wish: Wish) -> Result<WorkerView, Error> {
        self.ask(Method::POST, &format!("/v1/workers/{worker}/{wish}"), None).await
    }
}
