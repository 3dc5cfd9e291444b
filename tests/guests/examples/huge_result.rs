//! Gives more than its memory can hold.

use gristmill_guest::prelude::*;

/// Gives 100 MB.
#[job]
fn huge_result() -> JobResult<Vec<u8>> {
    Ok(vec![b'x'; 100_000_000])
}

gristmill_guest::export!(huge_result);
