//! All integration tests, in one binary.

mod bulk;
mod cache;
mod foreign;
mod fuzz;
mod grants;
mod guests;
mod hostile;
mod http;
mod keyvalue;
mod languages;
mod loading;
mod manifest;
mod program;
mod reuse;
mod single_flight;
mod store;
mod wasi_http;
mod worker;
