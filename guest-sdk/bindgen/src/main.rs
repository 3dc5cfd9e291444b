//! Writes the bindings into `guest-sdk`.

use std::path::Path;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in gristmill_guest_bindgen::generate(&sdk.join("../wit"))? {
        let path = sdk.join(file.path);
        std::fs::write(&path, file.bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}
