//! The queue on real Redis servers: those that are damaged, full, gone, or none at all.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod assign;
mod check;
mod connect;
mod doctor;
mod fallback;
mod full;
mod lost;
mod roster;
mod support;
