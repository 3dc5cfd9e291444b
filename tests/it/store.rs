//! The plugins folder of a mill that goes on: versions that come and go while jobs run.

mod compiled;
mod farm;
mod pinned;
mod reloads;
mod take_over;
