//! What would keep a daemon from starting, as far as it can be told without trying.

use gristmill::queue::redis::Address;
use gristmill::runtime::Config;
use tokio::net::lookup_host;

use super::super::error::one_line;
use super::Args;

impl Args {
    /// Everything that is wrong with it.
    pub(super) async fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(error) = lookup_host(&self.listen).await {
            faults.push(format!("--listen {}: {error}", self.listen));
        }
        faults.extend(self.access.access().err().map(|error| one_line(&error)));
        let plugins = &self.plugins.plugins;
        if let Err(error) = std::fs::read_dir(plugins) {
            let plugins = plugins.display();
            faults.push(format!("--plugins: {plugins} can't be read: {error}"));
        }
        if let Err(error) = self.plugins.limits.apply(Config::default()) {
            faults.push(one_line(&error));
        }
        match &self.redis.redis_url {
            Some(url) => {
                faults.extend(url.parse::<Address>().err().map(|error| one_line(&error)));
            }
            None if self.api_only => {
                let why = "jobs that nobody here runs have to be where others find them";
                faults.push(format!("--api-only needs --redis-url: {why}"));
            }
            None if self.share_plugins => {
                let why = "plugins are shared on a server";
                faults.push(format!("--share-plugins needs --redis-url: {why}"));
            }
            None if self.redis.require_redis => {
                let why = "no address of a server is given";
                faults.push(format!("--require-redis needs --redis-url: {why}"));
            }
            None => {}
        }
        faults.extend(self.otlp.settings().err());
        faults.extend(self.queues.shares().err().map(|error| one_line(&error)));
        faults
    }
}
