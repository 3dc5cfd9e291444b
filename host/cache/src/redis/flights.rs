//! Who is computing which missing value, over all processes.
//!
//! A reservation is a key with its token, which the server forgets when the lease ends. Who finds it
//! taken notes the name of its process beside it, and is told over the process's channel when it is
//! given up or filled; a message that is lost costs a wait until the next look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyhow::anyhow;
use bytes::Bytes;
use gristmill_redis::{
    Arguments, ConnectError, Link, Listener, Repeat, Reply, Script, Subscription,
};
use redis::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::keys::{Keys, place};
use super::millis;
use crate::{Error, Key, Lookup, Reservation, Space};

/// The longest wait before one who waits looks again by itself.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest: a lease may end at any moment, but the server need not be asked all the time.
const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// How long a process is remembered as waiting after it last looked: some looks.
const WAITING_TTL: Duration = Duration::from_secs(10);

/// The scripts.
pub(super) struct Steps {
    reserve: Arc<Script>,
    fill: Arc<Script>,
    release: Arc<Script>,
}

impl Steps {
    pub(super) fn new(store: &str) -> Self {
        let tell = include_str!("scripts/tell.lua");
        let script = |parts: &[&str]| Arc::new(Script::new(parts.concat()));
        Self {
            reserve: script(&[include_str!("scripts/reserve.lua")]),
            fill: script(&[store, tell, include_str!("scripts/fill.lua")]),
            release: script(&[tell, include_str!("scripts/release.lua")]),
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<Script>> {
        [&self.reserve, &self.fill, &self.release].map(Arc::clone).to_vec()
    }
}

/// Who is computing which missing value.
pub(super) struct Flights {
    shared: Arc<Shared>,
    bells: Arc<Bells>,
    _subscription: Subscription,
}

/// What a call needs that goes on although nobody waits for it any more.
struct Shared {
    link: Arc<Link>,
    keys: Arc<Keys>,
    steps: Steps,
    /// The process's name among those that wait.
    name: String,
}

/// What a look found.
enum Found {
    Value(Bytes),
    Reserved(Reservation),
    /// Somebody else has it, for this long at most.
    Busy(Duration),
}

impl Flights {
    pub(super) fn open(link: &Arc<Link>, keys: &Arc<Keys>, steps: Steps) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        let bells = Arc::<Bells>::default();
        let channel = format!("{}{name}", keys.bells());
        let subscription = Subscription::open(link, channel, Arc::clone(&bells) as _);
        let (link, keys) = (Arc::clone(link), Arc::clone(keys));
        let shared = Arc::new(Shared { link, keys, steps, name });
        Self { shared, bells, _subscription: subscription }
    }

    pub(super) async fn ask_or_wait(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        wait: Duration,
    ) -> Result<Lookup, Error> {
        let begun = Instant::now();
        let bell = (!wait.is_zero()).then(|| self.bells.of(place(space, key)));
        loop {
            // From here on a ring is kept for the wait below.
            let mut ring = bell.as_ref().map(|bell| Box::pin(bell.notified()));
            if let Some(ring) = &mut ring {
                ring.as_mut().enable();
            }
            let left = wait.saturating_sub(begun.elapsed());
            let busy = match self.ask(space, key, lease, !left.is_zero()).await? {
                Found::Value(value) => return Ok(Lookup::Hit(value)),
                Found::Reserved(reservation) => return Ok(Lookup::Reserved(reservation)),
                Found::Busy(busy) => busy,
            };
            let left = wait.saturating_sub(begun.elapsed());
            let (Some(ring), false) = (ring, left.is_zero()) else { return Ok(Lookup::Busy) };
            let pause = busy.clamp(LOOK_PAUSE, LOOK_INTERVAL).min(left);
            // Whether it rang or not, the answer is the server's.
            let _ = tokio::time::timeout(pause, ring).await;
        }
    }

    /// Asks in a task of its own: a caller who is gone when the answer comes leaves no reservation
    /// behind.
    async fn ask(
        &self,
        space: &Space,
        key: &Key,
        lease: Duration,
        waits: bool,
    ) -> Result<Found, Error> {
        let shared = Arc::clone(&self.shared);
        let (space, key) = (space.clone(), key.clone());
        let (answer, answered) = tokio::sync::oneshot::channel();
        drop(self.shared.link.home().spawn(async move {
            let found = shared.ask(space, key, lease, waits).await;
            if let Err(Ok(Found::Reserved(reservation))) = answer.send(found)
                && let Err(error) = shared.release(&reservation).await
            {
                tracing::debug!(%error, "a reservation that nobody wants stays until its lease ends");
            }
        }));
        let ended = |_| Error::Unavailable(anyhow!("the host is about to end"));
        Ok(answered.await.map_err(ended)??)
    }

    /// Stores the value that a reservation was for, if it is held still.
    pub(super) async fn fill(
        &self,
        reservation: &Reservation,
        value: &Bytes,
        ttl: &str,
    ) -> Result<bool, Error> {
        let Shared { link, keys, steps, .. } = &*self.shared;
        let mut arguments = given_up(keys, reservation);
        arguments.push(&**value);
        arguments.push(ttl);
        let Reservation { space, key, .. } = reservation;
        let entry = keys.entry(space, key).into_bytes();
        let [flight, waiting] = flight_keys(keys, space, key);
        let filled =
            link.run(&steps.fill, &[entry, flight, waiting], &arguments, Repeat::Never).await?;
        Ok(filled == Value::Int(1))
    }

    pub(super) async fn release(&self, reservation: &Reservation) -> Result<(), Error> {
        Ok(self.shared.release(reservation).await?)
    }
}

impl Shared {
    async fn ask(
        &self,
        space: Space,
        key: Key,
        lease: Duration,
        waits: bool,
    ) -> Result<Found, ConnectError> {
        let token = Uuid::new_v4();
        let mut arguments = Arguments::default();
        arguments.push(token.simple().to_string());
        // A lease of nothing is none that the server could keep.
        arguments.push_number(millis(lease).max(1));
        arguments.push(if waits { self.name.as_str() } else { "" });
        arguments.push_number(millis(WAITING_TTL));
        let entry = self.keys.entry(&space, &key).into_bytes();
        let [flight, waiting] = flight_keys(&self.keys, &space, &key);
        let keys = [entry, flight, waiting];
        let value = self.link.run(&self.steps.reserve, &keys, &arguments, Repeat::Once).await?;
        let token = token.as_u128();
        let found = found(value, Reservation { space, key, token });
        found.map_err(|error| self.link.misunderstood(&error))
    }

