//! A thousand versions, one after another, while jobs run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gristmill_job::Digest;

use super::farm::{Farm, a_mill_job, mill, tiny};

const RELOADS: u32 = 1_000;
/// After so many, allocators and caches have what they want to keep.
const WARM: u32 = 300;
/// What memory may differ by then: a version that stayed would take 100 KiB and more each time.
const GROWTH_BYTES_MAX: usize = 16 << 20;

/// What this process has in memory that is its own.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: usize = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4096
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reloads_under_load_leave_nothing_behind() {
    let farm = Farm::unwatched(&tiny(0));
    let (done, ran) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = async {
        while !done.load(Ordering::Relaxed) {
            assert!(farm.run(a_mill_job()).await.is_some());
            ran.fetch_add(1, Ordering::Relaxed);
        }
    };
    let reloading = async {
        let mut warm = 0;
        for version in 1..=RELOADS {
            farm.put("mill.wasm", &tiny(version));
            farm.plugins.rescan().await.expect("the folder is there");
            let serving = farm.plugins.loaded(&mill()).map(|plugin| plugin.digest());
            assert_eq!(serving, Some(Digest::of(&tiny(version))));
            if version == WARM {
                warm = resident_bytes();
            }
        }
        done.store(true, Ordering::Relaxed);
        warm
    };
    let (warm, ()) = tokio::join!(reloading, load);
    let grown = resident_bytes().saturating_sub(warm);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more than after {WARM}");
    assert!(ran.load(Ordering::Relaxed) > RELOADS as usize / 10, "{ran:?} jobs ran beside it");
    farm.stop().await;
}
