//! New jobs on their way to the server: what comes while a batch is under way goes with the next.
//!
//! A single producer that waits for each verdict pays one round trip a job; many producers share
//! them, without having to know of each other.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gristmill_job::{FunctionName, PluginName, time};
use gristmill_job::{
    JobId, NewJob, QueueName, Rejection, RejectionCode, Start, UniqueKey, Verdict,
};
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};
use tokio::sync::{mpsc, oneshot};

use super::codec::{self, Decoded, millis};
use super::reply::job_id;
use super::server::Server;
use super::{BATCH_BYTES_MAX, script};
use crate::{Config, Error};

/// Requests that wait for the batch before them; who finds no room waits with his request.
const REQUESTS_MAX: usize = 4_096;
/// How long jobs are offered again to a server that can't be reached: about as long as it takes to
/// restart one. That a job was taken over already is no harm, since it is known by its id.
const PATIENCE: Duration = Duration::from_secs(5);
/// Waits before jobs are offered again, which double from the first to the last.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_millis(500);

/// About what a job takes beside its input.
const BODY_BYTES: usize = 64;

/// Where a job's class stands in its head, and what is added to it where somebody waits for its end.
const CLASS_AT: usize = 16;
const AWAITED: u8 = 4;

/// A job as the script takes it; see `take_items` in the scripts.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: JobId,
    queue: QueueName,
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Item {
    /// A job whose end this process waits for.
    fn awaited(job: &NewJob) -> Self {
        let mut item = Self::new(job);
        item.head[CLASS_AT] |= AWAITED;
        item
    }

    pub(super) fn new(job: &NewJob) -> Self {
        let (start, at) = match job.start {
            Start::Now => (0_u8, 0),
            // As the model has it: what starts after no time starts now.
            Start::After(delay) => (1, millis(delay.min(gristmill_job::limits::DELAY_MAX))),
            Start::At(time) => (2, time.as_millis()),
        };
        let mut head = [&job.id.as_uuid().as_bytes()[..], &[u8::from(job.priority)]].concat();
        // Most jobs start now and have no unique key: then nothing is said of it.
        if start != 0 || job.unique_key.is_some() {
            head.push(start);
            head.extend(at.to_be_bytes());
        }
        if let Some(key) = &job.unique_key {
            head.extend(unique_field(&job.plugin, job.function.as_ref(), key));
        }
        let weight = u32::try_from(job.weight()).unwrap_or(u32::MAX);
        let mut body = Vec::with_capacity(BODY_BYTES + job.input.data.len());
        body.extend(millis(job.result_ttl).to_be_bytes());
        body.extend(weight.to_be_bytes());
        codec::write_spec(job, &mut body);
        Self { id: job.id, queue: job.queue.clone(), head, body }
    }

    /// About how many bytes of a command it takes.
    pub(super) fn bytes(&self) -> usize {
        self.body.len() + self.head.len() + 64
    }

    pub(super) fn write(&self, arguments: &mut Arguments) {
        arguments.push(&self.head);
        arguments.push(&self.body);
    }
}

/// What one job at a time may hold. Neither of the first two has a NUL.
fn unique_field(plugin: &PluginName, function: Option<&FunctionName>, key: &UniqueKey) -> Vec<u8> {
    let function = function.map_or("", FunctionName::as_str);
    [plugin.as_str(), function, key.as_str()].join("\0").into_bytes()
}

struct Request {
    items: Vec<Item>,
    answer: oneshot::Sender<Result<Vec<Verdict>, ConnectError>>,
}

/// Where new jobs are handed in.
#[derive(Debug, Clone)]
pub(super) struct Intake(mpsc::Sender<Request>);

impl Intake {
    /// Opens an intake, which ends when its last clone is dropped.
    pub(super) fn open(server: &Arc<Server>, config: &Config) -> Self {
        let (sender, requests) = mpsc::channel(REQUESTS_MAX);
        let clerk = Clerk { server: Arc::clone(server), config: config.clone() };
        // It ends with the intake; who waits for an answer then is told so.
        drop(server.link.home().spawn(clerk.work(requests)));
        Self(sender)
    }

