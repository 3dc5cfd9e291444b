//! What the engine's tool makes of the contract: types, traits and the typed call.

pub(crate) mod keyvalue;
pub(crate) mod wasi_http;

/// Generated from `wit/`, with the host's own types for resources.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::str_to_string,
    reason = "generated code"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package gristmill:host;
            world guest {
                include gristmill:job/imports@0.1.0;
                export gristmill:job/handler@0.1.0;
            }
        ",
        world: "gristmill:host/guest",
        // Calls that may wait are async on the host's side only; the rest answer at once, and a
        // function that needn't wait costs a third of one that may.
        imports: {
            "gristmill:job/cache": async | trappable,
            "gristmill:job/queue.enqueue": async | trappable,
            "gristmill:job/http": async | trappable,
            "gristmill:job/secrets": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "gristmill:job/cache.reservation": gristmill_cache::Reservation,
            "gristmill:job/queue.new-job": crate::capabilities::NewJobDraft,
        },
        require_store_data_send: true,
    });
}

pub(crate) use generated::GuestIndices;
pub(crate) use generated::gristmill::job::{
    cache, config, context, http, log, queue, secrets, system, types,
};
