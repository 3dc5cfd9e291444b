//! What the test host answers to the SDK.

use std::time::{Duration, SystemTime};

use super::{Commit, Level, LogLine, NewJob, Payload, Progress, TestHost, enqueued_at};
use crate::{
    Entry, HostError, HttpRequest, HttpResponse, Verdict, Version,
    cache::Condition,
    host::{Found, Host},
};

/// How large a checkpoint may be.
const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// The right to fill one missing key of the test host's cache.
pub struct Reservation {
    host: TestHost,
    bucket: String,
    key: String,
    id: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.host.state().cache.release(&self.bucket, &self.key, self.id);
    }
}

impl Host for TestHost {
    type Reservation = Reservation;

    fn job_id(&self) -> String {
        self.state().job_id.clone()
    }

    fn queue(&self) -> String {
        self.state().queue.clone()
    }

    fn attempt(&self) -> u32 {
        self.state().attempt
    }

    fn max_attempts(&self) -> u32 {
        self.state().max_attempts
    }

    fn enqueued_at(&self) -> SystemTime {
        enqueued_at()
    }

    fn parent_id(&self) -> Option<String> {
        self.state().parent_id.clone()
    }

    fn header(&self, name: &str) -> Option<String> {
        let state = self.state();
        let found = state.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }

    fn remaining(&self) -> Duration {
        let state = self.state();
        state.deadline.saturating_sub(state.now)
    }

    fn cancelled(&self) -> bool {
        self.state().cancelled
    }

    fn report(&self, done: u64, total: Option<u64>, note: Option<&str>) {
        let note = note.map(ToOwned::to_owned);
        self.state().progress = Some(Progress { done, total, note });
    }

    fn save_checkpoint(&self, state: Payload) -> Result<(), HostError> {
        if state.data.len() > CHECKPOINT_BYTES_MAX {
            return Err(HostError::TooLarge(CHECKPOINT_BYTES_MAX as u64));
        }
        self.state().checkpoint = Some(state);
        Ok(())
    }

    fn saved_checkpoint(&self) -> Option<Payload> {
        self.state().checkpoint.clone()
    }

    fn log_enabled(&self, level: Level) -> bool {
        level >= self.state().level
    }

    fn emit(&self, level: Level, message: &str, fields: &[(String, String)]) {
        if self.log_enabled(level) {
            let line = LogLine { level, message: message.to_owned(), fields: fields.to_vec() };
            self.state().log.push(line);
        }
    }

    fn config(&self, key: &str) -> Option<String> {
        self.state().config.get(key).cloned()
    }

    fn config_all(&self) -> Vec<(String, String)> {
        self.state().config.clone().into_iter().collect()
    }

    fn secret(&self, name: &str) -> Result<String, HostError> {
        let secret = self.state().secrets.get(name).cloned();
        secret.ok_or_else(|| HostError::AccessDenied(format!("secrets: {name:?}")))
    }

