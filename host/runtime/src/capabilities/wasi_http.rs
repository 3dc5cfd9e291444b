//! `wasi:http`, for components that weren't written for this host: its outgoing half, over the same
//! way out as `gristmill:job/http`.
//!
//! Nothing of it is the engine's. A request is sent whole once its body is finished, and its response is
//! handed over whole: so grants are checked on what is sent, and all that the host holds of either
//! is counted by `http_bytes` before it is held. A component that is granted no host has all of it
//! too, and its requests are denied: the refusal, and what would grant it, is the same for both
//! interfaces.

#![expect(unreachable_pub, reason = "the generated bindings export the types of resources")]

mod body;
mod exchange;
mod fields;
mod inbound;
mod request;

use wasmtime::component::{HasSelf, Linker, Resource};
use wasmtime_wasi::p2::bindings::io::error::Error as IoError;

pub use body::{IncomingBody, NoTrailers, OutgoingBody};
pub use exchange::{Exchange, IncomingResponse};
pub use fields::Fields;
pub use inbound::{NoOutparam, NoRequest, Unanswered};
pub use request::{Options, OutgoingRequest};

use crate::bindings::wasi_http::types::{ErrorCode, Host};
use crate::bindings::wasi_http::{outgoing_handler, types};
use crate::fault::Abort;
use crate::state::State;

pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    fn whole(state: &mut State) -> &mut State {
        state
    }
    types::add_to_linker::<State, HasSelf<State>>(linker, whole)?;
    outgoing_handler::add_to_linker::<State, HasSelf<State>>(linker, whole)
}

impl Host for State {
    fn http_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<ErrorCode>().cloned())
    }
}

impl State {
    /// Counts what a guest gives the host to hold for a request.
    ///
    /// # Errors
    /// There is no room for it, which ends the attempt: most of these calls have no error to answer.
    fn hold_http(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.budget.http(&self.limits).take(bytes as u64) {
            return Ok(());
        }
        Err(Abort::Limit("http_bytes").into())
    }
}
