//! Which package may depend on which: the rooms' arrows, and who names the large dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

use crate::checkout::{check_faults, root};

/// Each room with the rooms that it may depend on; dev-dependencies are free.
const ARROWS: [(&str, &[&str]); 9] = [
    ("gristmill-job", &[]),
    ("gristmill-redis", &["gristmill-job"]),
    ("gristmill-queue", &["gristmill-job", "gristmill-redis"]),
    ("gristmill-cache", &["gristmill-job", "gristmill-redis"]),
    ("gristmill-shelf", &["gristmill-job", "gristmill-redis"]),
    ("gristmill-runtime", &["gristmill-job", "gristmill-cache", "gristmill-shelf"]),
    ("gristmill-worker", &["gristmill-job", "gristmill-queue", "gristmill-runtime"]),
    (
        "gristmill-api",
        &[
            "gristmill-job",
            "gristmill-queue",
            "gristmill-cache",
            "gristmill-runtime",
            "gristmill-worker",
        ],
    ),
    (
        "gristmill",
        &[
            "gristmill-job",
            "gristmill-queue",
            "gristmill-cache",
            "gristmill-shelf",
            "gristmill-runtime",
            "gristmill-worker",
            "gristmill-api",
        ],
    ),
];

/// What guests are built with: rooms and guests know of each other by the contract alone.
const GUEST_SIDE: [&str; 3] =
    ["gristmill-guest", "gristmill-guest-bindgen", "gristmill-guest-macros"];

/// The suites that back-ends face; in nothing that ships.
const CONFORMANCE: &str = "gristmill-conformance";

/// Families of packages by the start of their names, each with the only package that names one.
const NAMED_BY_ONE: [(&str, &str); 3] =
    [("wasmtime", "gristmill-runtime"), ("axum", "gristmill-api"), ("clap", "gristmill")];

/// What `cargo metadata` tells of the workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev` or `build`; none for what is always needed.
    kind: Option<String>,
    optional: bool,
}

impl Dependency {
    fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Runs the cargo that runs this test.
fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Package> {
    let json = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline", "--locked"]);
    serde_json::from_str::<Metadata>(&json).unwrap().packages
}

fn arrow_faults(packages: &[Package]) -> Vec<String> {
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.is_dev()) {
            let on = dependency.name.as_str();
            let allowed = match ARROWS.iter().find(|(room, _)| *room == name) {
                Some((_, allowed)) => allowed.contains(&on),
                None if GUEST_SIDE.contains(&name) => GUEST_SIDE.contains(&on),
                None => on != CONFORMANCE,
            };
            if ours.contains(on) && !allowed {
                faults.push(format!("{name} may not depend on {on}"));
            }
        }
    }
    faults
}

fn name_faults(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let family = NAMED_BY_ONE.iter().find(|(start, _)| dependency.name.starts_with(start));
            if let Some((_, only)) = family
                && *only != package.name
            {
                faults.push(format!(
                    "{} names {}, but only {only} may",
                    package.name, dependency.name
                ));
            }
        }
    }
    faults
}

/// The packages that only the feature `cli` of the door brings.
fn command_line_only(door: &Package) -> Vec<&str> {
    door.features["cli"].iter().filter_map(|feature| feature.strip_prefix("dep:")).collect()
}

fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
    let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
        name: (*name).to_owned(),
        kind: kind.map(str::to_owned),
        optional: false,
    });
    Package {
        name: name.to_owned(),
        dependencies: dependencies.collect(),
        features: BTreeMap::new(),
    }
}

#[test]
fn rooms_depend_only_along_the_arrows() {
    let packages = packages();
    for (room, _) in ARROWS {
        assert!(packages.iter().any(|package| package.name == room), "there is no room {room}");
    }
    check_faults(&arrow_faults(&packages));
}

#[test]
fn an_arrow_that_points_the_wrong_way_is_found() {
    let leaf = |name| package(name, &[]);
    let count = |package| {
        arrow_faults(&[package, leaf("gristmill-job"), leaf("gristmill-worker"), leaf(CONFORMANCE)])
            .len()
    };
    assert_eq!(count(package("gristmill-queue", &[("gristmill-job", None), ("serde", None)])), 0);
    assert_eq!(count(package("gristmill-queue", &[("gristmill-worker", None)])), 1);
    assert_eq!(count(package("gristmill-queue", &[("gristmill-worker", Some("build"))])), 1);
    assert_eq!(count(package("gristmill-queue", &[(CONFORMANCE, Some("dev"))])), 0);
    assert_eq!(count(package("gristmill-queue", &[(CONFORMANCE, None)])), 1);
    assert_eq!(count(package("gristmill-tests", &[("gristmill-worker", None)])), 0);
    assert_eq!(count(package("gristmill-tests", &[(CONFORMANCE, None)])), 1);
    assert_eq!(count(package("gristmill-guest", &[("gristmill-job", None)])), 1);
}

#[test]
fn engine_server_and_command_line_are_each_named_by_one_room() {
    check_faults(&name_faults(&packages()));
}

#[test]
fn a_second_room_that_names_the_engine_is_found() {
    let count = |name, on| name_faults(&[package(name, &[(on, None)])]).len();
    assert_eq!(count("gristmill-runtime", "wasmtime-wasi"), 0);
    assert_eq!(count("gristmill-worker", "wasmtime-wasi"), 1);
    assert_eq!(count("gristmill-worker", "axum"), 1);
    assert_eq!(count("gristmill-api", "clap_complete"), 1);
}

#[test]
fn embedders_get_nothing_of_the_command_line() {
    let packages = packages();
    let door = packages.iter().find(|package| package.name == "gristmill").unwrap();
    let absent = command_line_only(door);
    let named = door.dependencies.iter().filter(|dependency| dependency.name.starts_with("clap"));
    for dependency in named {
        assert!(dependency.optional, "{} is not optional", dependency.name);
        assert!(absent.contains(&dependency.name.as_str()), "{} is outside `cli`", dependency.name);
    }
    let tree = cargo(&[
        "tree",
        "--package",
        "gristmill",
        "--no-default-features",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--offline",
        "--locked",
    ]);
    let present: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(present.contains("gristmill-worker"), "the tree is the door's: {tree}");
    let brought = absent.iter().filter(|name| present.contains(**name));
    check_faults(
        &brought.map(|name| format!("the library door brings {name}")).collect::<Vec<_>>(),
    );
}
