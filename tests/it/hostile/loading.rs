//! Components that aren't what they should be, or are made to be hard to load.

use std::fmt::Write as _;
use std::time::Duration;

use gristmill_runtime::{Config, Limits};
use gristmill_tests::{Sandbox, framed, well_behaved};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::{Completed, Failed, Refused, Trapped, call, expect, expect_of, kind, load};

#[tokio::test]
pub(super) async fn core_module() {
    expect("core_module", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn wrong_world() {
    expect("wrong_world", Refused("nothing-to-call")).await;
}

#[tokio::test]
pub(super) async fn unknown_interface() {
    expect("unknown_interface", Refused("missing-import")).await;
}

#[tokio::test]
pub(super) async fn unknown_function() {
    expect("unknown_function", Refused("wrong-import")).await;
}

#[tokio::test]
pub(super) async fn other_version_of_an_import() {
    expect("other_version_of_an_import", Refused("wrong-import")).await;
}

#[tokio::test]
pub(super) async fn other_version_of_the_door() {
    expect("other_version_of_the_door", Refused("nothing-to-call")).await;
}

#[tokio::test]
pub(super) async fn other_type_of_import() {
    expect("other_type_of_import", Refused("wrong-import")).await;
}

#[tokio::test]
pub(super) async fn other_type_of_the_door() {
    expect("other_type_of_the_door", Refused("wrong-export")).await;
}

#[tokio::test]
pub(super) async fn empty_door() {
    expect("empty_door", Refused("wrong-export")).await;
}

#[tokio::test]
pub(super) async fn async_door() {
    expect("async_door", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn memory_of_64_bits() {
    expect("memory_of_64_bits", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn collected_garbage() {
    expect("collected_garbage", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn exceptions() {
    expect("exceptions", Refused("invalid")).await;
}

#[tokio::test]
pub(super) async fn bad_code() {
    expect("bad_code", Refused("invalid")).await;
}

/// The smallest well-behaved component, as a file would have it.
fn binary() -> Vec<u8> {
    wat::parse_str(well_behaved()).expect("it is text")
}

/// Whatever it is, loading it ends and the host stays well, and so it is with running it.
async fn survives(sandbox: &Sandbox, component: Vec<u8>) -> bool {
    match load(sandbox, "odd", component.into()).await {
        Ok(plugin) => {
            sandbox.attempt(&plugin, call("odd"), 1, None).await;
            true
        }
        Err(error) => {
            // It has no name for a host that panicked.
            kind(&error);
            false
        }
    }
}

fn quick() -> Sandbox {
    let wall = Duration::from_millis(50);
    let limits = Limits { wall, ..Limits::default() };
    Sandbox::with_config(Config { slots: 2, limits, ..Config::default() })
}

#[tokio::test]
async fn a_component_can_be_cut_off_anywhere() {
    let (sandbox, whole) = (quick(), binary());
    let mut loaded = 0;
    for length in 0..whole.len() {
        loaded += u32::from(survives(&sandbox, whole[..length].to_vec()).await);
    }
    // Only the names at its end may be missing.
    assert!(loaded < 10, "{loaded} parts of it were loaded");
    assert!(survives(&sandbox, whole).await);
}

#[tokio::test]
async fn a_component_can_be_garbled_anywhere() {
    let (sandbox, whole, mut seeded) = (quick(), binary(), SmallRng::seed_from_u64(7));
    let mut loaded = 0;
    for _ in 0..1_500 {
        let mut garbled = whole.clone();
        for _ in 0..=seeded.random_range(0..3) {
            // What the magic number says is told apart before anything is read.
            let at = 8 + seeded.random_range(0..garbled.len() - 8);
            garbled[at] ^= u8::try_from(1 + seeded.random_range(0..255)).expect("a byte");
        }
        loaded += u32::from(survives(&sandbox, garbled).await);
    }
    assert!(loaded > 0, "none of them was ever run");
    assert_eq!(sandbox.runtime.occupancy().unwrap_or_default(), Default::default());
}

#[tokio::test]
async fn a_text_can_be_garbled_anywhere() {
    let (sandbox, whole, mut seeded) =
        (quick(), well_behaved().into_bytes(), SmallRng::seed_from_u64(8));
    for _ in 0..300 {
        let mut garbled = whole.clone();
        let at = seeded.random_range(0..garbled.len());
        garbled[at] = b"()\"; $0\xff"[seeded.random_range(0..7)];
        survives(&sandbox, garbled).await;
    }
}

#[tokio::test]
async fn fifty_megabytes_are_not_even_read() {
    let mut large = binary();
    large.resize(50 << 20, 0);
    assert!(large.len() > Config::default().component_bytes_max);
    expect_of(large, Refused("too-large")).await;
}

#[tokio::test]
async fn types_two_hundred_deep_are_refused() {
    let mut types = "(type $t0 (tuple u8))\n".to_owned();
    for depth in 1..=200 {
        writeln!(types, "(type $t{depth} (tuple $t{}))", depth - 1).expect("a string takes it");
    }
    let component = format!("(component {types} (import \"f\" (func (param \"p\" $t200))))");
    expect_of(component, Refused("invalid")).await;
}

#[tokio::test]
async fn brackets_without_end_are_refused() {
    expect_of(format!("(component {}", "(".repeat(1_000_000)), Refused("invalid")).await;
    expect_of(format!("(component {}", "(component ".repeat(100_000)), Refused("invalid")).await;
    expect_of("(;".repeat(1_000_000), Refused("invalid")).await;
}

#[tokio::test]
async fn ten_thousand_exports_are_not_all_functions() {
    let mut exports = String::new();
    for i in 0..10_000 {
        writeln!(exports, "(export \"f{i}\" (func $f))").expect("a string takes it");
    }
    let component = format!(
        "(component (core module $M (func (export \"f\"))) (core instance $m (instantiate $M))
         (func $f (canon lift (core func $m \"f\"))) {exports})"
    );
    // The job asks for a function that isn't among them.
    expect_of(component, Failed).await;
}

#[tokio::test]
async fn a_long_name_of_an_unknown_import_is_cut() {
    let name = "a".repeat(90_000);
    let component = format!("(component (import \"{name}\" (func)))");
    expect_of(component, Refused("missing-import")).await;
}

#[tokio::test]
async fn instances_in_instances_are_counted() {
    // Each level has two of the one below, so that a page of text is 4,096 instances.
    let mut levels =
        "(component $c0 (core module $M) (core instance (instantiate $M)))\n".to_owned();
    for level in 1..=12 {
        let below = level - 1;
        writeln!(
            levels,
            "(component $c{level} (alias outer 1 $c{below} (component $below))
             (instance (instantiate $below)) (instance (instantiate $below)))"
        )
        .expect("a string takes it");
    }
    let component = format!("(component {levels} (instance (instantiate $c12)))");
    expect_of(component, Refused("invalid")).await;
}

/// A component whose main module has this in it, beside a door that does nothing.
fn with(content: &str) -> String {
    framed(&format!(
        "(core module $Main {content}
         (func (export \"handle\") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0)))
         (core instance $main (instantiate $Main))"
    ))
}

#[tokio::test]
async fn ten_megabytes_of_data_are_loaded() {
    let data = "a".repeat(10 << 20);
    let component = wat::parse_str(with(&format!("(memory 400) (data (i32.const 0) \"{data}\")")));
    expect_of(component.expect("it is text"), Completed).await;
}

#[tokio::test]
async fn five_thousand_functions_are_compiled() {
    let functions = "(func (param i32) (result i32) (local.get 0))\n".repeat(5_000);
    expect_of(with(&functions), Completed).await;
}

#[tokio::test]
async fn debug_information_without_sense_does_no_harm() {
    // Units of DWARF that are a header and no more, and then one that claims all there is.
    let unit = r"\08\00\00\00\04\00\00\00\00\00\04\01".repeat(1_000) + r"\ff\ff\ff\ef\04\00";
    let component = wat::parse_str(framed(&format!(
        "(core module $Main
         (func $f unreachable)
         (func (export \"handle\") (param i32 i32 i32 i32 i32 i32) (result i32) (call $f) (i32.const 0))
         (@custom \".debug_abbrev\" \"\\01\\11\\00\\00\\00\\00\")
         (@custom \".debug_line\" \"\\ff\\00\\00\\00garbage\")
         (@custom \".debug_info\" \"{unit}\"))
         (core instance $main (instantiate $Main))"
    )));
    let component = component.expect("it is text");
    expect_of(component, Trapped("unreachable")).await;
}

#[tokio::test]
async fn names_as_long_as_a_book_are_cut() {
    let name = format!("{}\\n\\1b[31m", "n".repeat(50_000));
    let component = framed(&format!(
        "(core module $Main (func $\"{name}\" unreachable)
         (func (export \"handle\") (param i32 i32 i32 i32 i32 i32) (result i32)
           (call $\"{name}\") (i32.const 0)))
         (core instance $main (instantiate $Main))"
    ));
    let trial = expect_of(component, Trapped("unreachable")).await;
    let error = trial.report().outcome.error().expect("an error");
    assert_eq!(error.backtrace.len(), 2);
    assert!(error.backtrace.iter().all(|frame| frame.len() <= 1 << 10));
}
