//! The attribute macro of gristmill-guest, which documents and re-exports it.

use proc_macro::TokenStream;

mod job;

/// Makes a function one that jobs can call; `gristmill_guest::job` has the documentation.
#[proc_macro_attribute]
pub fn job(arguments: TokenStream, function: TokenStream) -> TokenStream {
    job::expand(arguments.into(), function.into()).into()
}
