//! What is shown of jobs and queues.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use gristmill_job::{Job, JobId, LogLine, NewJob, QueueName, StateName, Verdict, time};
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};
use redis::Value;
use tokio::sync::oneshot;

use super::codec::{self, Decoded};
use super::intake::Intake;
use super::mailbox::{Heard, Mailbox};
use super::record::Record;
use super::reply::{job_id, view, worker_id};
use super::server::{Server, id_bytes};
use super::{WAIT_BACKSTOP, script};
use crate::{Counts, Cursor, Error, Filter, Page, QueueStatus, Totals};

/// Jobs looked at for one page, as a multiple of the jobs on it.
const LOOKED_AT_FACTOR: usize = 10;

impl Server {
    pub(super) async fn get(&self, id: JobId) -> Result<Option<Job>, ConnectError> {
        self.look(id, "").await
    }

    /// A job; a mailbox that is named hears of its end, if that is still to come.
    async fn look(&self, id: JobId, mailbox: &str) -> Result<Option<Job>, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push(id_bytes(id));
        arguments.push(mailbox);
        match self.search(&script::READ, &arguments).await? {
            Some((_, reply)) => {
                self.understood(view(reply).and_then(|view| view.job(id))).map(Some)
            }
            None => Ok(None),
        }
    }

    pub(super) async fn wait(
        &self,
        id: JobId,
        patience: Duration,
        mailbox: &Mailbox,
    ) -> Result<Option<Job>, ConnectError> {
        let begun = time::monotonic();
        loop {
            let passed = time::monotonic().saturating_duration_since(begun);
            let left = patience.saturating_sub(passed);
            if left.is_zero() {
                return self.get(id).await;
            }
            let listener = mailbox.listen(id);
            let job = self.look(id, &self.mailbox).await?;
            if job.as_ref().is_none_or(|job| job.state.is_final()) {
                return Ok(job);
            }
            if let Some(job) = self.heard(id, listener, left, mailbox).await? {
                return Ok(job);
            }
        }
    }

    /// What is heard of a job; nothing when letters may have been lost, or it is time to look again.
    async fn heard(
        &self,
        id: JobId,
        listener: oneshot::Receiver<Heard>,
        patience: Duration,
        mailbox: &Mailbox,
    ) -> Result<Option<Option<Job>>, ConnectError> {
        match tokio::time::timeout(patience.min(WAIT_BACKSTOP), listener).await {
            Ok(Ok(Heard::Ended(view))) => Ok(Some(self.understood(view.job(id)).map(Some)?)),
            Ok(Ok(Heard::Gone)) => Ok(Some(None)),
            Ok(Err(_)) | Err(_) => {
                mailbox.tidy(id);
                Ok(None)
            }
        }
    }

    /// Enqueues a job and waits for its end, of which the server tells without being asked.
    pub(super) async fn run_job(
        &self,
        job: &NewJob,
        patience: Duration,
        intake: &Intake,
        mailbox: &Mailbox,
    ) -> Result<(Verdict, Option<Job>), Error> {
        let (id, begun) = (job.id, time::monotonic());
        let left = || patience.saturating_sub(time::monotonic().saturating_duration_since(begun));
        let listener = mailbox.listen(id);
        let verdict = match intake.enqueue_awaited(job).await {
            Ok(Verdict::Created) => match self.heard(id, listener, left(), mailbox).await? {
                Some(job) => return Ok((Verdict::Created, job)),
                None => Verdict::Created,
            },
            other => {
                drop(listener);
                mailbox.tidy(id);
                other?
            }
        };
        let job = match verdict {
            Verdict::Created | Verdict::Duplicate => self.wait(id, left(), mailbox).await?,
            Verdict::UniqueConflict(_) | Verdict::Rejected(_) => None,
        };
        Ok((verdict, job))
    }

    pub(super) async fn logs(&self, id: JobId) -> Result<Option<Vec<LogLine>>, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push(id_bytes(id));
        let Some((_, reply)) = self.search(&script::LOGS, &arguments).await? else {
            return Ok(None);
        };
        let mut lines = self.understood(log_lines(reply))?;
        let surplus = lines.len().saturating_sub(self.config.log_lines_max);
        lines.drain(..surplus);
        Ok(Some(lines))
    }

    pub(super) async fn list(&self, filter: &Filter) -> Result<Page, Error> {
        let mut before = match &filter.cursor {
            None => u64::MAX,
            Some(Cursor(text)) => text.parse().map_err(|_| Error::InvalidCursor)?,
        };
        let limit = filter.limit.clamp(1, self.config.page_items_max);
        let mut page = Page::default();
        let mut looked_at = 0;
        while page.jobs.len() < limit && looked_at < limit * LOOKED_AT_FACTOR {
            let next = self.next_of(filter, before, limit).await?;
            if next.is_empty() {
                return Ok(page);
            }
            looked_at += next.len();
            let jobs = try_join_all(next.iter().map(|&(_, id)| self.get(id))).await?;
            for ((turn, _), job) in next.into_iter().zip(jobs) {
                before = turn;
                page.jobs.extend(job.filter(|job| fits(filter, job)));
                if page.jobs.len() == limit {
                    break;
                }
            }
        }
        let rest = self.next_of(filter, before, 1).await?;
        page.cursor = (!rest.is_empty()).then(|| Cursor(before.to_string()));
        Ok(page)
    }

    /// The newest jobs with a turn before this one, in the states that are asked for.
    async fn next_of(
        &self,
        filter: &Filter,
        before: u64,
        limit: usize,
    ) -> Result<Vec<(u64, JobId)>, ConnectError> {
        let wants = |state: StateName| filter.state.is_none_or(|wanted| wanted == state);
        let mut found = match wants(StateName::Running) {
            true => self.running(&filter.queue).await?,
            false => Vec::new(),
        };
        found.retain(|&(turn, _)| turn < before);
        let letters = [
            (StateName::Scheduled, 's'),
            (StateName::Queued, 'q'),
            (StateName::Completed, 'C'),
            (StateName::Failed, 'F'),
            (StateName::Cancelled, 'X'),
        ];
        let letters = letters.into_iter().filter(|(state, _)| wants(*state));
        let letters: String = letters.map(|(_, letter)| letter).collect();
        if !letters.is_empty() {
            let mut arguments = Arguments::default();
            arguments.push_number(before);
            arguments.push_number(limit);
            arguments.push(letters);
            let value = self.run(&script::LIST, &filter.queue, &arguments, Repeat::Once).await?;
            found.extend(self.understood(listed(value))?);
        }
        found.sort_unstable_by_key(|&(turn, _)| Reverse(turn));
        // One that moved in between may have been seen twice.
        let mut seen = std::collections::HashSet::new();
        found.retain(|&(_, id)| seen.insert(id));
        found.truncate(limit);
        Ok(found)
    }

    /// The jobs that workers hold, which are as few as the workers' capacity.
    async fn running(&self, queue: &QueueName) -> Result<Vec<(u64, JobId)>, ConnectError> {
        let mut workers = redis::cmd("ZRANGE");
        workers.arg(self.keys.key(queue, "leases")).arg(0).arg(-1);
        let workers = self.understood(all(self.link.ask(&workers).await?, worker_id))?;
        let held = try_join_all(workers.into_iter().map(|worker| async move {
            let mut members = redis::cmd("SMEMBERS");
            members.arg(self.keys.held(queue, worker));
            self.understood(all(self.link.ask(&members).await?, job_id))
        }));
        let mut ids = held.await?.concat();
        let mut assigned = redis::cmd("HVALS");
        assigned.arg(self.keys.key(queue, "assigned"));
        ids.append(&mut self.understood(all(self.link.ask(&assigned).await?, job_id))?);
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut states = redis::cmd("HMGET");
        states.arg(self.keys.key(queue, "states"));
        for id in &ids {
            states.arg(id_bytes(*id));
        }
        self.understood(turns(&ids, self.link.ask(&states).await?))
    }

    pub(super) async fn status(&self, queue: &QueueName) -> Result<QueueStatus, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push_number(self.config.finished_items_max);
        let value = self.run(&script::STATUS, queue, &arguments, Repeat::Once).await?;
        let status = self.understood(status(queue, value))?;
        Ok(status.unwrap_or_else(|| QueueStatus::empty(queue.clone())))
    }

    /// What the server says of itself, by name.
    pub(super) async fn server_info(&self) -> Result<HashMap<String, String>, ConnectError> {
        self.link.ask(&redis::cmd("INFO")).await.map(info_pairs)
    }
}

