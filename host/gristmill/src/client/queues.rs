//! Queues, and what is done to a whole one.

use gristmill_api::{ClearedView, QueueView, QueuesView, RequeuedView};
use gristmill_job::{PluginName, QueueName};
use reqwest::Method;

use super::{Client, Error};

impl Client {
    /// The queues that were ever used, by name.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn queues(&self) -> Result<Vec<QueueView>, Error> {
        let view: QueuesView = self.look("/v1/queues").await?;
        Ok(view.queues)
    }

    /// How a queue stands; an unused one is empty.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn queue(&self, name: &QueueName) -> Result<QueueView, Error> {
        self.look(&format!("/v1/queues/{name}")).await
    }

    /// Stops leasing from a queue; enqueueing, and what runs, go on.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn pause(&self, name: &QueueName) -> Result<QueueView, Error> {
        self.ask(Method::POST, &format!("/v1/queues/{name}/pause"), None).await
    }

    /// Leases from a queue again.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn resume(&self, name: &QueueName) -> Result<QueueView, Error> {
        self.ask(Method::POST, &format!("/v1/queues/{name}/resume"), None).await
    }

    /// Forgets all failed jobs of a queue, and answers how many there were.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn clear_failed(&self, name: &QueueName) -> Result<u64, Error> {
        let path = format!("/v1/queues/{name}/clear-failed");
        let view: ClearedView = self.ask(Method::POST, &path, None).await?;
        Ok(view.cleared)
    }

    /// Runs all failed jobs of a queue again, or those of one plugin.
    ///
    /// # Errors
    /// [`Error`]; some of them may run again already.
    pub async fn requeue_failed(
        &self,
        name: &QueueName,
        plugin: Option<&PluginName>,
    ) -> Result<RequeuedView, Error> {
        let plugin = plugin.map(|plugin| ("plugin", plugin.as_str()));
        self.ask(Method::POST, &format!("/v1/queues/{name}/requeue-failed"), plugin).await
    }
}
