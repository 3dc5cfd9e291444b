//! What a server tells a process unasked, on a channel of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::RedisError;
use redis::aio::PubSub;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Link;

/// How long a silent subscription is believed in; then the server is asked, and has as long to answer.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Waits before the next try to subscribe, which double from the first to the last.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Who is told what a subscription hears.
pub trait Listener: Send + Sync + 'static {
    /// The subscription was made, for the first time or anew: what was told before may have been lost.
    fn subscribed(&self);

    /// A message came.
    ///
    /// # Errors
    /// It can't be understood.
    fn hear(&self, message: &[u8]) -> anyhow::Result<()>;
}

/// A subscription to one channel, made anew whenever it is lost, until this is dropped.
#[derive(Debug)]
pub struct Subscription {
    /// How often it was made; 0: not yet.
    made: watch::Receiver<u64>,
    _closing: DropGuard,
}

impl Subscription {
    /// Subscribes, on the link's home.
    pub fn open(link: &Arc<Link>, channel: String, listener: Arc<dyn Listener>) -> Self {
        let (announce, made) = watch::channel(0);
        let closing = CancellationToken::new();
        let reader = Reader { link: Arc::clone(link), channel, listener, announce };
        // It ends with the subscription, which nobody has to wait for: it holds nothing but a
        // connection.
        drop(link.home().spawn(closing.clone().run_until_cancelled_owned(reader.read())));
        Self { made, _closing: closing.drop_guard() }
    }

    /// Waits until messages come.
    pub async fn is_open(&self) {
        let mut made = self.made.clone();
        // It is closed only when the process ends.
        let _ = made.wait_for(|times| *times > 0).await;
    }
}

/// Who reads the messages.
struct Reader {
    link: Arc<Link>,
    channel: String,
    listener: Arc<dyn Listener>,
    announce: watch::Sender<u64>,
}

impl Reader {
    /// Reads for ever: when the subscription is lost, it is made anew.
    async fn read(self) {
        let mut wait = RETRY_MIN;
        loop {
            match self.subscribe().await {
                Ok(subscription) => {
                    wait = RETRY_MIN;
                    // Who waits for this may listen at once, and isn't to be told to look again.
                    self.listener.subscribed();
                    self.announce.send_modify(|times| *times += 1);
                    let lost = self.deliver_all(subscription).await;
                    tracing::debug!(error = %lost, "a subscription on Redis is lost");
                }
                Err(error) => {
                    tracing::debug!(%error, "Redis can't be subscribed to");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn subscribe(&self) -> Result<PubSub, RedisError> {
        let subscribing = async {
            let mut subscription = self.link.client().get_async_pubsub().await?;
            subscription.subscribe(&self.channel).await?;
            Ok(subscription)
        };
        tokio::time::timeout(SILENCE_MAX, subscribing).await.unwrap_or_else(|_| Err(silence()))
    }

    /// Delivers messages until the subscription is lost.
    async fn deliver_all(&self, subscription: PubSub) -> RedisError {
        let (mut sink, mut messages) = subscription.split();
        loop {
            match tokio::time::timeout(SILENCE_MAX, messages.next()).await {
                Ok(Some(message)) => {
                    if let Err(error) = self.listener.hear(message.get_payload_bytes()) {
                        tracing::warn!(%error, "a message on Redis can't be read");
                    }
                }
                Ok(None) => return RedisError::from(std::io::Error::other("it was closed")),
                Err(_) => {
                    match tokio::time::timeout(SILENCE_MAX, sink.ping::<redis::Value>()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(error)) => return error,
                        Err(_) => return silence(),
                    }
                }
            }
        }
    }
}

fn silence() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}