/// The answer to `INFO`, by name.
pub(super) fn info_pairs(value: Value) -> HashMap<String, String> {
    let text = match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => String::new(),
    };
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn fits(filter: &Filter, job: &Job) -> bool {
    filter.state.is_none_or(|state| job.state.name() == state)
        && filter.plugin.as_ref().is_none_or(|plugin| *plugin == job.spec.plugin)
}

fn log_lines(mut reply: Reply) -> Decoded<Vec<LogLine>> {
    let mut lines = Vec::new();
    while !reply.is_empty() {
        lines.append(&mut codec::log_lines(&reply.bytes()?)?);
    }
    Ok(lines)
}

fn listed(value: Value) -> Decoded<Vec<(u64, JobId)>> {
    let mut reply = Reply::new(value)?;
    let mut listed = Vec::new();
    while !reply.is_empty() {
        listed.push((reply.count()?, job_id(&reply.bytes()?)?));
    }
    Ok(listed)
}

fn all<T>(value: Value, read: impl Fn(&[u8]) -> Decoded<T>) -> Decoded<Vec<T>> {
    let mut reply = Reply::new(value)?;
    let mut all = Vec::new();
    while !reply.is_empty() {
        all.push(read(&reply.bytes()?)?);
    }
    Ok(all)
}

fn turns(ids: &[JobId], value: Value) -> Decoded<Vec<(u64, JobId)>> {
    let mut reply = Reply::new(value)?;
    let mut turns = Vec::new();
    for &id in ids {
        // One that is settled in between may be gone.
        if let Some(bytes) = reply.maybe_bytes()? {
            turns.push((Record::read(&bytes)?.turn, id));
        }
    }
    Ok(turns)
}

fn status(queue: &QueueName, value: Value) -> Decoded<Option<QueueStatus>> {
    let Some(mut reply) = Reply::maybe(value)? else { return Ok(None) };
    let paused = reply.flag()?;
    let latency = Duration::from_millis(reply.count()?);
    let waiting_bytes = reply.count()?;
    let counts = Counts {
        scheduled: reply.count()?,
        queued: reply.count()?,
        running: reply.count()?,
        completed: reply.count()?,
        failed: reply.count()?,
        cancelled: reply.count()?,
    };
    let totals = Totals {
        enqueued: reply.count()?,
        completed: reply.count()?,
        failed: reply.count()?,
        cancelled: reply.count()?,
        retried: reply.count()?,
        released: reply.count()?,
        reaped: reply.count()?,
    };
    let queue = queue.clone();
    Ok(Some(QueueStatus { queue, paused, counts, totals, latency, waiting_bytes }))
}
