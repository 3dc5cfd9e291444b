//! How jobs look in JSON: the same in HTTP, JSON Lines and `--json`.

mod request;
mod view;

pub use request::{BackoffRequest, JobRequest, LATEST, WireError};
pub use view::{ErrorView, JobView};
