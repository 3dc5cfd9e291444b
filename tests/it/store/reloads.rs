//! A thousand versions, one after another, while jobs run.

use gristmill_job::Digest;

use super::farm::{Farm, a_mill_job, mill, tiny};

const RELOADS: u32 = 1_000;
/// After so many, allocators and caches have what they want to keep.
const WARM: u32 = 300;
/// What memory may differ by then, most of it records of jobs: a version that stayed would take 100 KiB
/// and more each time.
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
    let mut warm = 0;
    for version in 1..=RELOADS {
        farm.put("mill.wasm", &tiny(version));
        // Jobs of the old version and of the new one, as it comes; a number that doesn't grow with the
        // time that this takes, since their records are kept.
        let (looked, ..) = tokio::join!(
            farm.plugins.rescan(),
            farm.run(a_mill_job()),
            farm.run(a_mill_job()),
            farm.run(a_mill_job())
        );
        looked.expect("the folder is there");
        let serving = farm.plugins.loaded(&mill()).map(|plugin| plugin.digest());
        assert_eq!(serving, Some(Digest::of(&tiny(version))));
        if version == WARM {
            warm = resident_bytes();
        }
    }
    let grown = resident_bytes().saturating_sub(warm);
    assert!(grown < GROWTH_BYTES_MAX, "{grown} bytes more than after {WARM}");
    farm.stop().await;
}
