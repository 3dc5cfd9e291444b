//! `gristmill:job/queue`: more jobs, from a job.
//!
//! A plugin may enqueue its own functions; others need a grant. Jobs with `on-success` are held
//! back in the attempt and settled with it; the rest go to [`FollowUps`](crate::FollowUps) at once.

use std::time::Duration;

use bytes::Bytes;
use gristmill_job::trace::TraceContext;
use gristmill_job::{
    FunctionName, Headers, NewJob, Payload, PluginName, Priority, QueueName, RetryPolicy, Start,
    UniqueKey, Verdict, limits,
};
use tracing::instrument;
use wasmtime::component::Resource;

use crate::bindings::queue::{self, Commit};
use crate::bindings::types;
use crate::config;
use crate::fault::Abort;
use crate::log_book::cut;
use crate::state::State;

/// A job to be, as the guest has put it together so far. What is set wrongly is kept as it is, and
/// said by `enqueue`.
#[derive(Debug, Default)]
#[expect(unreachable_pub, reason = "the generated bindings export the types of resources")]
pub struct NewJobDraft {
    function: String,
    content_type: String,
    data: Bytes,
    queue: Option<String>,
    priority: Option<u8>,
    delay: Option<u64>,
    attempts_max: Option<u32>,
    timeout: Option<u64>,
    unique_key: Option<String>,
    headers: Vec<(String, String)>,
}

impl queue::HostNewJob for State {
    fn new(
        &mut self,
        function: String,
        input: types::Payload,
    ) -> wasmtime::Result<Resource<NewJobDraft>> {
        self.count_host_call()?;
        self.count_draft(function.len() + input.content_type.len() + input.data.len())?;
        let draft = NewJobDraft {
            function,
            content_type: input.content_type,
            data: Bytes::from(input.data),
            ..NewJobDraft::default()
        };
        Ok(self.table.push(draft)?)
    }

    fn set_queue(&mut self, job: Resource<NewJobDraft>, name: String) -> wasmtime::Result<()> {
        self.count_draft(name.len())?;
        self.draft(&job)?.queue = Some(name);
        Ok(())
    }

    fn set_priority(&mut self, job: Resource<NewJobDraft>, class: u8) -> wasmtime::Result<()> {
        self.draft(&job)?.priority = Some(class);
        Ok(())
    }

    fn set_delay(&mut self, job: Resource<NewJobDraft>, millis: u64) -> wasmtime::Result<()> {
        self.draft(&job)?.delay = Some(millis);
        Ok(())
    }

    fn set_max_attempts(&mut self, job: Resource<NewJobDraft>, n: u32) -> wasmtime::Result<()> {
        self.draft(&job)?.attempts_max = Some(n);
        Ok(())
    }

    fn set_timeout(&mut self, job: Resource<NewJobDraft>, millis: u64) -> wasmtime::Result<()> {
        self.draft(&job)?.timeout = Some(millis);
        Ok(())
    }

    fn set_unique_key(&mut self, job: Resource<NewJobDraft>, key: String) -> wasmtime::Result<()> {
        self.count_draft(key.len())?;
        self.draft(&job)?.unique_key = Some(key);
        Ok(())
    }

    fn set_header(
        &mut self,
        job: Resource<NewJobDraft>,
        name: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.count_draft(name.len() + value.len())?;
        let draft = self.draft(&job)?;
        // One more than allowed is enough to be refused by, and bounds what the host keeps.
        if draft.headers.len() <= limits::HEADERS_MAX {
            draft.headers.push((name, value));
        }
        Ok(())
    }

    fn drop(&mut self, job: Resource<NewJobDraft>) -> wasmtime::Result<()> {
        self.table.delete(job)?;
        Ok(())
    }
}

impl queue::Host for State {
    #[instrument(level = "trace", name = "queue.enqueue", skip_all)]
    async fn enqueue(
        &mut self,
        drafts: Vec<Resource<NewJobDraft>>,
        commit: Commit,
    ) -> wasmtime::Result<Result<Vec<queue::Verdict>, types::Error>> {
        self.count_host_call()?;
        let mut jobs = Vec::with_capacity(drafts.len());
        for draft in drafts {
            jobs.push(self.table.delete(draft)?);
        }
        if let Err(error) = self.budget.take_follow_ups(&self.limits, jobs.len()) {
            return Ok(Err(error));
        }
        let jobs = jobs.into_iter().map(|draft| self.parse(draft)).collect::<Result<Vec<_>, _>>();
        let jobs = match jobs {
            Ok(jobs) => jobs,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match commit {
            Commit::OnSuccess => Ok(self.hold_back(jobs)),
            Commit::Immediately => self.enqueue_now(jobs).await,
        })
    }
}

impl State {
    fn draft(&mut self, job: &Resource<NewJobDraft>) -> wasmtime::Result<&mut NewJobDraft> {
        self.count_host_call()?;
        Ok(self.table.get_mut(job)?)
    }

    /// Counts what the host keeps for a draft: of these there may be thousands, and the guest needn't
    /// have as much memory, since all of them may come from the same place in it.
    fn count_draft(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.budget.draft_bytes = self.budget.draft_bytes.saturating_add(bytes);
        if self.budget.draft_bytes > self.limits.follow_up_bytes_max {
            return Err(Abort::Limit("follow_up_bytes").into());
        }
        Ok(())
    }

