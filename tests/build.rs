//! Lists the guests of `tests/guests` and the components of `tests/hostile`, so that one without a
//! test of its name doesn't compile.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    list("guest", Path::new("guests/examples"), "rs");
    list("hostile", Path::new("hostile"), "wat");
}

/// Writes a macro that calls another with the name of every such file of a folder.
fn list(kind: &str, folder: &Path, extension: &str) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    let mut calls = String::new();
    for name in names {
        writeln!(calls, "        $check!({name});").expect("a string takes it");
    }
    let list = format!(
        "/// Calls a macro with the name of every file.\n\
         macro_rules! foreach_{kind} {{\n    ($check:ident) => {{\n{calls}    }};\n}}\n"
    );
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join(format!("{kind}.rs")), list).expect("the list is written");
}
