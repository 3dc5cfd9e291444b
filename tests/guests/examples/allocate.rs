//! Allocates until it gets no more memory.

use std::hint::black_box;

use gristmill_guest::prelude::*;

/// Holds one mebibyte after the other.
#[job]
fn allocate() -> JobResult {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 1 << 20]));
    }
}

gristmill_guest::export!(allocate);