    fn hold_back(&mut self, jobs: Vec<Result<NewJob, String>>) -> Vec<queue::Verdict> {
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            verdicts.push(match job {
                Ok(job) => {
                    let id = job.id.to_string();
                    self.follow_ups.push(job);
                    queue::Verdict::Accepted(id)
                }
                Err(why) => queue::Verdict::Rejected(why),
            });
        }
        verdicts
    }

    async fn enqueue_now(
        &mut self,
        jobs: Vec<Result<NewJob, String>>,
    ) -> Result<Vec<queue::Verdict>, types::Error> {
        let good: Vec<NewJob> = jobs.iter().filter_map(|job| job.clone().ok()).collect();
        let verdicts = if good.is_empty() {
            Vec::new()
        } else {
            self.shared
                .follow_ups
                .enqueue(good)
                .await
                .map_err(|e| types::Error::Unavailable(format!("the queue: {e:#}")))?
        };
        let mut verdicts = verdicts.into_iter();
        Ok(jobs
            .into_iter()
            .map(|job| match job {
                Ok(job) => said(job.id.to_string(), verdicts.next()),
                Err(why) => queue::Verdict::Rejected(why),
            })
            .collect())
    }

    /// A draft becomes a job here, once. The outer error is one of access and ends the call, the
    /// inner one is a verdict on this job alone.
    fn parse(&self, draft: NewJobDraft) -> Result<Result<NewJob, String>, types::Error> {
        match draft.function.split_once('/') {
            // A path such as `ns:pkg/interface#function` is a function of this plugin too.
            Some((plugin, function)) if !plugin.contains(':') => {
                let (plugin, function) = (plugin.to_owned(), function.to_owned());
                if plugin == self.plugin.name().as_str() {
                    return Ok(self.parse_own(&function, draft));
                }
                let (plugin, function) = self.granted(&plugin, &function)?;
                Ok(self.parse_for(plugin, function, draft))
            }
            _ => Ok(self.parse_own(&draft.function.clone(), draft)),
        }
    }

    /// Another plugin's function, if the manifest grants it.
    fn granted(
        &self,
        plugin: &str,
        function: &str,
    ) -> Result<(PluginName, FunctionName), types::Error> {
        let named = PluginName::new(plugin).ok().zip(FunctionName::new(function).ok());
        let targets = &self.plugin.grants().enqueue;
        let granted = named.filter(|(plugin, function)| {
            targets.iter().any(|target| target.covers(plugin, function))
        });
        granted.ok_or_else(|| {
            let asked = cut(plugin, config::NAME_BYTES_SHOWN);
            types::Error::AccessDenied(format!(
                "jobs for the plugin {asked:?} are not granted to this plugin; what this needs is \
                 {asked:?} in the list enqueue under [grants] in its manifest, {}.toml",
                self.plugin.name()
            ))
        })
    }

    /// A job for a function of this plugin, whose input can be checked here.
    fn parse_own(&self, function: &str, draft: NewJobDraft) -> Result<NewJob, String> {
        let function = FunctionName::new(function).map_err(|e| e.to_string())?;
        let mut job = self.parse_for(self.plugin.name().clone(), function, draft)?;
        job.function = Some(self.plugin.check(&job).map_err(|e| e.message)?);
        job.digest = self.job.spec.digest;
        Ok(job)
    }

    fn parse_for(
        &self,
        plugin: PluginName,
        function: FunctionName,
        draft: NewJobDraft,
    ) -> Result<NewJob, String> {
        let parent = &self.job.spec;
        let depth = parent.depth + 1;
        if depth > limits::DEPTH_MAX {
            return Err(format!("a chain of jobs may be {} deep", limits::DEPTH_MAX));
        }
        let input = Payload { content_type: draft.content_type, data: draft.data };
        if input.data.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(format!("an input may have {} bytes", limits::PAYLOAD_BYTES_MAX));
        }
        let mut job = NewJob::new(plugin, input);
        job.function = Some(function);
        let context = TraceContext::of(parent);
        job.traceparent = context.map(|context| context.within(parent.id, self.job.attempt));
        job.parent = Some(parent.id);
        job.depth = depth;
        job.queue = match draft.queue {
            Some(name) => QueueName::new(&name).map_err(|e| e.to_string())?,
            None => parent.queue.clone(),
        };
        if let Some(class) = draft.priority {
            job.priority = Priority::try_from(class)?;
        }
        if let Some(millis) = draft.delay {
            job.start = Start::After(bounded("delay", millis, limits::DELAY_MAX)?);
        }
        if let Some(attempts) = draft.attempts_max {
            if !(1..=limits::ATTEMPTS_MAX).contains(&attempts) {
                return Err(format!(
                    "max-attempts: {attempts} is not within 1 to {}",
                    limits::ATTEMPTS_MAX
                ));
            }
            job.retry = Some(RetryPolicy { attempts_max: attempts, ..RetryPolicy::default() });
        }
        if let Some(millis) = draft.timeout {
            job.timeout = Some(bounded("timeout", millis.max(1), limits::TIMEOUT_MAX)?);
        }
        if let Some(key) = draft.unique_key {
            job.unique_key = Some(UniqueKey::new(&key).map_err(|e| e.to_string())?);
        }
        job.headers = Headers::new(draft.headers)?;
        Ok(job)
    }
}

fn bounded(what: &str, millis: u64, max: Duration) -> Result<Duration, String> {
    let duration = Duration::from_millis(millis);
    if duration > max {
        return Err(format!("{what}: {millis} ms is more than {} ms", max.as_millis()));
    }
    Ok(duration)
}

fn said(id: String, verdict: Option<Verdict>) -> queue::Verdict {
    match verdict {
        Some(Verdict::Created | Verdict::Duplicate) => queue::Verdict::Accepted(id),
        Some(Verdict::UniqueConflict(owner)) => queue::Verdict::UniqueConflict(owner.to_string()),
        Some(Verdict::Rejected(rejection)) => queue::Verdict::Rejected(rejection.to_string()),
        None => queue::Verdict::Rejected("the queue gave no verdict".to_owned()),
    }
}
