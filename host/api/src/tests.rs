//! The desk over real HTTP on a free port, with memory back-ends and no worker: tests play it.

mod access;
mod changes;
mod description;
mod events;
mod fixture;
mod hardening;
mod idempotency;
mod jobs;
mod listing;
mod plugins;
mod queues;
mod refusals;
mod serving;
