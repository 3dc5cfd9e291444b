//! What the engine's tool makes of `wasi:keyvalue`, in each of the drafts that components speak.

/// One module for each draft: their types differ, the host's own for resources are the same.
macro_rules! draft {
    ($draft:ident, $path:literal, $world:literal, $with:tt) => {
        /// Generated from the draft's file in `wit/`.
        #[allow(
            missing_docs,
            unreachable_pub,
            clippy::all,
            clippy::unwrap_used,
            clippy::str_to_string,
            reason = "generated code"
        )]
        mod $draft {
            wasmtime::component::bindgen!({
                path: $path,
                inline: $world,
                world: "gristmill:host/keyvalue",
                imports: {
                    "wasi:keyvalue/store.open": trappable,
                    default: async | trappable,
                },
                with: $with,
                require_store_data_send: true,
            });
        }
    };
}

draft!(
    generated,
    "wit/keyvalue-draft.wit",
    "package gristmill:host;
     world keyvalue {
         import wasi:keyvalue/store@0.2.0-draft;
         import wasi:keyvalue/atomics@0.2.0-draft;
         import wasi:keyvalue/batch@0.2.0-draft;
     }",
    { "wasi:keyvalue/store.bucket": crate::capabilities::Bucket }
);
draft!(
    generated2,
    "wit/keyvalue-draft2.wit",
    "package gristmill:host;
     world keyvalue {
         import wasi:keyvalue/store@0.2.0-draft2;
         import wasi:keyvalue/atomics@0.2.0-draft2;
         import wasi:keyvalue/batch@0.2.0-draft2;
     }",
    {
        "wasi:keyvalue/store.bucket": crate::capabilities::Bucket,
        "wasi:keyvalue/atomics.cas": crate::capabilities::Cas,
    }
);

pub(crate) use generated::wasi::keyvalue as draft;
pub(crate) use generated2::wasi::keyvalue as draft2;
