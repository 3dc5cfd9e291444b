//! The macros of gristmill-guest, which documents and re-exports them.

use proc_macro::TokenStream;

mod describe;
mod job;
mod serde_says;

/// Makes a function one that jobs can call; `gristmill_guest::job` has the documentation.
#[proc_macro_attribute]
pub fn job(arguments: TokenStream, function: TokenStream) -> TokenStream {
    job::expand(arguments.into(), function.into()).into()
}

/// Describes a type's JSON; `gristmill_guest::Describe` has the documentation.
#[proc_macro_derive(Describe, attributes(serde))]
pub fn describe(item: TokenStream) -> TokenStream {
    describe::expand(item.into()).into()
}
