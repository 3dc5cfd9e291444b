//! All integration tests, in one binary.

mod cache;
mod grants;
mod guests;
mod http;
mod keyvalue;
mod loading;
mod manifest;
mod single_flight;
mod worker;
