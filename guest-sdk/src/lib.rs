//! What a Gristmill job written in Rust depends on.
//!
//! A job is a function, and a plugin is a crate of them compiled to a WebAssembly component
//! (`crate-type = ["cdylib"]`, target `wasm32-wasip2`):
//!
//! ```
//! use gristmill_guest::prelude::*;
//!
//! /// Says hello.
//! #[job]
//! fn greet(ctx: &Ctx, input: String) -> JobResult<String> {
//!     ctx.info("somebody is here");
//!     Ok(format!("hello, {input}"))
//! }
//!
//! gristmill_guest::export!(greet);
//! ```
//!
//! - [`job`] says what a function may look like, and [`export!`] puts several into one component.
//! - [`FromPayload`] and [`ToPayload`] say which Rust types are text, bytes and JSON.
//! - [`Describe`] has the host check inputs before a job waits, and says where they are wrong.
//! - [`Ctx`] is the running attempt: its job, the time left, progress, checkpoints, the log, the
//!   [`Cache`], configuration, secrets, and more jobs ([`NewJob`]).
//! - [`JobError`] says whether to try again; [`OrFail`], [`bail_fatal!`] and [`bail_retry!`] make
//!   one where it is needed.
//!
//! Natively the same code runs against a [`TestHost`](test::TestHost), so a plugin's tests are
//! plain `cargo test`:
//!
//! ```
//! # use gristmill_guest::prelude::*;
//! # #[job]
//! # fn greet(ctx: &Ctx, input: String) -> JobResult<String> {
//! #     ctx.info("somebody is here");
//! #     Ok(format!("hello, {input}"))
//! # }
//! let host = TestHost::new();
//! assert_eq!(host.run::<greet>("Ada".to_owned()), Ok("hello, Ada".to_owned()));
//! assert_eq!(host.log()[0].message, "somebody is here");
//! ```
//!
//! A panic is a bug of the job: its message goes to the job's log, the attempt ends as trapped, and
//! the job is tried again by its retry policy.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

// The code that `#[job]` writes names this crate, in its own tests too.
extern crate self as gristmill_guest;

mod cache;
mod convert;
mod ctx;
mod error;
mod host;
mod host_error;
mod http;
mod job;
mod log;
mod new_job;
mod payload;
mod schema;
#[cfg(not(target_family = "wasm"))]
pub mod test;

#[cfg(target_family = "wasm")]
#[rustfmt::skip]
#[doc(hidden)]
#[allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, reason = "generated code")]
pub mod bindings;

pub use cache::{Cache, Entry, Lookup, Reservation, Scan, SetOptions, Version};
pub use convert::{FromPayload, ToPayload};
pub use ctx::Ctx;
pub use error::{Disposition, JobError, JobResult, OrFail};
pub use host_error::HostError;
pub use http::{Http, HttpCall, HttpRequest, HttpResponse};
pub use job::{Job, JobReturn};
pub use log::Level;
pub use new_job::{NewJob, Verdict};
pub use payload::Payload;
pub use schema::{Describe, Schemas};

pub(crate) use new_job::Commit;

/// Makes a function one that jobs can call.
///
/// The function stays as it is; beside it stands a type of the same name that implements [`Job`],
/// for [`export!`] and [`TestHost::run`](test::TestHost::run). It takes `ctx: &Ctx`, or one input,
/// or both in this order, or nothing, and returns a `Result` whose error converts into a
/// [`JobError`]. The first paragraph of its documentation is what `describe` says of it.
///
/// - `#[job(name = "img.resize")]` names the function otherwise than the code does.
/// - `#[job(accepts = ["image/png", "image/jpeg"], returns = "image/webp")]` says more about media
///   types than the types of input and result can; the host refuses jobs with other inputs.
/// - `#[job(input = Request, output = Report)]` names the types of its JSON, where the function takes
///   or gives a [`Payload`]. Of other types it is known: those with [`Describe`] are described.
///
/// ```
/// use gristmill_guest::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize, Describe)]
/// struct Resize { width: u32, height: u32, factor: u32 }
///
/// #[derive(Serialize, Describe, Debug, PartialEq)]
/// struct Resized { width: u32, height: u32 }
///
/// /// Scales a picture.
/// #[job(name = "img.resize")]
/// fn resize(ctx: &Ctx, input: Resize) -> JobResult<Resized> {
///     ctx.progress(0, 1);
///     let width = input.width.checked_mul(input.factor).or_fatal("too wide")?;
///     let height = input.height.checked_mul(input.factor).or_fatal("too high")?;
///     Ok(Resized { width, height })
/// }
///
/// let resized = TestHost::new().run::<resize>(Resize { width: 4, height: 3, factor: 2 });
/// assert_eq!(resized, Ok(Resized { width: 8, height: 6 }));
/// ```
pub use gristmill_guest_macros::job;

pub use gristmill_guest_macros::Describe;

/// Makes a component of a crate: its jobs, by the names of their functions. Once in a crate.
///
/// ```
/// use gristmill_guest::prelude::*;
///
/// #[job]
/// fn resize(input: Vec<u8>) -> JobResult<Vec<u8>> {
///     Ok(input)
/// }
///
/// #[job]
/// fn thumbnail(input: Vec<u8>) -> JobResult<Vec<u8>> {
///     Ok(input)
/// }
///
/// gristmill_guest::export!(resize, thumbnail);
/// ```
///
/// Two functions of one name don't build:
///
/// ```compile_fail
/// use gristmill_guest::prelude::*;
///
/// #[job]
/// fn resize() -> JobResult {
///     Ok(())
/// }
///
/// #[job(name = "resize")]
/// fn scale() -> JobResult {
///     Ok(())
/// }
///
/// gristmill_guest::export!(resize, scale);
/// ```
///
/// Natively it exports nothing, so that the crate's tests link.
#[macro_export]
macro_rules! export {
    ($($job:path),+ $(,)?) => {
        const _: () = {
            const FUNCTIONS: &[$crate::macro_support::Function] =
                &[$($crate::macro_support::Function::of::<$job>()),+];
            const _: () = $crate::macro_support::assert_distinct(FUNCTIONS);
            $crate::__export_component!(FUNCTIONS);
        };
    };
}

#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($functions:ident) => {
        struct Component;

        impl $crate::bindings::exports::gristmill::job::handler::Guest for Component {
            fn handle(
                function: ::std::string::String,
                input: $crate::macro_support::types::Payload,
            ) -> ::core::result::Result<
                ::core::option::Option<$crate::macro_support::types::Payload>,
                $crate::macro_support::types::Failure,
            > {
                $crate::macro_support::handle($functions, &function, input)
            }
        }

        impl $crate::bindings::exports::gristmill::job::describe::Guest for Component {
            fn describe() -> ::std::string::String {
                $crate::macro_support::describe($functions)
            }
        }

        $crate::bindings::export_world!(Component with_types_in $crate::bindings);
    };
}

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($functions:ident) => {};
}

/// What the macros' code calls; no part of the interface.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::convert::is_json;
    pub use crate::job::{Function, assert_distinct, describe, dispatch};
    pub use crate::schema::{Described, Probe, Undescribed, schema};

    #[cfg(target_family = "wasm")]
    pub use crate::{bindings::gristmill::job::types, host::wasm::handle};
}

/// What a job usually needs: `use gristmill_guest::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Ctx, Describe, Disposition, HostError, Job, JobError, JobResult, Level, NewJob, OrFail,
        Payload, Verdict, bail_fatal, bail_retry, job,
    };

    #[cfg(not(target_family = "wasm"))]
    pub use crate::test::TestHost;
}
