//! One computation for many jobs that want the same value.

use std::{fmt::Display, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::{Cache, encode};
use crate::{
    HostError, JobError, Level, ToPayload,
    convert::decode,
    host::{Active, Found, Host},
};

/// The most that one call of the host waits for another's computation; then the time left is
/// looked at again.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// The right to fill one missing key. Dropped unfilled, by a trap or a timeout too, it lets the
/// next caller try.
pub struct Reservation<'a> {
    host: &'a Active,
    key: String,
    inner: <Active as Host>::Reservation,
}

impl Reservation<'_> {
    /// Stores the value and ends the reservation. False: the reservation had been lost in the
    /// meantime, and nothing was stored.
    pub fn fill<T: ToPayload + ?Sized>(
        self,
        value: &T,
        ttl: Option<Duration>,
    ) -> Result<bool, HostError> {
        let value = encode(&self.key, value)?;
        self.host.fill(self.inner, &value, ttl)
    }
}

/// What [`Cache::get_or_reserve`] found.
pub enum Lookup<'a> {
    /// The value, as it is stored.
    Hit(Vec<u8>),
    /// There is none, and this caller is the one to compute it.
    Reserved(Reservation<'a>),
    /// Another caller is computing it and wasn't done in the time given.
    Busy,
}

/// Who computes a value that isn't there.
enum Turn<'a> {
    /// This caller alone.
    Ours(Reservation<'a>),
    /// This caller too, and others may.
    Anybody,
}

impl<'a> Cache<'a> {
    /// The value under a key; where there is none, it is computed, by one caller while the others
    /// wait for it, and stored for `ttl`.
    ///
    /// The cache is a help here and no need: where it can't be reached or the attempt's budget for
    /// it is spent, where it holds a value of another type, and where another caller computes for
    /// longer than half of the time that this attempt had left, the value is computed here. What
    /// was in the way is logged.
    ///
    /// ```
    /// use gristmill_guest::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[job]
    /// fn price(ctx: &Ctx, input: String) -> JobResult<u32> {
    ///     ctx.cache().remember(&input, Duration::from_secs(60), || {
    ///         ctx.info("asking the shop");
    ///         JobResult::Ok(17)
    ///     })
    /// }
    ///
    /// let host = TestHost::new();
    /// assert_eq!(host.run::<price>("tea".to_owned()), Ok(17));
    /// assert_eq!(host.run::<price>("tea".to_owned()), Ok(17));
    /// assert_eq!(host.log().len(), 1);
    /// ```
    pub fn remember<T, E>(
        &self,
        key: &str,
        ttl: Duration,
        compute: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, JobError>
    where
        T: Serialize + DeserializeOwned + 'static,
        E: Into<JobError>,
    {
        let turn = match self.hit_or_turn(key)? {
            Ok(value) => return Ok(value),
            Err(turn) => turn,
        };
        let value = compute().map_err(Into::into)?;
        let stored = match turn {
            Turn::Ours(reservation) => reservation.fill(&value, Some(ttl)),
            Turn::Anybody => self.set_with(key, &value, ttl),
        };
        if let Err(error) = stored {
            self.warn(key, "a computed value isn't kept", &error);
        }
        Ok(value)
    }

    /// The value under a key, or the right to be the only one who computes it. Waits for another
    /// caller's computation up to `wait`.
    ///
    /// ```
    /// use gristmill_guest::{Lookup, prelude::*};
    /// use std::time::Duration;
    ///
    /// # let host = TestHost::new();
    /// # let ctx = host.ctx();
    /// match ctx.cache().get_or_reserve("price", Duration::from_secs(1))? {
    ///     Lookup::Hit(price) => ctx.info(format_args!("{} bytes", price.len())),
    ///     Lookup::Reserved(reservation) => drop(reservation.fill(&17, None)?),
    ///     Lookup::Busy => bail_retry!("somebody else is at it"),
    /// }
    /// assert_eq!(ctx.cache().get("price")?, Some(17));
    /// # Ok::<(), JobError>(())
    /// ```
    pub fn get_or_reserve(&self, key: &str, wait: Duration) -> Result<Lookup<'a>, HostError> {
        Ok(match self.host.get_or_reserve(&self.bucket, key, wait)? {
            Found::Hit(value) => Lookup::Hit(value),
            Found::Busy => Lookup::Busy,
            Found::Reserved(inner) => {
                Lookup::Reserved(Reservation { host: self.host, key: key.to_owned(), inner })
            }
        })
    }

    fn hit_or_turn<T>(&self, key: &str) -> Result<Result<T, Turn<'a>>, HostError>
    where
        T: DeserializeOwned + 'static,
    {
        let wait_until = self.host.remaining() / 2;
        loop {
            let wait = self.host.remaining().saturating_sub(wait_until).min(WAIT_MAX);
            match self.get_or_reserve(key, wait) {
                Ok(Lookup::Hit(data)) => match decode(data) {
                    Ok(value) => return Ok(Ok(value)),
                    Err(error) => self.warn(key, "a value of another type is replaced", &error),
                },
                Ok(Lookup::Reserved(reservation)) => return Ok(Err(Turn::Ours(reservation))),
                Ok(Lookup::Busy) if self.host.remaining() > wait_until => continue,
                Ok(Lookup::Busy) => {
                    self.warn(key, "another computes for too long", &"computing it here too");
                }
                Err(error @ (HostError::Unavailable(_) | HostError::QuotaExceeded(_))) => {
                    self.warn(key, "computing without the cache", &error);
                }
                Err(error) => return Err(error),
            }
            return Ok(Err(Turn::Anybody));
        }
    }

    fn warn(&self, key: &str, message: &str, reason: &dyn Display) {
        let fields =
            [("key".to_owned(), key.to_owned()), ("reason".to_owned(), reason.to_string())];
        self.host.emit(Level::Warn, message, &fields);
    }
}
