//! What jobs remember beyond their attempt.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{
    HostError, ToPayload,
    convert::decode,
    host::{Active, Host as _},
};

mod many;
mod remember;

pub use many::Scan;
pub use remember::{Lookup, Reservation};

/// One namespace of the cache; [`Ctx::cache`](crate::Ctx::cache) and
/// [`Ctx::bucket`](crate::Ctx::bucket) give it.
///
/// Keys are 1 to 512 bytes, values up to 1 MiB, both by default. An entry without a time to live
/// stays until it is deleted or evicted. A `String` is stored as its text and a `Vec<u8>` as its
/// bytes, everything else as JSON. Each call counts against the attempt's budget of operations and
/// bytes.
///
/// ```
/// use gristmill_guest::prelude::*;
/// use std::time::Duration;
///
/// #[job]
/// fn visits(ctx: &Ctx, input: String) -> JobResult<i64> {
///     let day = Duration::from_secs(24 * 60 * 60);
///     Ok(ctx.cache().increment_with(&format!("visits:{input}"), 1, day)?)
/// }
///
/// let host = TestHost::new();
/// assert_eq!(host.run::<visits>("cat".to_owned()), Ok(1));
/// assert_eq!(host.run::<visits>("cat".to_owned()), Ok(2));
/// ```
pub struct Cache<'a> {
    host: &'a Active,
    bucket: String,
}

/// How long a value is kept, and when it is stored at all.
///
/// ```
/// use gristmill_guest::{SetOptions, prelude::*};
/// use std::time::Duration;
///
/// # let host = TestHost::new();
/// # let ctx = host.ctx();
/// let lock = SetOptions::ttl(Duration::from_secs(10)).if_absent();
/// assert!(ctx.cache().set_with("lock", "mine", lock)?);
/// assert!(!ctx.cache().set_with("lock", "mine too", lock)?);
/// # Ok::<(), JobError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetOptions {
    ttl: Option<Duration>,
    condition: Condition,
}

impl SetOptions {
    /// Kept for this long.
    pub fn ttl(ttl: Duration) -> SetOptions {
        SetOptions { ttl: Some(ttl), condition: Condition::Always }
    }

    /// Kept until it is deleted or evicted; the default.
    pub fn forever() -> SetOptions {
        SetOptions::default()
    }

    /// Stored only where there is no entry.
    #[must_use]
    pub fn if_absent(self) -> SetOptions {
        SetOptions { condition: Condition::IfAbsent, ..self }
    }

    /// Stored only where there is an entry.
    #[must_use]
    pub fn if_present(self) -> SetOptions {
        SetOptions { condition: Condition::IfPresent, ..self }
    }
}

impl From<Duration> for SetOptions {
    fn from(ttl: Duration) -> SetOptions {
        SetOptions::ttl(ttl)
    }
}

/// When a `set` takes place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    #[default]
    Always,
    IfAbsent,
    IfPresent,
}

/// A value with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// For [`Cache::compare_and_set`].
    pub version: Version,
    /// How long it is still kept, if it expires.
    pub ttl: Option<Duration>,
}

/// Tells the states of an entry apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub(crate) u64);

impl<'a> Cache<'a> {
    pub(crate) fn new(host: &'a Active, bucket: &str) -> Cache<'a> {
        Cache { host, bucket: bucket.to_owned() }
    }

    /// The value under a key. A value that isn't of this type is [`HostError::Invalid`].
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("sizes", &[640, 480])?;
    /// assert_eq!(ctx.cache().get::<Vec<u32>>("sizes")?, Some(vec![640, 480]));
    /// assert_eq!(ctx.cache().get::<Vec<u32>>("other")?, None);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn get<T: DeserializeOwned + 'static>(&self, key: &str) -> Result<Option<T>, HostError> {
        self.get_bytes(key)?.map(|data| typed(key, data)).transpose()
    }

