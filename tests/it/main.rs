//! All integration tests, in one binary.

mod bulk;
mod cache;
mod fuzz;
mod grants;
mod guests;
mod hostile;
mod http;
mod keyvalue;
mod loading;
mod manifest;
mod single_flight;
mod store;
mod worker;
