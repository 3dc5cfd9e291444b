//! All integration tests, in one binary.

mod bulk;
mod cache;
mod grants;
mod guests;
mod hostile;
mod keyvalue;
mod loading;
mod manifest;
mod single_flight;
mod worker;
