//! The desk over real HTTP on a free port, with memory back-ends and no worker: tests play it.

mod fixture;
mod jobs;
mod refusals;
mod serving;
