//! All integration tests, in one binary.

mod cache;
mod grants;
mod guests;
mod keyvalue;
mod loading;
mod single_flight;
mod store;
mod worker;
