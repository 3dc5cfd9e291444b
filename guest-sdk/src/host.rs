//! The seam between the SDK and what runs it: the host's interfaces in a component, a
//! [`TestHost`](crate::test::TestHost) natively.

use std::time::{Duration, SystemTime};

use crate::{
    Commit, Entry, HostError, HttpRequest, HttpResponse, Level, NewJob, Payload, Verdict, Version,
    cache::Condition,
};

#[cfg(target_family = "wasm")]
pub(crate) mod wasm;
#[cfg(target_family = "wasm")]
pub(crate) use wasm::Component as Active;

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::test::TestHost as Active;

/// What the host found under a key that a caller would compute.
pub(crate) enum Found<R> {
    Hit(Vec<u8>),
    Reserved(R),
    Busy,
}

/// The host's interfaces in the SDK's types. Times to live are durations, none: for ever.
pub(crate) trait Host {
    /// The right to fill one missing key; dropping it gives it up.
    type Reservation;

    fn job_id(&self) -> String;
    fn queue(&self) -> String;
    fn attempt(&self) -> u32;
    fn max_attempts(&self) -> u32;
    fn enqueued_at(&self) -> SystemTime;
    fn parent_id(&self) -> Option<String>;
    fn header(&self, name: &str) -> Option<String>;
    fn remaining(&self) -> Duration;
    fn cancelled(&self) -> bool;
    fn report(&self, done: u64, total: Option<u64>, note: Option<&str>);
    fn save_checkpoint(&self, state: Payload) -> Result<(), HostError>;
    fn saved_checkpoint(&self) -> Option<Payload>;

    fn log_enabled(&self, level: Level) -> bool;
    fn emit(&self, level: Level, message: &str, fields: &[(String, String)]);

    fn config(&self, key: &str) -> Option<String>;
    fn config_all(&self) -> Vec<(String, String)>;
    fn secret(&self, name: &str) -> Result<String, HostError>;

    fn enqueue(&self, jobs: Vec<NewJob>, commit: Commit) -> Result<Vec<Verdict>, HostError>;

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HostError>;

    fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, HostError>;
    fn get_entry(&self, bucket: &str, key: &str) -> Result<Option<Entry<Vec<u8>>>, HostError>;
    fn exists(&self, bucket: &str, key: &str) -> Result<bool, HostError>;
    fn set(
        &self,
        bucket: &str,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        condition: Condition,
    ) -> Result<bool, HostError>;
    fn compare_and_set(
        &self,
        bucket: &str,
        key: &str,
        version: Option<Version>,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError>;
    fn delete(&self, bucket: &str, key: &str) -> Result<bool, HostError>;
    fn touch(&self, bucket: &str, key: &str, ttl: Option<Duration>) -> Result<bool, HostError>;
    fn increment(
        &self,
        bucket: &str,
        key: &str,
        delta: i64,
        ttl_on_create: Option<Duration>,
    ) -> Result<i64, HostError>;
    fn get_many(&self, bucket: &str, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, HostError>;
    fn set_many(
        &self,
        bucket: &str,
        entries: &[(String, Vec<u8>)],
        ttl: Option<Duration>,
    ) -> Result<(), HostError>;
    fn delete_many(&self, bucket: &str, keys: &[String]) -> Result<u64, HostError>;
    fn clear(&self, bucket: &str, prefix: &str) -> Result<u64, HostError>;
    fn scan(
        &self,
        bucket: &str,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<String>, Option<String>), HostError>;
    fn get_or_reserve(
        &self,
        bucket: &str,
        key: &str,
        wait: Duration,
    ) -> Result<Found<Self::Reservation>, HostError>;
    fn fill(
        &self,
        reservation: Self::Reservation,
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Result<bool, HostError>;
}
