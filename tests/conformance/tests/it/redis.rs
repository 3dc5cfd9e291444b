//! Redis servers of the test's own, on which time is moved by a key.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gristmill_conformance::Time;
use gristmill_conformance::queue::QueueBackend;
use gristmill_job::{JobId, Timestamp};
use gristmill_queue::redis::{Options, ServerClock};
use gristmill_queue::{Queue, RedisQueue};
use gristmill_test_redis::{Program, RedisServer, Setup};
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};

/// When time begins.
const BEGIN: u64 = 1_777_636_800_000;

/// Queues on a server that is there for one test; each has keys and a clock of its own.
pub(crate) struct Redis {
    name: &'static str,
    server: Option<RedisServer>,
    /// What was opened, and is still to be checked.
    opened: Mutex<Vec<Arc<RedisQueue>>>,
}

impl Redis {
    /// A server of this program, if it is there.
    pub(crate) fn of(name: &'static str) -> Self {
        let program = Program::find(name);
        let server = program.map(|program| RedisServer::with(Setup::new().program(&program)));
        Self { name, server, opened: Mutex::default() }
    }
}

#[async_trait]
impl QueueBackend for Redis {
    async fn open(&self, config: gristmill_queue::Config) -> (Arc<dyn Queue>, Arc<dyn Time>) {
        let url = self.server.as_ref().unwrap().url();
        let client = Client::open(url.as_str()).unwrap();
        let connection = client.get_multiplexed_async_connection().await.unwrap();
        let prefix = format!("test-{}", JobId::random());
        let time = MovedKey { connection, key: format!("{prefix}:clock") };
        time.advance(Duration::from_millis(BEGIN)).await;
        let clock = ServerClock::Key(time.key.clone());
        let options = Options { clock, prefix, ..Options::default() };
        let address = url.parse().unwrap();
        let queue = RedisQueue::connect_with(address, config, &options).await.unwrap();
        let queue = Arc::new(queue);
        self.opened.lock().unwrap().push(Arc::clone(&queue));
        (queue, Arc::new(time))
    }

    /// No queue has a fault, whatever was done to it.
    async fn verify(&self) {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap());
        for queue in opened {
            for name in queue.queues().await.unwrap() {
                let checked = queue.check(&name, false).await.unwrap();
                assert_eq!(checked.faults, [], "{name}: {checked:#?}");
                assert!(checked.counted, "somebody moves jobs still");
            }
        }
    }

    fn lacks(&self) -> Option<String> {
        let what = format!("there is no {}: run `make setup`", self.name);
        self.server.is_none().then_some(what)
    }

    fn lives(&self) -> u32 {
        60
    }
}

/// Time as the scripts see it that are told to look at a key.
struct MovedKey {
    connection: MultiplexedConnection,
    key: String,
}

#[async_trait]
impl Time for MovedKey {
    async fn now(&self) -> Timestamp {
        let mut connection = self.connection.clone();
        Timestamp::from_millis(
            cmd("GET").arg(&self.key).query_async(&mut connection).await.unwrap(),
        )
    }

    async fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        let mut connection = self.connection.clone();
        let mut command = cmd("INCRBY");
        command.arg(&self.key).arg(millis);
        command.query_async::<u64>(&mut connection).await.unwrap();
    }
}
