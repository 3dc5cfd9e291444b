//! Gives more than a result may be, though its memory holds it.

use gristmill_guest::prelude::*;

/// Gives 8 MB.
#[job]
fn big_result() -> JobResult<Vec<u8>> {
    Ok(vec![b'x'; 8_000_000])
}

gristmill_guest::export!(big_result);
