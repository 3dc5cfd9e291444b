//! Looks for what an earlier tenant of its memory left behind, and leaves something itself.

use gristmill_guest::prelude::*;

const PAGE_BYTES: usize = 64 << 10;
const MARK: u8 = 0xA5;

/// Grows its memory by as many pages as the input says, gives back how many of their bytes weren't
/// zero, and marks them all.
#[job]
fn leftovers(input: usize) -> JobResult<usize> {
    let pages = new_pages(input).or_fatal("no more pages to be had")?;
    let found = pages.iter().filter(|byte| **byte != 0).count();
    pages.fill(MARK);
    Ok(found)
}

/// Pages past the allocator, which might have cleared them.
#[cfg(target_family = "wasm")]
fn new_pages(count: usize) -> Option<&'static mut [u8]> {
    let before = std::arch::wasm32::memory_grow::<0>(count);
    let start = (before != usize::MAX).then_some(before * PAGE_BYTES)? as *mut u8;
    // SAFETY: these pages were made just now, and nothing else knows of them.
    Some(unsafe { std::slice::from_raw_parts_mut(start, count * PAGE_BYTES) })
}

/// Natively there is no earlier tenant.
#[cfg(not(target_family = "wasm"))]
fn new_pages(count: usize) -> Option<&'static mut [u8]> {
    Some(vec![0; count * PAGE_BYTES].leak())
}

gristmill_guest::export!(leftovers);