    async fn release(&self, reservation: &Reservation) -> Result<(), ConnectError> {
        let keys = flight_keys(&self.keys, &reservation.space, &reservation.key);
        let arguments = given_up(&self.keys, reservation);
        self.link.run(&self.steps.release, &keys, &arguments, Repeat::Once).await.map(drop)
    }
}

fn found(value: Value, reservation: Reservation) -> anyhow::Result<Found> {
    let mut reply = Reply::new(value)?;
    match reply.number()? {
        0 => Ok(Found::Busy(Duration::from_millis(reply.number()?.try_into().unwrap_or(0)))),
        1 => Ok(Found::Value(reply.bytes()?.into())),
        _ => Ok(Found::Reserved(reservation)),
    }
}

fn flight_keys(keys: &Keys, space: &Space, key: &Key) -> [Vec<u8>; 2] {
    [keys.flight(space, key).into_bytes(), keys.waiting(space, key).into_bytes()]
}

/// What ends a reservation and tells those who wait.
fn given_up(keys: &Keys, reservation: &Reservation) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.push(Uuid::from_u128(reservation.token).simple().to_string());
    arguments.push(place(&reservation.space, &reservation.key));
    arguments.push(keys.bells());
    arguments
}

/// Whom to wake when a place is given up or filled.
#[derive(Default)]
struct Bells(Mutex<HashMap<String, Weak<Notify>>>);

impl Bells {
    /// The bell of a place, for as long as somebody has it.
    fn of(&self, place: String) -> Arc<Notify> {
        let mut bells = self.lock();
        if let Some(bell) = bells.get(&place).and_then(Weak::upgrade) {
            return bell;
        }
        bells.retain(|_, bell| bell.strong_count() > 0);
        let bell = Arc::<Notify>::default();
        bells.insert(place, Arc::downgrade(&bell));
        bell
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Bells {
    fn subscribed(&self) {
        for bell in self.lock().values().filter_map(Weak::upgrade) {
            bell.notify_waiters();
        }
    }

    fn hear(&self, message: &[u8]) -> anyhow::Result<()> {
        let place = std::str::from_utf8(message)?;
        if let Some(bell) = self.lock().get(place).and_then(Weak::upgrade) {
            bell.notify_waiters();
        }
        Ok(())
    }
}
