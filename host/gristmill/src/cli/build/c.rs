//! Components of C, by clang with a C library for WebAssembly.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::linkers::Linkers;
use super::project::Project;
use super::rust::TARGET;
use super::{child, stage, tools};
use crate::cli::error::Error;
use crate::cli::output;

/// Names the folder of the WASI SDK, as that itself calls it.
const WASI_SDK: &str = "WASI_SDK_PATH";
/// Where it is if nothing is said.
const WASI_SDK_USUAL: &str = "/opt/wasi-sdk";

pub(super) async fn build(project: &Project) -> Result<PathBuf, Error> {
    let wrong = |error: std::io::Error| {
        Error::Build(format!("{} can't be put together: {error}", project.name))
    };
    let work = project.work()?;
    let (bindings, made) = (work.join("c"), work.join("made.wasm"));
    stage::bindings(&bindings).map_err(wrong)?;
    let sources = sources(&project.folder).map_err(wrong)?;
    let Compiler { mut clang, libraries } = compiler(project).await?;
    // Without what only debuggers read; the names of functions stay, for a trap's backtrace.
    clang
        .current_dir(&project.folder)
        .args(["-mexec-model=reactor", "-std=c17", "-O2", "-Wall", "-Wextra"])
        .args(["-ffunction-sections", "-I"])
        .arg(&bindings)
        .args(sources)
        .args(["job.c", "job_component_type.o"].map(|name| bindings.join(name)))
        .args(libraries)
        .args(["-Wl,--gc-sections,--strip-debug", "-o"])
        .arg(&made);
    let said = child::quiet(clang).await?;
    // Warnings of what compiles, too.
    let text = String::from_utf8_lossy(&said.stderr);
    if !text.trim().is_empty() {
        output::note(text.trim_end());
    }
    if !said.status.success() {
        return Err(Error::Build(format!("clang couldn't build {}", project.name)));
    }
    Ok(made)
}

/// All C at the top of the folder, always in the same order; tests are in folders of their own.
fn sources(folder: &Path) -> std::io::Result<Vec<OsString>> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "c") {
            sources.push(name);
        }
    }
    sources.sort();
    Ok(sources)
}

/// A clang that compiles for the target, and what it is to be told of libraries.
struct Compiler {
    clang: Command,
    libraries: Vec<OsString>,
}

async fn compiler(project: &Project) -> Result<Compiler, Error> {
    if let Some(of_sdk) = of_wasi_sdk()? {
        return Ok(of_sdk);
    }
    of_debian(project).await.ok_or_else(|| {
        Error::Build(format!(
            "plugins in C are compiled by clang with a C library for WebAssembly, which isn't there: unpack the \
             WASI SDK (https://github.com/WebAssembly/wasi-sdk/releases) and name its folder by {WASI_SDK}, or run \
             `scripts/c-toolchain` in a checkout of Gristmill"
        ))
    })
}

/// The WASI SDK's, which brings all that it needs.
fn of_wasi_sdk() -> Result<Option<Compiler>, Error> {
    let said = std::env::var_os(WASI_SDK).filter(|path| !path.is_empty());
    let folder = said.as_ref().map_or_else(|| PathBuf::from(WASI_SDK_USUAL), PathBuf::from);
    match tools::first([Some(folder.join("bin/clang"))]) {
        Some(program) => {
            let mut clang = Command::new(program);
            clang.arg(format!("--target={TARGET}"));
            Ok(Some(Compiler { clang, libraries: Vec::new() }))
        }
        None if said.is_some() => {
            let folder = folder.display();
            Err(Error::Build(format!("{WASI_SDK} names {folder}, where there is no bin/clang")))
        }
        None => Ok(None),
    }
}

/// Debian's, with the library that scripts/c-toolchain has unpacked. What compiled code needs is named file by
/// file, since Debian has it elsewhere than clang looks.
async fn of_debian(project: &Project) -> Option<Compiler> {
    let usr = tools::of_guests()?.join("wasi-libc/usr");
    if !usr.join("lib").join(TARGET).join("libc.a").is_file() {
        return None;
    }
    let linkers = Linkers::find(project).await?;
    for program in tools::by_age("clang-") {
        let mut asked = Command::new(&program);
        asked.arg("-print-resource-dir");
        let Ok(said) = child::quiet(asked).await else { continue };
        let resources = PathBuf::from(String::from_utf8_lossy(&said.stdout).trim_end());
        let builtins = resources.join("lib/wasi/libclang_rt.builtins-wasm32.a");
        if !builtins.is_file() {
            continue;
        }
        let mut clang = Command::new(program);
        clang.arg(format!("--target={TARGET}")).arg(format!("--sysroot={}", usr.display()));
        // It looks for both linkers there.
        let folders = [&linkers.component_ld, &linkers.wasm_ld].map(|file| file.parent());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = folders.into_iter().flatten().map(Path::to_owned);
        clang.env("PATH", std::env::join_paths(folders.chain(std::env::split_paths(&path))).ok()?);
        let libraries = ["-nodefaultlibs".into(), "-lc".into(), builtins.into()];
        return Some(Compiler { clang, libraries: libraries.into() });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_the_c_at_the_top() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("tests")).unwrap();
        for name in ["plugin.c", "a.c", "a.h", "c", "tests/a.c"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(sources(dir.path()).unwrap(), ["a.c", "plugin.c"]);
    }
}