    fn enqueue(&self, jobs: Vec<NewJob>, commit: Commit) -> Result<Vec<Verdict>, HostError> {
        let mut state = self.state();
        let verdicts = jobs
            .into_iter()
            .map(|job| {
                let number = state.enqueued.len() + state.held.len() + 2;
                match commit {
                    Commit::OnSuccess => state.held.push(job),
                    Commit::Immediately => state.enqueued.push(job),
                }
                Verdict::Accepted(format!("00000000-0000-4000-8000-{number:012}"))
            })
            .collect();
        Ok(verdicts)
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HostError> {
        let mut state = self.state();
        let response = state.responses.get(&request.url).cloned();
        let denied =
            || HostError::AccessDenied(format!("no response is set for {:?}", request.url));
        let answer = response.ok_or_else(denied);
        state.requests.push(request);
        answer
    }

    fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.get_entry(bucket, key)?.map(|entry| entry.value))
    }

    fn get_entry(&self, bucket: &str, key: &str) -> Result<Option<Entry<Vec<u8>>>, HostError> {
        let state = &mut *self.state();
        state.cache.entry(bucket, key, state.now)
    }

    fn exists(&self, bucket: &str, key: &str) -> Result<bool, HostError> {
        Ok(self.get_entry(bucket, key)?.is_some())
    }

    fn set(
        &self,
        bucket: &str,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        condition: Condition,
    ) -> Result<bool, HostError> {
        let present = self.exists(bucket, key)?;
        match condition {
            Condition::IfAbsent if present => return Ok(false),
            Condition::IfPresent if !present => return Ok(false),
            _ => {}
        }
        let state = &mut *self.state();
        state.cache.set(bucket, key, value, ttl.map(|ttl| state.now + ttl))?;
        Ok(true)
    }

    fn compare_and_set(
        &self,
        bucket: &str,
        key: &str,
        version: Option<Version>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        let current = self.get_entry(bucket, key)?.map(|entry| entry.version);
        if current != version {
            return Ok(false);
        }
        self.set(bucket, key, value, ttl, Condition::Always)
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<bool, HostError> {
        let present = self.exists(bucket, key)?;
        self.state().cache.remove(bucket, key);
        Ok(present)
    }

    fn touch(&self, bucket: &str, key: &str, ttl: Option<Duration>) -> Result<bool, HostError> {
        match self.get(bucket, key)? {
            Some(value) => self.set(bucket, key, &value, ttl, Condition::Always),
            None => Ok(false),
        }
    }

    fn increment(
        &self,
        bucket: &str,
        key: &str,
        delta: i64,
        ttl_on_create: Option<Duration>,
    ) -> Result<i64, HostError> {
        let no_number = || HostError::Invalid(format!("the value under {key:?} is no number"));
        let (number, ttl) = match self.get_entry(bucket, key)? {
            Some(entry) => {
                let text = std::str::from_utf8(&entry.value).map_err(|_| no_number())?;
                (text.parse::<i64>().map_err(|_| no_number())?, entry.ttl)
            }
            None => (0, ttl_on_create),
        };
        let sum = number
            .checked_add(delta)
            .ok_or_else(|| HostError::Invalid(format!("the sum under {key:?} is too large")))?;
        self.set(bucket, key, sum.to_string().as_bytes(), ttl, Condition::Always)?;
        Ok(sum)
    }

    fn get_many(&self, bucket: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, HostError> {
        keys.iter().map(|key| self.get(bucket, key)).collect()
    }

    fn set_many(
        &self,
        bucket: &str,
        entries: &[(String, Vec<u8>)],
        ttl: Option<Duration>,
    ) -> Result<(), HostError> {
        entries.iter().try_for_each(|(key, value)| {
            self.set(bucket, key, value, ttl, Condition::Always).map(drop)
        })
    }

    fn delete_many(&self, bucket: &str, keys: &[String]) -> Result<u64, HostError> {
        keys.iter().map(|key| self.delete(bucket, key).map(u64::from)).sum()
    }

    fn clear(&self, bucket: &str, prefix: &str) -> Result<u64, HostError> {
        let keys = {
            let state = &mut *self.state();
            state.cache.keys(bucket, prefix, state.now)
        };
        self.delete_many(bucket, &keys)
    }

    /// The cursor is the last key of the page before.
    fn scan(
        &self,
        bucket: &str,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<String>, Option<String>), HostError> {
        let mut keys = {
            let state = &mut *self.state();
            state.cache.keys(bucket, prefix, state.now)
        };
        keys.retain(|key| cursor.is_none_or(|cursor| key.as_str() > cursor));
        let more = keys.len() > limit as usize;
        keys.truncate(limit as usize);
        let cursor = keys.last().filter(|_| more).cloned();
        Ok((keys, cursor))
    }

    /// Nobody else runs while a test waits, so all of the time passes at once.
    fn get_or_reserve(
        &self,
        bucket: &str,
        key: &str,
        wait: Duration,
    ) -> Result<Found<Reservation>, HostError> {
        if let Some(value) = self.get(bucket, key)? {
            return Ok(Found::Hit(value));
        }
        let mut state = self.state();
        match state.cache.reserve(bucket, key) {
            Some(id) => Ok(Found::Reserved(Reservation {
                host: self.clone(),
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                id,
            })),
            None => {
                state.now += wait;
                Ok(Found::Busy)
            }
        }
    }

    fn fill(
        &self,
        reservation: Reservation,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        let Reservation { bucket, key, id, .. } = &reservation;
        if !self.state().cache.holds(bucket, key, *id) {
            return Ok(false);
        }
        self.set(bucket, key, value, ttl, Condition::Always)
    }
}
