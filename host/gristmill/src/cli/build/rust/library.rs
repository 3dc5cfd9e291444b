//! Compiling for the target where its standard library isn't installed: it is built from Debian's packages,
//! which scripts/guest-toolchain of a checkout installs. scripts/guest-cargo is the same for the checkout.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{TARGET, within};
use crate::cli::build::child::quiet;
use crate::cli::build::linkers::Linkers;
use crate::cli::build::project::Project;
use crate::cli::build::tools;
use crate::cli::error::Error;

/// Debian's compiler, which the source of the standard library belongs to.
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
/// The linker that adds a program's start, as a script.
const LINKER: &str = include_str!("../../../../../../scripts/guest-linker");

/// Where cargo is told of a linker, which is a person's own choice where it is set.
const LINKER_SETTING: &str = "CARGO_TARGET_WASM32_WASIP2_LINKER";

/// What the standard library is built with.
pub(super) struct Library {
    guests: PathBuf,
    wasi_libc: PathBuf,
    linkers: Linkers,
}

impl Library {
    /// Looks for all that it takes.
    pub(super) async fn find(project: &Project) -> Option<Self> {
        let guests = tools::of_guests()?;
        let wasi_libc = guests.join("wasi-libc/usr/lib").join(TARGET);
        if !wasi_libc.join("libc.a").is_file() || !has_source().await {
            return None;
        }
        let linkers = Linkers::find(project).await?;
        Some(Self { guests, wasi_libc, linkers })
    }

    /// Debian's cargo, told of all this. The flags are those of scripts/guest-cargo, so that both can share what
    /// they build.
    pub(super) fn cargo(&self, project: &Project) -> Result<Command, Error> {
        let mut cargo = within(project, CARGO);
        let mut path = OsString::from("/usr/bin");
        if let Some(before) = std::env::var_os("PATH") {
            path.push(":");
            path.push(before);
        }
        // These would be believed before the flags below, or be of another compiler.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC", "RUSTUP_TOOLCHAIN"] {
            cargo.env_remove(name);
        }
        let flags = format!("-C link-self-contained=no -L native={}", self.wasi_libc.display());
        cargo
            .env("PATH", path)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
            .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", flags)
            .env("GRISTMILL_COMPONENT_LD", &self.linkers.component_ld)
            .env("GRISTMILL_WASM_LD", &self.linkers.wasm_ld)
            .env("GRISTMILL_WASI_LIBC", &self.wasi_libc);
        if std::env::var_os(LINKER_SETTING).is_none() {
            cargo.env(LINKER_SETTING, linker(&self.guests)?);
        }
        if std::env::var_os("CARGO_TARGET_DIR").is_none()
            && let Some(shared) = shared_target(project).map_err(unwritable)?
        {
            cargo.env("CARGO_TARGET_DIR", shared);
        }
        Ok(cargo)
    }
}

async fn has_source() -> bool {
    let mut rustc = Command::new(RUSTC);
    rustc.args(["--print", "sysroot"]);
    let Ok(said) = quiet(rustc).await else { return false };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim_end());
    Path::new(CARGO).is_file()
        && sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").is_file()
}

/// The script, always in the same place: cargo builds all anew for a linker of another name.
fn linker(guests: &Path) -> Result<PathBuf, Error> {
    let folder = guests.join("bin");
    let path = folder.join("guest-linker");
    if !fs::read(&path).is_ok_and(|there| there == LINKER.as_bytes()) {
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, LINKER))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
            .map_err(unwritable)?;
    }
    Ok(path)
}

fn unwritable(error: io::Error) -> Error {
    Error::Build(format!("what cargo is to be run with can't be written: {error}"))
}

/// One folder for what is compiled of all projects, since the standard library takes a minute.
fn shared_target(project: &Project) -> io::Result<Option<PathBuf>> {
    let Some(caches) = tools::user_folder("XDG_CACHE_HOME", ".cache") else { return Ok(None) };
    let shared = caches.join("gristmill/guest-target");
    let owners = shared.join("owners");
    fs::create_dir_all(&owners)?;
    // Cargo gives the components of two packages of one name the same file and takes the one for the other.
    let owner = owners.join(project.name.as_str());
    let folder = project.folder.as_os_str().as_encoded_bytes();
    if !fs::read(&owner).is_ok_and(|last| last == folder) {
        forget(&shared, project)?;
        fs::write(&owner, folder)?;
    }
    Ok(Some(shared))
}

/// Removes what another project of the same name has left, which is then built anew.
fn forget(shared: &Path, project: &Project) -> io::Result<()> {
    let stem = project.name.as_str().replace('-', "_");
    let deps = shared.join(TARGET).join("release/deps");
    for name in [stem.clone(), project.name.to_string()] {
        match fs::remove_file(deps.join(name).with_extension("wasm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
