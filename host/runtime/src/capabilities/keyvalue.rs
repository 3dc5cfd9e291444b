//! `wasi:keyvalue`, for components that weren't written for this host: a layer over
//! `gristmill:job/cache`.
//!
//! An open store is no more than a bucket's name, and every call becomes one of our own interface
//! with it: grants, limits and budgets are those of [`cache`](super::cache), and nothing is decided
//! here twice. The functions that both drafts have are in `common.rs`, the rest in a file for each.

mod common;
mod cursors;
mod draft;
mod draft2;

use gristmill_job::LogLevel;
use wasmtime::component::{HasSelf, Linker, Resource};

pub(crate) use cursors::Cursors;

use super::cache::SCAN_KEYS_MAX;
use crate::bindings::cache::{Host as Cache, Page};
use crate::bindings::keyvalue as bindings;
use crate::bindings::types;
use crate::grants::Access;
use crate::state::{State, lock};

/// The interfaces that are linked, with the versions; drafts are compatible with nothing else.
const OFFERED: [&str; 6] = [
    "wasi:keyvalue/store@0.2.0-draft",
    "wasi:keyvalue/atomics@0.2.0-draft",
    "wasi:keyvalue/batch@0.2.0-draft",
    "wasi:keyvalue/store@0.2.0-draft2",
    "wasi:keyvalue/atomics@0.2.0-draft2",
    "wasi:keyvalue/batch@0.2.0-draft2",
];

/// The name by which components open a store that they weren't told the name of.
const DEFAULT_STORE: &str = "default";

/// An open store: the bucket's name in our own interface.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export the types of resources")]
pub struct Bucket(String);

/// What an entry was at one time.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export the types of resources")]
pub struct Cas {
    bucket: String,
    key: String,
    /// None: there was no entry.
    version: Option<u64>,
}

/// Why a call can't give its result, as both drafts say it.
enum Refusal {
    NoSuchStore,
    AccessDenied,
    Other(String),
}

/// What a call answers, in whatever draft.
type Answer<T> = wasmtime::Result<Result<T, Refusal>>;

/// Whether an import is one that is linked here.
pub(crate) fn offers(import: &str) -> bool {
    OFFERED.contains(&import)
}

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn whole(state: &mut State) -> &mut State {
        state
    }
    bindings::draft::store::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::draft::atomics::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::draft::batch::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::draft2::store::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::draft2::atomics::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::draft2::batch::add_to_linker::<State, HasSelf<State>>(linker, whole)
}

impl State {
    fn open_store(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        self.count_host_call()?;
        let bucket = match self.space(&identifier, Access::ReadOnly) {
            Ok(_) => identifier,
            Err(_) if identifier == DEFAULT_STORE => String::new(),
            Err(types::Error::Invalid(_)) => return Ok(Err(Refusal::NoSuchStore)),
            Err(error) => return Ok(Err(self.refusal(error))),
        };
        Ok(Ok(self.table.push(Bucket(bucket))?))
    }

    /// The name of an open store's bucket.
    fn bucket(&self, store: &Resource<Bucket>) -> wasmtime::Result<String> {
        Ok(self.table.get(store)?.0.clone())
    }

    /// Our own interface's answer in the standard's words.
    fn reply<T>(&mut self, answer: Result<T, types::Error>) -> Result<T, Refusal> {
        answer.map_err(|error| self.refusal(error))
    }

    /// The standard has no place for what is missing, so that goes to the job's log.
    fn refusal(&mut self, error: types::Error) -> Refusal {
        use types::Error;
        Refusal::Other(match error {
            Error::AccessDenied(why) => {
                let line = format!("wasi:keyvalue: {why}");
                lock(self.log()).line(LogLevel::Warn, &line, Vec::new());
                return Refusal::AccessDenied;
            }
            Error::Invalid(why) => format!("invalid: {why}"),
            Error::TooLarge(max) => format!("too-large: more than {max} bytes"),
            Error::QuotaExceeded(budget) => format!("quota-exceeded: {budget}"),
            Error::Unavailable(service) => format!("unavailable: {service}"),
            Error::Other((code, message)) => format!("{code}: {message}"),
        })
    }

    async fn page(&mut self, store: &Resource<Bucket>, cursor: Option<String>) -> Answer<Page> {
        let bucket = self.bucket(store)?;
        let page = Cache::scan(self, bucket, String::new(), cursor, SCAN_KEYS_MAX).await?;
        Ok(self.reply(page))
    }

    async fn add(&mut self, store: &Resource<Bucket>, key: String, delta: i64) -> Answer<i64> {
        let bucket = self.bucket(store)?;
        let sum = Cache::increment(self, bucket, key, delta, None).await?;
        Ok(self.reply(sum))
    }
}
