//! Holds what a queue's keys say of its jobs against the jobs, while the queue is in use.
//!
//! Every step is one script that looks at a bounded number of things at one moment and, if it is to,
//! repairs in the same moment what it finds. A healthy queue has no fault at any moment, whatever its
//! workers do; faults come from what was done to the keys by others, or lost by the server.

mod fault;
mod step;
mod sweep;

use gristmill_job::QueueName;
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};

pub use self::fault::{Fault, FaultKind};
use self::sweep::{Sweep, Tally};
use super::script;
use super::server::Server;

/// Faults that are told one by one: more than a person reads, and bounded whatever happened.
const FAULTS_MAX: usize = 1_000;

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Jobs that were looked at.
    pub jobs: u64,
    /// What was found, the first thousand.
    pub faults: Vec<Fault>,
    /// How many faults were found.
    pub found: u64,
    /// How many of them were repaired.
    pub repaired: u64,
    /// Whether the queue's counters were compared: no job may move meanwhile.
    pub counted: bool,
}

impl Checked {
    /// How many faults are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.found - self.repaired
    }

    fn note(&mut self, fault: Fault) {
        self.found += 1;
        self.repaired += u64::from(fault.repaired);
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

impl Server {
    /// See [`RedisQueue::check`](super::RedisQueue::check).
    pub(super) async fn check(
        &self,
        queue: &QueueName,
        repair: bool,
    ) -> Result<Checked, ConnectError> {
        let mut stamp = self.stamp(queue).await?;
        let mut sweep = Sweep::new(self, queue, repair);
        sweep.all().await?;
        let (mut checked, mut tally) = sweep.into_parts();
        if checked.repaired > 0 {
            // What was repaired has moved jobs: they are counted again.
            stamp = self.stamp(queue).await?;
            let mut again = Sweep::new(self, queue, false);
            again.all().await?;
            tally = again.into_parts().1;
        }
        if let Some(wrong) = self.compare(queue, &stamp, tally, repair).await? {
            checked.counted = true;
            for (name, kept, counted) in wrong {
                let detail = format!("{kept} is kept, {counted} was counted");
                let repaired = repair;
                checked.note(Fault { kind: FaultKind::Counter, subject: name, detail, repaired });
            }
        }
        Ok(checked)
    }

    /// Tells by its change that jobs have moved.
    async fn stamp(&self, queue: &QueueName) -> Result<Vec<u8>, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push("");
        let value = self.run(&script::TALLY, queue, &arguments, Repeat::Once).await?;
        self.understood(gristmill_redis::bytes(value))
    }

    /// The counters that are wrong: name, what is kept, and what was counted. None, if jobs have
    /// moved since the stamp.
    async fn compare(
        &self,
        queue: &QueueName,
        stamp: &[u8],
        tally: Tally,
        repair: bool,
    ) -> Result<Option<Vec<(String, i64, i64)>>, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push(stamp);
        arguments.push_number(tally.bytes);
        arguments.push_number(tally.running);
        arguments.push_number(tally.turn);
        arguments.push_number(u8::from(repair));
        let value = self.run(&script::TALLY, queue, &arguments, Repeat::Once).await?;
        let read = || {
            let Some(mut reply) = Reply::maybe(value)? else { return Ok(None) };
            let mut wrong = Vec::new();
            while !reply.is_empty() {
                let name = String::from_utf8(reply.bytes()?)?;
                wrong.push((name, reply.number()?, reply.number()?));
            }
            Ok(Some(wrong))
        };
        self.understood(read())
    }
}