    pub(super) async fn enqueue(&self, jobs: &[NewJob]) -> Result<Vec<Verdict>, Error> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        self.send(jobs.iter().map(Item::new).collect()).await
    }

    /// Hands a job in whose end is told to this process's mailbox, if it was created.
    pub(super) async fn enqueue_awaited(&self, job: &NewJob) -> Result<Verdict, Error> {
        self.send(vec![Item::awaited(job)]).await?.pop().ok_or_else(crate::error::no_verdict)
    }

    async fn send(&self, items: Vec<Item>) -> Result<Vec<Verdict>, Error> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::Unavailable(anyhow::anyhow!("the queue's connection has ended"));
        self.0.send(Request { items, answer }).await.map_err(|_| ended())?;
        Ok(answered.await.map_err(|_| ended())??)
    }
}

/// Who sends the batches, one after another.
struct Clerk {
    server: Arc<Server>,
    config: Config,
}

/// Where a job stands: in which request, at which place.
type Place = (usize, usize);

impl Clerk {
    async fn work(self, mut requests: mpsc::Receiver<Request>) {
        let mut batch = Vec::new();
        while requests.recv_many(&mut batch, self.config.batch_items_max).await > 0 {
            self.settle(std::mem::take(&mut batch)).await;
        }
    }

    /// Sends all jobs of these requests and gives each request its verdicts.
    async fn settle(&self, requests: Vec<Request>) {
        let mut verdicts: Vec<Vec<Option<Verdict>>> =
            requests.iter().map(|request| vec![None; request.items.len()]).collect();
        let mut failed: Vec<Option<ConnectError>> = vec![None; requests.len()];
        let batches = self.batches(&requests);
        let sent = join_all(batches.iter().map(|(queue, items)| async move {
            let items: Vec<&Item> = items.iter().map(|(_, item)| *item).collect();
            self.offer(queue, &items).await
        }));
        for ((_, items), answered) in batches.iter().zip(sent.await) {
            match answered {
                Ok(given) => {
                    for (((request, place), _), verdict) in items.iter().zip(given) {
                        verdicts[*request][*place] = Some(verdict);
                    }
                }
                Err(error) => {
                    for ((request, _), _) in items {
                        failed[*request] = Some(error.clone());
                    }
                }
            }
        }
        for ((request, verdicts), failed) in requests.into_iter().zip(verdicts).zip(failed) {
            let answer = match (failed, verdicts.into_iter().collect::<Option<Vec<_>>>()) {
                (None, Some(verdicts)) => Ok(verdicts),
                (Some(error), _) => Err(error),
                (None, None) => {
                    Err(self.server.link.misunderstood(&anyhow::anyhow!("verdicts are missing")))
                }
            };
            // Who doesn't wait any more need not be told.
            let _ = request.answer.send(answer);
        }
    }

    /// The jobs by queue, in batches that are each one step.
    fn batches<'a>(&self, requests: &'a [Request]) -> Vec<(&'a QueueName, Vec<(Place, &'a Item)>)> {
        let mut batches: Vec<(&QueueName, Vec<(Place, &Item)>)> = Vec::new();
        let mut open: HashMap<&QueueName, (usize, usize)> = HashMap::new();
        for (number, request) in requests.iter().enumerate() {
            for (place, item) in request.items.iter().enumerate() {
                let fits = open.get(&item.queue).is_some_and(|(batch, bytes)| {
                    batches[*batch].1.len() < self.config.batch_items_max
                        && bytes + item.bytes() <= BATCH_BYTES_MAX
                });
                if !fits {
                    open.insert(&item.queue, (batches.len(), 0));
                    batches.push((&item.queue, Vec::new()));
                }
                if let Some((batch, bytes)) = open.get_mut(&item.queue) {
                    batches[*batch].1.push(((number, place), item));
                    *bytes += item.bytes();
                }
            }
        }
        batches
    }

    /// Offers jobs of one queue until the server has answered, or patience is over.
    async fn offer(
        &self,
        queue: &QueueName,
        items: &[&Item],
    ) -> Result<Vec<Verdict>, ConnectError> {
        let begun = time::monotonic();
        let mut wait = RETRY_MIN;
        loop {
            let bounds = Bounds::Of(&self.config);
            match self.server.enqueue(queue, items, bounds).await {
                Err(ConnectError::Full { address }) => {
                    let message = format!("the memory of Redis at {address} is full");
                    let full = Rejection { code: RejectionCode::QueueFull, message };
                    return Ok(vec![Verdict::Rejected(full); items.len()]);
                }
                Err(ConnectError::Unreachable { .. })
                    if time::monotonic().saturating_duration_since(begun) < PATIENCE =>
                {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RETRY_MAX);
                }
                answered => return answered,
            }
        }
    }
}

