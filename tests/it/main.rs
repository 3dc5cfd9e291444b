//! All integration tests, in one binary.

mod guests;
mod loading;
mod worker;
