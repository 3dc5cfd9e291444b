//! What links components: rustup's toolchains bring it, and scripts/guest-toolchain of a checkout.

use std::path::{Path, PathBuf};

use super::project::Project;
use super::rust::rustc;
use super::tools;

/// The one that makes a component, and the one that it calls.
pub(super) struct Linkers {
    pub(super) component_ld: PathBuf,
    pub(super) wasm_ld: PathBuf,
}

impl Linkers {
    pub(super) async fn find(project: &Project) -> Option<Self> {
        match Self::shipped(project).await {
            Some(linkers) => Some(linkers),
            None => {
                let installed = tools::of_guests()?.join("bin/wasm-component-ld");
                let component_ld = tools::first([Some(installed)])?;
                Some(Self { component_ld, wasm_ld: tools::newest("wasm-ld-")? })
            }
        }
    }

    /// Those of the project's own toolchain.
    async fn shipped(project: &Project) -> Option<Self> {
        let sysroot = rustc(project, &["--print", "sysroot"]).await?;
        let version = rustc(project, &["-vV"]).await?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "))?;
        let shipped = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin");
        let component_ld = tools::first([Some(shipped.join("wasm-component-ld"))])?;
        let wasm_ld = tools::first([Some(shipped.join("gcc-ld/wasm-ld"))])?;
        Some(Self { component_ld, wasm_ld })
    }
}
