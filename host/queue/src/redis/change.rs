//! What users do to jobs and queues.

use gristmill_job::{JobId, QueueName};
use gristmill_redis::{Arguments, ConnectError, Repeat, Reply};

use super::codec::{Decoded, millis};
use super::reply::{job_id, view};
use super::script::{self, Step};
use super::server::{Server, id_bytes};
use crate::Changed;

impl Server {
    /// Changes a job by a script that is told its id and the bounds of what is kept.
    pub(super) async fn change(
        &self,
        script: &'static Step,
        id: JobId,
    ) -> Result<Changed, ConnectError> {
        let mut arguments = Arguments::default();
        arguments.push(id_bytes(id));
        arguments.push_number(self.config.finished_items_max);
        arguments.push_number(millis(self.config.finished_age_max));
        match self.search(script, &arguments).await? {
            Some((_, reply)) => self.understood(changed(id, reply)),
            None => Ok(Changed::NotFound),
        }
    }

    /// Forgets failed jobs, a bounded number at a time, until none is left.
    pub(super) async fn clear_failed(&self, queue: &QueueName) -> Result<u64, ConnectError> {
        let mut cleared = 0;
        loop {
            let mut arguments = Arguments::default();
            arguments.push_number(self.config.finished_items_max);
            arguments.push_number(self.config.batch_items_max);
            let value = self.run(&script::CLEAR, queue, &arguments, Repeat::Once).await?;
            let (count, more) = self.understood(counted(value))?;
            cleared += count;
            if !more {
                return Ok(cleared);
            }
        }
    }

    pub(super) async fn set_paused(
        &self,
        queue: &QueueName,
        paused: bool,
    ) -> Result<(), ConnectError> {
        self.register(queue).await?;
        let mut arguments = Arguments::default();
        arguments.push_number(u8::from(paused));
        self.run(&script::PAUSE, queue, &arguments, Repeat::Once).await.map(drop)
    }
}

fn changed(id: JobId, mut reply: Reply) -> Decoded<Changed> {
    let what = reply.bytes()?;
    if what == b"conflict" {
        return Ok(Changed::UniqueConflict(job_id(&reply.bytes()?)?));
    }
    let job = Box::new(view(reply.list()?)?.job(id)?);
    Ok(if what == b"done" { Changed::Done(job) } else { Changed::Refused(job) })
}

fn counted(value: redis::Value) -> Decoded<(u64, bool)> {
    let mut reply = Reply::new(value)?;
    Ok((reply.count()?, reply.flag()?))
}
