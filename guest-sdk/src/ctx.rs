//! The running attempt.

use std::{
    fmt::Display,
    time::{Duration, SystemTime},
};

use crate::{
    Cache, Commit, FromPayload, HostError, Http, JobError, NewJob, ToPayload, Verdict,
    host::{Active, Host as _},
};

/// The running attempt: what is known of its job, and what the host does for it.
///
/// A job's function takes it as `ctx: &Ctx`, before its input. All calls are answered by the host;
/// in native tests by a `TestHost`.
pub struct Ctx {
    pub(crate) host: Active,
}

impl Ctx {
    pub(crate) fn new(host: Active) -> Ctx {
        Ctx { host }
    }

    /// The job's id, a UUID in its canonical text form.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// #[job]
    /// fn name_of_the_report(ctx: &Ctx) -> JobResult<String> {
    ///     Ok(format!("report-{}.csv", ctx.job_id()))
    /// }
    /// # let host = TestHost::new().with_job_id("7");
    /// # assert_eq!(host.run::<name_of_the_report>(()).unwrap(), "report-7.csv");
    /// ```
    pub fn job_id(&self) -> String {
        self.host.job_id()
    }

    /// The queue that the job came from.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_queue("mail");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.queue(), "mail");
    /// ```
    pub fn queue(&self) -> String {
        self.host.queue()
    }

    /// 1 for the job's first start.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.attempt(), 1);
    /// ```
    pub fn attempt(&self) -> u32 {
        self.host.attempt()
    }

    /// How many counted failures end the job.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// if ctx.attempt() == ctx.max_attempts() {
    ///     ctx.warn("the last chance");
    /// }
    /// ```
    pub fn max_attempts(&self) -> u32 {
        self.host.max_attempts()
    }

    /// When the job was enqueued.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(ctx.enqueued_at() >= std::time::UNIX_EPOCH);
    /// ```
    pub fn enqueued_at(&self) -> SystemTime {
        self.host.enqueued_at()
    }

    /// The job that enqueued this one, if a job did.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_parent_id("7");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.parent_id().as_deref(), Some("7"));
    /// ```
    pub fn parent_id(&self) -> Option<String> {
        self.host.parent_id()
    }

    /// A header that the producer set; names compare without regard to ASCII case.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_header("Tenant", "acme");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.header("tenant").as_deref(), Some("acme"));
    /// ```
    pub fn header(&self, name: &str) -> Option<String> {
        self.host.header(name)
    }

    /// How long until the host ends this attempt.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// # let host = TestHost::new().with_time_limit(Duration::from_secs(30));
    /// # let ctx = host.ctx();
    /// host.advance(Duration::from_secs(29));
    /// assert_eq!(ctx.remaining(), Duration::from_secs(1));
    /// ```
    pub fn remaining(&self) -> Duration {
        self.host.remaining()
    }

    /// True once somebody asked for this job to be cancelled. A job that takes long may look from
    /// time to time and return early; one that doesn't is ended by the host.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(!ctx.cancelled());
    /// host.cancel();
    /// assert!(ctx.cancelled());
    /// ```
    pub fn cancelled(&self) -> bool {
        self.host.cancelled()
    }

    /// Says how far the attempt is. Cheap: the host keeps the last call and publishes a few a
    /// second.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let pages = ["one", "two"];
    /// for (done, page) in pages.iter().enumerate() {
    ///     ctx.progress(done as u64, pages.len() as u64);
    ///     // … work on the page
    /// }
    /// # assert_eq!(host.progress().unwrap().done, 1);
    /// ```
    pub fn progress(&self, done: u64, total: u64) {
        self.host.report(done, Some(total), None);
    }

    /// Says how far the attempt is, with a note that is cut to 256 bytes; the total may be unknown.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.progress_note(17, None, "reading");
    /// # assert_eq!(host.progress().unwrap().note.as_deref(), Some("reading"));
    /// ```
    pub fn progress_note(&self, done: u64, total: Option<u64>, note: impl Display) {
        self.host.report(done, total, Some(&note.to_string()));
    }

