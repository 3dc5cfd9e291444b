//! The desk over real HTTP on a free port, with memory back-ends and no worker: tests play it.

mod changes;
mod fixture;
mod jobs;
mod listing;
mod queues;
mod refusals;
mod serving;
