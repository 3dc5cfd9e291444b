//! Generates `guest-sdk/src/bindings.rs` from the contract in `wit/`.
//!
//! The result is checked in, so that a plugin's build never runs a WIT parser and the SDK builds
//! outside of this repository. A test holds the checked-in file to what the contract generates.

use std::path::Path;

use anyhow::Context as _;
use wit_bindgen_core::{Files, WorldGenerator as _, wit_parser::Resolve};

/// The world that a plugin targets.
const WORLD: &str = "job";

/// Stands above the generated code.
const HEADER: &str = "\
// Generated from wit/ by guest-sdk/bindgen: `cargo run -p gristmill-guest-bindgen`. Don't edit.
";

/// Generates the bindings of the world `job` from a folder of WIT files.
pub fn generate(wit: &Path) -> anyhow::Result<String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(wit)
        .with_context(|| format!("read the WIT files in {}", wit.display()))?;
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .with_context(|| format!("find the world {WORLD:?}"))?;

    let options = wit_bindgen_rust::Opts {
        default_bindings_module: Some("gristmill_guest::bindings".to_owned()),
        export_macro_name: Some("export_world".to_owned()),
        // Formatted here, since rustfmt doesn't look at the file.
        format: true,
        generate_all: true,
        pub_export_macro: true,
        ..wit_bindgen_rust::Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).context("generate the bindings")?;
    let (_, code) = files.iter().next().context("the generator wrote no file")?;
    let code = std::str::from_utf8(code).context("read the generated code")?;
    Ok(format!("{HEADER}{code}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_checked_in_bindings_are_what_the_contract_generates() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let generated = super::generate(&here.join("../../wit")).expect("the contract is valid");
        let checked_in =
            std::fs::read_to_string(here.join("../src/bindings.rs")).expect("bindings");
        assert!(generated == checked_in, "run `cargo run -p gristmill-guest-bindgen`");
    }
}