/// How much may wait in the queue that jobs are put into.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds<'a> {
    /// As much as the configuration says.
    Of(&'a Config),
    /// There is nothing that could be done with a refusal.
    None,
}

impl Server {
    /// Puts jobs into a queue, in one step; a verdict each.
    pub(super) async fn enqueue(
        &self,
        queue: &QueueName,
        items: &[&Item],
        bounds: Bounds<'_>,
    ) -> Result<Vec<Verdict>, ConnectError> {
        self.register(queue).await?;
        let mut given = self.enqueue_once(queue, items, bounds).await?;
        let stale: Vec<usize> =
            (0..items.len()).filter(|&i| matches!(given[i], Given::Stale)).collect();
        if !stale.is_empty() {
            // Jobs of these ids have ended and are to be forgotten, which nobody has done yet.
            let stale_items: Vec<&Item> = stale.iter().map(|&i| items[i]).collect();
            self.forget_expired(queue, &stale_items).await?;
            let again = self.enqueue_once(queue, &stale_items, bounds).await?;
            for (i, verdict) in stale.into_iter().zip(again) {
                given[i] = verdict;
            }
        }
        Ok(given.into_iter().map(|given| given.verdict(queue)).collect())
    }

    async fn enqueue_once(
        &self,
        queue: &QueueName,
        items: &[&Item],
        bounds: Bounds<'_>,
    ) -> Result<Vec<Given>, ConnectError> {
        let mut arguments = Arguments::default();
        let (items_max, bytes_max) = match bounds {
            Bounds::Of(config) => (config.waiting_items_max, config.waiting_bytes_max),
            // Far above whatever a server could hold.
            Bounds::None => (1 << 50, 1 << 50),
        };
        arguments.push_number(items_max.min(1 << 50));
        arguments.push_number(bytes_max.min(1 << 50));
        arguments.push(self.mailbox.as_str());
        arguments.push_number(items.len());
        for item in items {
            item.write(&mut arguments);
        }
        let keys = self.keys.of(&script::ENQUEUE, queue);
        let value = self.run_on(&script::ENQUEUE, &keys, &arguments, Repeat::Once).await?;
        self.understood(given(value, items.len()))
    }

    async fn forget_expired(&self, queue: &QueueName, items: &[&Item]) -> Result<(), ConnectError> {
        let mut ids: Vec<JobId> = items.iter().map(|item| item.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut arguments = Arguments::default();
        arguments.push_number(self.config.finished_items_max);
        arguments.push_number(ids.len());
        for id in ids {
            arguments.push(id.as_uuid().as_bytes().as_slice());
        }
        let keys = self.keys.of(&script::TRIM, queue);
        self.run_on(&script::TRIM, &keys, &arguments, Repeat::Once).await.map(drop)
    }
}

/// What the script says of a job.
#[derive(Debug)]
enum Given {
    Created,
    Duplicate,
    Conflict(JobId),
    Full,
    Stale,
}

impl Given {
    fn verdict(self, queue: &QueueName) -> Verdict {
        match self {
            Self::Created => Verdict::Created,
            // One that is stale for the second time was finished in between.
            Self::Duplicate | Self::Stale => Verdict::Duplicate,
            Self::Conflict(owner) => Verdict::UniqueConflict(owner),
            Self::Full => Verdict::Rejected(crate::error::queue_full(queue)),
        }
    }
}

fn given(value: redis::Value, count: usize) -> Decoded<Vec<Given>> {
    let mut reply = Reply::new(value)?;
    let (letters, mut owners) = (reply.bytes()?, reply.list()?);
    anyhow::ensure!(letters.len() == count, "{} verdicts on {count} jobs", letters.len());
    let given = letters.into_iter().map(|letter| {
        Ok(match letter {
            b'c' => Given::Created,
            b'd' => Given::Duplicate,
            b'u' => Given::Conflict(job_id(&owners.bytes()?)?),
            b'f' => Given::Full,
            b's' => Given::Stale,
            other => anyhow::bail!("a script gave the verdict {:?}", char::from(other)),
        })
    });
    given.collect()
}
