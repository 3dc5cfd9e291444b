//! `gristmill new` and `gristmill build`. A script stands in for what makes components, so that these tests
//! take no tool and no time; scripts/prove-kit has the real ones.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Ran, Running, root, run};

/// Makes the component that the first line of the plugin names, or does what else that line says. `wait` tells
/// so by the pipe `started`, which it holds open.
const COMPONENTIZE: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
        --js) js=$2 ;;
        --output) output=$2 ;;
    esac
    shift
done
read -r slashes first <"$js"
case $first in
    broken) echo "SyntaxError: a bracket is missing" >&2; exit 1 ;;
    wait) exec 3>started; echo started >&3; sleep 1000 & wait ;;
    *) cp "$first" "$output" ;;
esac
"#;

/// A component that needs what nobody offers.
const NEEDY: &str =
    r#"(component (import "acme:mail/send@1.0.0" (instance (export "send" (func)))))"#;

/// A new project in JavaScript, with the script.
pub(crate) struct Sample {
    dir: tempfile::TempDir,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sample = Self { dir };
        made("js", sample.folder().to_str().unwrap()).completed();
        let bin = sample.folder().join("node_modules/.bin");
        fs::create_dir_all(&bin).unwrap();
        let program = bin.join("componentize-qjs");
        fs::write(&program, COMPONENTIZE).unwrap();
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        sample
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.path().join("greet")
    }

    /// What the script is to do.
    pub(crate) fn says(&self, first: impl std::fmt::Display) {
        fs::write(self.folder().join("src/plugin.js"), format!("// {first}\n")).unwrap();
    }

    /// The script is to make one of the components that there are.
    pub(crate) fn is(&self, component: &str) {
        let path = root().join("target").join(component).canonicalize().unwrap();
        self.says(path.display());
    }

    fn build(&self) -> Ran {
        run(&["build", self.folder().to_str().unwrap()])
    }

    pub(crate) fn placed(&self, name: &str) -> PathBuf {
        self.folder().join("target/plugins").join(name)
    }

    fn run(&self, input: &str) -> Ran {
        let component = self.placed("greet.wasm");
        run(&["run", component.to_str().unwrap(), "--input", input])
    }
}

fn made(lang: &str, dir: &str) -> Ran {
    run(&["new", "greet", "--lang", lang, "--dir", dir, "--sdk-path", "guest-sdk"])
}

/// Names of all files of a folder, from its top.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    found.push(entry.path().strip_prefix(folder).unwrap().display().to_string())
                }
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_has_a_job_tests_cases_a_manifest_and_a_workflow() {
    for (lang, of_language) in [
        ("rust", &["Cargo.toml", "rust-toolchain.toml", "src/lib.rs"][..]),
        (
            "js",
            &[
                "node_modules/gristmill-guest",
                "package.json",
                "src/plugin.js",
                "tests/plugin.test.js",
            ],
        ),
        (
            "python",
            &[
                "plugin.py",
                "pyproject.toml",
                "tests/__init__.py",
                "tests/test_plugin.py",
                "vendor/gristmill_guest",
            ],
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let told = made(lang, dir.path().to_str().unwrap());
        assert!(told.completed().contains("gristmill build"), "{told:?}");
        let mut expected = vec![
            ".github/workflows/plugin.yml",
            ".gitignore",
            "README.md",
            "cases/count.toml",
            "plugin.toml",
        ];
        expected.extend(of_language);
        expected.sort_unstable();
        assert_eq!(files(dir.path()), expected, "{lang}");
    }
}

#[test]
fn a_project_is_made_in_no_folder_that_has_something_in_it() {
    let sample = Sample::new();
    let folder = sample.folder();
    made("rust", folder.to_str().unwrap()).refused(2, "something in this folder already");
    assert!(!folder.join("Cargo.toml").exists());
}

#[test]
fn a_name_or_an_sdk_that_is_none_is_refused() {
    run(&["new", "My_Plugin", "--lang", "js"]).refused(2, "lower-case");
    let args = ["new", "greet", "--lang", "js", "--dir", "no/such", "--sdk-path", "wit"];
    run(&args).refused(2, "it has no js/package.json");
    assert!(!root().join("no").exists());
}

#[test]
fn what_is_built_is_in_its_place_with_its_manifest() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    let told = sample.build();
    assert_eq!(told.completed().lines().count(), 2, "{told:?}");
    assert!(told.completed().contains("target/plugins/greet.wasm  "), "{told:?}");
    assert_eq!(sample.run("hi").completed(), "hi");
    fs::remove_file(sample.folder().join("plugin.toml")).unwrap();
    sample.build().completed();
    assert_eq!(files(&sample.folder().join("target/plugins")), ["greet.wasm"]);
}

#[test]
fn a_broken_build_shows_what_the_tool_says_and_leaves_what_there_was() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    sample.build().completed();
    sample.says("broken");
    let ran = sample.build();
    assert_eq!((ran.code, &*ran.stdout), (Some(1), &b""[..]), "{ran:?}");
    assert!(ran.stderr.contains("SyntaxError: a bracket is missing\n"), "{ran:?}");
    assert!(ran.stderr.ends_with("gristmill: componentize-qjs couldn't build greet\n"), "{ran:?}");
    assert_eq!(sample.run("hi").completed(), "hi");
}

#[test]
fn a_component_that_could_not_be_used_takes_nobodys_place() {
    let sample = Sample::new();
    let needy = sample.folder().join("needy.wat");
    fs::write(&needy, NEEDY).unwrap();
    sample.says(needy.display());
    sample.build().refused(3, "acme:mail/send@1.0.0");
    assert!(!sample.placed("greet.wasm").exists());
}

#[test]
fn a_fault_of_the_manifest_is_told_in_the_authors_own_file() {
    let sample = Sample::new();
    sample.is("plugins/echo.wasm");
    let manifest = sample.folder().join("plugin.toml");
    fs::write(&manifest, "[limits]\nmemory = \"lots\"\n").unwrap();
    sample.build().refused(3, &format!("{}: ", manifest.display()));
    fs::write(&manifest, "[grants.secrets]\nkey = { env = \"NO_SUCH_VARIABLE\" }\n").unwrap();
    let ran = sample.build();
    ran.completed();
    assert!(ran.stderr.contains("NO_SUCH_VARIABLE"), "{ran:?}");
}

#[test]
fn a_tool_that_is_missing_is_told_with_the_command_that_brings_it() {
    let sample = Sample::new();
    fs::remove_file(sample.folder().join("node_modules/.bin/componentize-qjs")).unwrap();
    sample.build().refused(1, "run `npm install` in the project's folder");
    let dir = tempfile::tempdir().unwrap();
    made("python", dir.path().to_str().unwrap()).completed();
    let refused = run(&["build", dir.path().to_str().unwrap()]);
    refused.refused(1, "-m venv .venv && .venv/bin/pip install componentize-py==");
}

#[test]
fn an_interrupt_ends_a_build_with_all_that_it_has_started() {
    let sample = Sample::new();
    sample.says("wait");
    let pipe = sample.folder().join("started");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let building = Running::start(&["build", sample.folder().to_str().unwrap()]);
    let mut pipe = BufReader::new(fs::File::open(pipe).unwrap());
    let mut line = String::new();
    pipe.read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    building.signal("INT");
    let ran = building.end();
    assert_eq!((ran.code, &*ran.stdout), (Some(130), &b""[..]), "{}", ran.stderr);
    // Its end comes once nobody holds the pipe any more.
    assert_eq!(pipe.read_to_end(&mut Vec::new()).unwrap(), 0);
}