    /// The value under a key, as it is stored.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("size", &640)?;
    /// assert_eq!(ctx.cache().get_bytes("size")?.as_deref(), Some(&b"640"[..]));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn get_bytes(&self, key: &str) -> Result<Option<Vec<u8>>, HostError> {
        self.host.get(&self.bucket, key)
    }

    /// The value under a key, with its version and time to live.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set_with("size", &640, Duration::from_secs(60))?;
    /// host.advance(Duration::from_secs(45));
    /// let entry = ctx.cache().entry::<u32>("size")?.or_fatal("gone")?;
    /// assert_eq!((entry.value, entry.ttl), (640, Some(Duration::from_secs(15))));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn entry<T: DeserializeOwned + 'static>(
        &self,
        key: &str,
    ) -> Result<Option<Entry<T>>, HostError> {
        let Some(Entry { value, version, ttl }) = self.host.get_entry(&self.bucket, key)? else {
            return Ok(None);
        };
        Ok(Some(Entry { value: typed(key, value)?, version, ttl }))
    }

    /// Whether there is an entry.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(!ctx.cache().exists("size")?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn exists(&self, key: &str) -> Result<bool, HostError> {
        self.host.exists(&self.bucket, key)
    }

    /// Stores a value until it is deleted or evicted.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("greeting", "hello")?;
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn set<T: ToPayload + ?Sized>(&self, key: &str, value: &T) -> Result<(), HostError> {
        self.set_with(key, value, SetOptions::forever()).map(drop)
    }

    /// Stores a value; a duration alone is its time to live. False: the condition didn't hold.
    ///
    /// ```
    /// # use gristmill_guest::{SetOptions, prelude::*};
    /// # use std::time::Duration;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(ctx.cache().set_with("greeting", "hello", Duration::from_secs(60))?);
    /// assert!(!ctx.cache().set_with("answer", "hi", SetOptions::forever().if_present())?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn set_with<T: ToPayload + ?Sized>(
        &self,
        key: &str,
        value: &T,
        options: impl Into<SetOptions>,
    ) -> Result<bool, HostError> {
        self.set_bytes(key, &encode(key, value)?, options)
    }

    /// Stores bytes as they are. False: the condition didn't hold.
    ///
    /// ```
    /// # use gristmill_guest::{SetOptions, prelude::*};
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set_bytes("pixel", &[255, 0, 0], SetOptions::forever())?;
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn set_bytes(
        &self,
        key: &str,
        value: &[u8],
        options: impl Into<SetOptions>,
    ) -> Result<bool, HostError> {
        let SetOptions { ttl, condition } = options.into();
        self.host.set(&self.bucket, key, value, ttl, condition)
    }

    /// Stores a value if the entry still has this version (none: if there is no entry). False: it
    /// had changed.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// let cache = ctx.cache();
    /// assert!(cache.compare_and_set("names", None, &["ada"], None)?);
    /// let entry = cache.entry::<Vec<String>>("names")?.or_fatal("gone")?;
    /// assert!(cache.compare_and_set("names", Some(entry.version), &["ada", "alan"], None)?);
    /// assert!(!cache.compare_and_set("names", Some(entry.version), &["grace"], None)?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn compare_and_set<T: ToPayload + ?Sized>(
        &self,
        key: &str,
        version: Option<Version>,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        self.host.compare_and_set(&self.bucket, key, version, &encode(key, value)?, ttl)
    }

    /// Removes an entry. False: there was none.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert!(!ctx.cache().delete("greeting")?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn delete(&self, key: &str) -> Result<bool, HostError> {
        self.host.delete(&self.bucket, key)
    }

    /// Gives an entry a new time to live; none: it doesn't expire any more. False: there is no
    /// entry.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// ctx.cache().set("session", "open")?;
    /// assert!(ctx.cache().touch("session", Some(Duration::from_secs(60)))?);
    /// host.advance(Duration::from_secs(60));
    /// assert!(!ctx.cache().exists("session")?);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn touch(&self, key: &str, ttl: Option<Duration>) -> Result<bool, HostError> {
        self.host.touch(&self.bucket, key, ttl)
    }

    /// Adds to a number, starting from 0, and answers the sum. An entry that this call creates
    /// doesn't expire.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// assert_eq!(ctx.cache().increment("seats", 20)?, 20);
    /// assert_eq!(ctx.cache().increment("seats", -3)?, 17);
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn increment(&self, key: &str, delta: i64) -> Result<i64, HostError> {
        self.host.increment(&self.bucket, key, delta, None)
    }

    /// Adds to a number, as [`Cache::increment`] does. An entry that this call creates is kept for
    /// the given time; one that was there keeps its own.
    ///
    /// ```
    /// # use gristmill_guest::prelude::*;
    /// # use std::time::Duration;
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// if ctx.cache().increment_with("calls", 1, Duration::from_secs(60))? > 100 {
    ///     return Err(JobError::retry_after(Duration::from_secs(60), "100 calls a minute"));
    /// }
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn increment_with(
        &self,
        key: &str,
        delta: i64,
        ttl_on_create: Duration,
    ) -> Result<i64, HostError> {
        self.host.increment(&self.bucket, key, delta, Some(ttl_on_create))
    }
}

fn typed<T: DeserializeOwned + 'static>(key: &str, data: Vec<u8>) -> Result<T, HostError> {
    decode(data).map_err(|error| {
        let expected = std::any::type_name::<T>();
        HostError::Invalid(format!("the value under {key:?} is no {expected}: {error}"))
    })
}

fn encode<T: ToPayload + ?Sized>(key: &str, value: &T) -> Result<Vec<u8>, HostError> {
    match value.to_payload() {
        Ok(payload) => Ok(payload.unwrap_or_default().data),
        Err(error) => Err(HostError::Invalid(format!("the value for {key:?}: {error}"))),
    }
}

#[cfg(test)]
mod tests;
