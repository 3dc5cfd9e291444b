//! The binary, as a user meets it: what it prints, and how it exits.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod bench;
mod cache;
mod cases;
mod chaos;
mod clients;
mod collector;
mod command;
mod compiling;
mod components;
mod config;
mod daemon;
mod dev;
mod doctor;
mod enqueue_many;
mod fleet;
mod http;
mod jobs;
mod logs;
mod many;
mod measured;
mod metrics;
mod otlp;
mod plugins;
mod projects;
mod queues;
mod redis;
mod served;
mod shapes;
mod signals;
mod single;
mod stories;
mod testing;
mod workers;
