//! Lists the guests of `tests/guests`, so that one without a test of its name doesn't compile.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let guests = Path::new("guests/examples");
    println!("cargo::rerun-if-changed={}", guests.display());
    let mut names: Vec<String> = fs::read_dir(guests)
        .expect("the guests' folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    let mut calls = String::new();
    for name in names {
        writeln!(calls, "        $check!({name});").expect("a string takes it");
    }
    let list = format!(
        "/// Calls a macro with the name of every guest.\n\
         macro_rules! foreach_guest {{\n    ($check:ident) => {{\n{calls}    }};\n}}\n"
    );
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("guests.rs"), list).expect("the list is written");
}
