//! Generates what guests are bound to the contract in `wit/` by: `guest-sdk/src/bindings.rs`, and what is
//! in `guest-sdk/c`.
//!
//! The results are checked in, so that a plugin's build never runs a WIT parser and the SDK builds
//! outside of this repository. A test holds the checked-in files to what the contract generates.

use std::path::Path;

use anyhow::Context as _;
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};

/// The world that a plugin targets.
const WORLD: &str = "job";

/// The command that writes the files.
const COMMAND: &str = "cargo run -p gristmill-guest-bindgen";

/// A file of bindings.
pub struct Generated {
    /// Where it belongs, from the folder `guest-sdk`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Generates the bindings of the world `job` from a folder of WIT files.
///
/// # Errors
/// What of the folder can't be read or bound.
pub fn generate(wit: &Path) -> anyhow::Result<Vec<Generated>> {
    let mut generated = rust(wit).context("generate the bindings for Rust")?;
    generated.extend(c(wit).context("generate the bindings for C")?);
    Ok(generated)
}

fn rust(wit: &Path) -> anyhow::Result<Vec<Generated>> {
    let options = wit_bindgen_rust::Opts {
        default_bindings_module: Some("gristmill_guest::bindings".to_owned()),
        export_macro_name: Some("export_world".to_owned()),
        // Formatted here, since rustfmt doesn't look at the file.
        format: true,
        generate_all: true,
        pub_export_macro: true,
        ..wit_bindgen_rust::Opts::default()
    };
    files(wit, &mut options.build(), |_| "src/bindings.rs".to_owned())
}

/// A header, the functions behind it, and an object file from which the linker knows the contract.
fn c(wit: &Path) -> anyhow::Result<Vec<Generated>> {
    let options = wit_bindgen_c::Opts::default();
    files(wit, &mut *options.build(), |name| format!("c/{name}"))
}

/// What a generator makes of the contract. Each has the contract read anew, since one may change it.
fn files(
    wit: &Path,
    generator: &mut dyn WorldGenerator,
    path: impl Fn(&str) -> String,
) -> anyhow::Result<Vec<Generated>> {
    let (mut resolve, world) = contract(wit)?;
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files)?;
    let generated = files.iter().map(|(name, made)| {
        let mut bytes = Vec::new();
        // Of code alone can be said where it comes from.
        if std::str::from_utf8(made).is_ok() {
            let head =
                format!("// Generated from wit/ by guest-sdk/bindgen: `{COMMAND}`. Don't edit.\n");
            bytes.extend_from_slice(head.as_bytes());
        }
        bytes.extend_from_slice(made);
        Generated { path: path(name), bytes }
    });
    Ok(generated.collect())
}

fn contract(wit: &Path) -> anyhow::Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(wit)
        .with_context(|| format!("read the WIT files in {}", wit.display()))?;
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .with_context(|| format!("find the world {WORLD:?}"))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_checked_in_bindings_are_what_the_contract_generates() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let generated = super::generate(&sdk.join("../wit")).expect("the contract is valid");
        let paths: Vec<&str> = generated.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["src/bindings.rs", "c/job.c", "c/job.h", "c/job_component_type.o"]);
        for file in generated {
            let checked_in = std::fs::read(sdk.join(&file.path)).expect("bindings");
            assert!(file.bytes == checked_in, "{}: run `{}`", file.path, super::COMMAND);
        }
    }
}
