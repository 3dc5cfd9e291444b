//! Writes `guest-sdk/src/bindings.rs`.

use std::path::Path;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bindings = here.join("../src/bindings.rs");
    let code = gristmill_guest_bindgen::generate(&here.join("../../wit"))?;
    std::fs::write(&bindings, code).with_context(|| format!("write {}", bindings.display()))
}
