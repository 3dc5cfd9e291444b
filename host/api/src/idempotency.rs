//! A request that a client repeats because it didn't hear the answer, with the header
//! `Idempotency-Key`.
//!
//! Nothing is kept beside the jobs: the key gives them their ids, and a header of theirs says of which
//! body they are. So a key is known as long as the records of its jobs, on every daemon of the queue.

use axum::http::{HeaderMap, HeaderName};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use gristmill_job::{Digest, Headers, Job, JobId, NewJob};
use gristmill_queue::Queue;
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use crate::limits;
use crate::problem::{Kind, Problem};

/// The request's header.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The job's header: the digest of the body that it came in.
const BODY_HEADER: &str = "gristmill-request";

/// A key, and the body that it came with.
pub(crate) struct Idempotency {
    key: Vec<u8>,
    body: String,
}

impl Idempotency {
    /// The key of a request, if it has one.
    pub(crate) fn of(headers: &HeaderMap, body: &[u8]) -> Result<Option<Self>, Problem> {
        let Some(key) = headers.get(HEADER) else { return Ok(None) };
        let key = key.as_bytes();
        let is_fine = (1..=limits::IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
            && key.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_fine {
            let max = limits::IDEMPOTENCY_KEY_BYTES_MAX;
            let detail = format!("an idempotency key has 1 to {max} visible characters of ASCII");
            return Err(Problem::new(Kind::InvalidParameter, detail).field(HEADER.as_str()));
        }
        Ok(Some(Self { key: key.to_vec(), body: Digest::of(body).to_string() }))
    }

    /// Marks a job, and gives it its id if its producer gave none; `index` is its place in the body.
    pub(crate) fn mark(&self, job: &mut NewJob, index: usize, has_id: bool) -> Result<(), String> {
        if !has_id {
            job.id = self.id(index);
        }
        let given = job.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mark = (BODY_HEADER.to_owned(), self.body.clone());
        job.headers = Headers::new(given.chain([mark]).collect::<Vec<_>>())?;
        Ok(())
    }

    fn id(&self, index: usize) -> JobId {
        let digest = Sha256::new()
            .chain_update(b"gristmill idempotency key\0")
            .chain_update((index as u64).to_be_bytes())
            .chain_update(&self.key)
            .finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        JobId::from(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Those of these jobs that are there from an earlier request with this key and body.
    ///
    /// # Errors
    /// One of them is there from another request; the queue can't be reached.
    pub(crate) async fn known(
        &self,
        queue: &dyn Queue,
        ids: impl IntoIterator<Item = JobId>,
    ) -> Result<Vec<Job>, Problem> {
        let found = stream::iter(ids)
            .map(|id| async move { queue.get(id).await.map_err(Problem::from) })
            .buffered(limits::LOOKUPS_MAX);
        let found: Vec<Option<Job>> = found.try_collect().await?;
        found.into_iter().flatten().map(|job| self.same(&job).map(|()| job)).collect()
    }

    /// Whether a job came with this body.
    pub(crate) fn same(&self, job: &Job) -> Result<(), Problem> {
        if job.spec.headers.get(BODY_HEADER) == Some(&self.body) {
            return Ok(());
        }
        let detail = format!(
            "this key was used with another body, for job {}; a repeated request has the same body, \
             byte for byte, and another one has a key of its own",
            job.spec.id
        );
        Err(Problem::new(Kind::IdempotencyConflict, detail).field(HEADER.as_str()))
    }
}
