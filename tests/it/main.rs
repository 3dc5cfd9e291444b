//! All integration tests, in one binary.

mod grants;
mod guests;
mod loading;
mod worker;
