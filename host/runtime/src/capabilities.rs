//! The contract's interfaces, one file each, and `wasi:keyvalue`
//! and `wasi:http` over two of them: what the guest may do is decided here, above the
//! back-ends, so that none of them can forget it.

mod admission;
mod cache;
mod config;
mod context;
mod http;
mod keyvalue;
mod log;
mod queue;
mod secrets;
mod system;
pub(crate) mod wasi_http;

use wasmtime::component::{HasSelf, Linker};

#[expect(unreachable_pub, reason = "the generated bindings export the types of resources")]
pub use keyvalue::{Bucket, Cas};
pub(crate) use keyvalue::{Cursors, offers};
#[expect(unreachable_pub, reason = "the generated bindings export the types of resources")]
pub use queue::NewJobDraft;

use crate::bindings;
use crate::state::State;

/// Links every interface of the contract: all are there for all plugins, and each call decides.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn whole(state: &mut State) -> &mut State {
        state
    }
    bindings::types::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::context::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::cache::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::queue::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::http::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::log::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::config::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::secrets::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    bindings::system::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    keyvalue::add_to_linker(linker)?;
    wasi_http::add_to_linker(linker)
}

impl bindings::types::Host for State {}
