//! What the way to a worker and back takes where there is no queue: two publications.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use gristmill_job::JobId;
use gristmill_redis::ConnectError;
use redis::aio::{MultiplexedConnection, PubSubStream};
use redis::{RedisError, RedisResult};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use super::Gauge;

/// Bytes by which an answer is told from others.
const ID_BYTES: usize = 16;

/// Both ends of the way, until this is dropped.
pub struct Echo {
    gauge: Gauge,
    there: String,
    padding: Vec<u8>,
    waiting: Arc<Waiting>,
    _ends: [AbortOnDropHandle<()>; 2],
}

type Waiting = Mutex<HashMap<Vec<u8>, oneshot::Sender<()>>>;

impl Echo {
    pub(super) async fn open(gauge: &Gauge, bytes: usize) -> Result<Self, ConnectError> {
        let failed = |error: RedisError| gauge.failed(&error);
        let there = format!("{}:there", gauge.prefix);
        let back = format!("{}:back", gauge.prefix);
        let waiting = Arc::new(Waiting::default());
        let asked = subscribed(gauge, &there).await?;
        let answered = subscribed(gauge, &back).await?;
        let connection = gauge.client.get_multiplexed_async_connection().await.map_err(failed)?;
        let runtime = Handle::current();
        let ends = [
            runtime.spawn(answer(asked, connection, back)),
            runtime.spawn(hear(answered, Arc::clone(&waiting))),
        ];
        Ok(Self {
            gauge: gauge.clone(),
            there,
            padding: vec![b'.'; bytes.saturating_sub(ID_BYTES)],
            waiting,
            _ends: ends.map(AbortOnDropHandle::new),
        })
    }

    /// Sends a message of so many bytes, at least 16, and waits until it is back.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn there_and_back(&self) -> Result<(), ConnectError> {
        let id = JobId::random().as_uuid().as_bytes().to_vec();
        let message = [id.as_slice(), &self.padding].concat();
        let (sender, back) = oneshot::channel();
        lock(&self.waiting).insert(id, sender);
        self.gauge.ask::<u64>(redis::cmd("PUBLISH").arg(&self.there).arg(message)).await?;
        let lost = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "a subscription ended");
        back.await.map_err(|_| self.gauge.failed(&RedisError::from(lost)))
    }
}

/// A subscription of its own connection: blocked by nothing else.
async fn subscribed(gauge: &Gauge, channel: &str) -> Result<PubSubStream, ConnectError> {
    let subscribe = async {
        let mut subscription = gauge.client.get_async_pubsub().await?;
        subscription.subscribe(channel).await?;
        RedisResult::Ok(subscription.into_on_message())
    };
    subscribe.await.map_err(|error| gauge.failed(&error))
}

/// The worker's end: sends everything back.
async fn answer(asked: PubSubStream, connection: MultiplexedConnection, back: String) {
    let answered = asked.for_each_concurrent(None, |message| {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&back).arg(message.get_payload_bytes());
        let mut connection = connection.clone();
        // Where this fails, the subscriptions end too, and whoever waits is told by that.
        async move { drop(publish.query_async::<u64>(&mut connection).await) }
    });
    answered.await;
}

/// The client's end: tells whoever waits.
async fn hear(mut answered: PubSubStream, waiting: Arc<Waiting>) {
    while let Some(message) = answered.next().await {
        let id = message.get_payload_bytes().get(..ID_BYTES).unwrap_or_default();
        if let Some(sender) = lock(&waiting).remove(id) {
            // Who asked may have given up.
            let _ = sender.send(());
        }
    }
    lock(&waiting).clear();
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<Vec<u8>, oneshot::Sender<()>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