    /// What an earlier attempt, or this one, saved last. Read as a job's input is read; a
    /// checkpoint that doesn't fit the type is a fatal error with the code `invalid-checkpoint`.
    ///
    /// ```
    /// use gristmill_guest::prelude::*;
    ///
    /// #[job]
    /// fn import(ctx: &Ctx, input: Vec<String>) -> JobResult<usize> {
    ///     let done: usize = ctx.checkpoint()?.unwrap_or(0);
    ///     for (line, record) in input.iter().enumerate().skip(done) {
    ///         if record.is_empty() {
    ///             bail_retry!("line {line} isn't there yet");
    ///         }
    ///         ctx.save_checkpoint(&(line + 1))?;
    ///     }
    ///     Ok(done)
    /// }
    ///
    /// let host = TestHost::new();
    /// host.run::<import>(vec!["a".to_owned(), String::new()]).unwrap_err();
    /// let resumed_at = host.run::<import>(vec!["a".to_owned(), "b".to_owned()]);
    /// assert_eq!(resumed_at, Ok(1));
    /// ```
    pub fn checkpoint<T: FromPayload>(&self) -> Result<Option<T>, JobError> {
        self.host.saved_checkpoint().map(T::from_payload).transpose().map_err(|error| {
            JobError::fatal(format!("the checkpoint doesn't fit: {error}"))
                .code("invalid-checkpoint")
        })
    }

    /// Keeps state, 64 KiB at most, with the job for the next attempt to read back.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.save_checkpoint("page 17")?;
    /// assert_eq!(ctx.checkpoint::<String>()?.as_deref(), Some("page 17"));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn save_checkpoint<T: ToPayload + ?Sized>(&self, state: &T) -> Result<(), JobError> {
        let state = state.to_payload()?.unwrap_or_default();
        Ok(self.host.save_checkpoint(state)?)
    }

    /// The plugin's own part of the cache, which nobody else sees.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("greeting", "hello")?;
    /// assert_eq!(ctx.cache().get::<String>("greeting")?.as_deref(), Some("hello"));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn cache(&self) -> Cache<'_> {
        self.bucket("")
    }

    /// A part of the cache that the manifest lets several plugins share.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let rates = ctx.bucket("exchange-rates");
    /// rates.set("EUR/USD", &1.08)?;
    /// assert_eq!(ctx.cache().get::<f64>("EUR/USD")?, None);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn bucket(&self, name: &str) -> Cache<'_> {
        Cache::new(&self.host, name)
    }

    /// Requests to the hosts that the manifest allows.
    ///
    /// ```
    /// # use gristmill_guest::{HttpResponse, prelude::*};
    /// let url = "https://api.example.com/health";
    /// # let host = TestHost::new().with_response(url, HttpResponse::new(200, "well"));
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.http().get(url).send()?.text()?, "well");
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn http(&self) -> Http<'_> {
        Http::new(&self.host)
    }

    /// A value of the plugin's configuration.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_config("quality", "80");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.config("quality").as_deref(), Some("80"));
    /// ```
    pub fn config(&self, key: &str) -> Option<String> {
        self.host.config(key)
    }

    /// All values of the plugin's configuration, sorted by key.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_config("quality", "80");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.config_all(), [("quality".to_owned(), "80".to_owned())]);
    /// ```
    pub fn config_all(&self) -> Vec<(String, String)> {
        self.host.config_all()
    }

    /// A secret that the manifest grants.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new().with_secret("api-key", "s3cr3t");
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.secret("api-key")?, "s3cr3t");
    /// assert!(matches!(ctx.secret("other"), Err(HostError::AccessDenied(_))));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn secret(&self, name: &str) -> Result<String, HostError> {
        self.host.secret(name)
    }

    /// Hands over jobs that become real in the step that settles this one as completed; an attempt
    /// that ends otherwise enqueues nothing. A verdict each, in order.
    ///
    /// ```
    /// use gristmill_guest::prelude::*;
    ///
    /// #[job]
    /// fn crawl(ctx: &Ctx, input: String) -> JobResult {
    ///     let page = NewJob::new("fetch", &format!("{input}/index.html"))?;
    ///     let icon = NewJob::new("fetch", &format!("{input}/icon.png"))?.priority(3);
    ///     ctx.enqueue([page, icon])?;
    ///     Ok(())
    /// }
    ///
    /// let host = TestHost::new();
    /// host.run::<crawl>("https://example.org".to_owned())?;
    /// assert_eq!(host.enqueued()[0].input, Payload::text("https://example.org/index.html"));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn enqueue(
        &self,
        jobs: impl IntoIterator<Item = NewJob>,
    ) -> Result<Vec<Verdict>, HostError> {
        self.host.enqueue(jobs.into_iter().collect(), Commit::OnSuccess)
    }

    /// Enqueues jobs at once, whatever becomes of this one; where this attempt is tried again, so
    /// is this call. A verdict each, in order.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let alarm = NewJob::new("notify", "disk full")?.unique_key("disk");
    /// assert!(matches!(ctx.enqueue_now([alarm])?[..], [Verdict::Accepted(_)]));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn enqueue_now(
        &self,
        jobs: impl IntoIterator<Item = NewJob>,
    ) -> Result<Vec<Verdict>, HostError> {
        self.host.enqueue(jobs.into_iter().collect(), Commit::Immediately)
    }
}
