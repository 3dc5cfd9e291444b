//! What the engine's tool makes of `wasi:http`.

/// Generated from `wit/http.wit`, with the host's own types for resources.
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
        path: "wit/http.wit",
        inline: "
            package gristmill:host;
            world http {
                import wasi:http/types@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "gristmill:host/http",
        imports: { default: trappable },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http/types.fields": crate::capabilities::wasi_http::Fields,
            "wasi:http/types.outgoing-request": crate::capabilities::wasi_http::OutgoingRequest,
            "wasi:http/types.request-options": crate::capabilities::wasi_http::Options,
            "wasi:http/types.outgoing-body": crate::capabilities::wasi_http::OutgoingBody,
            "wasi:http/types.future-incoming-response": crate::capabilities::wasi_http::Exchange,
            "wasi:http/types.incoming-response": crate::capabilities::wasi_http::IncomingResponse,
            "wasi:http/types.incoming-body": crate::capabilities::wasi_http::IncomingBody,
            "wasi:http/types.future-trailers": crate::capabilities::wasi_http::NoTrailers,
            "wasi:http/types.incoming-request": crate::capabilities::wasi_http::NoRequest,
            "wasi:http/types.response-outparam": crate::capabilities::wasi_http::NoOutparam,
            "wasi:http/types.outgoing-response": crate::capabilities::wasi_http::Unanswered,
        },
        require_store_data_send: true,
    });
}

pub(crate) use generated::wasi::http::{outgoing_handler, types};
