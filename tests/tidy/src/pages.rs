//! Pages, scripts and the list of commands: what they name is there, and nothing names a machine.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::checkout::{File, check, check_faults, files, root};

/// Pages that tell people what to run.
const PAGES: [&str; 3] = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

/// Folders of people's machines.
const HOMES: [&str; 3] = ["/home/", "/root/", "/Users/"];

/// Hosts of package registries: where packages come from is for each machine's own configuration.
const HOSTS: [&str; 7] = [
    "deb.debian.org",
    "files.pythonhosted.org",
    "index.crates.io",
    "pypi.org",
    "registry.npmjs.org",
    "security.debian.org",
    "static.crates.io",
];

/// The commands of a Makefile, with whether each says what it does.
fn commands(makefile: &str) -> impl Iterator<Item = (&str, bool)> {
    makefile.lines().filter_map(|line| {
        let (name, rest) = line.split_once(':')?;
        let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
        (is_name && !rest.starts_with('=')).then(|| (name, rest.contains(" ## ")))
    })
}

/// What a page marks as code: between backticks, and the lines between fences.
fn code(page: &str) -> Vec<&str> {
    let mut code = Vec::new();
    let mut fenced = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            code.push(line.trim());
        } else {
            code.extend(line.split('`').skip(1).step_by(2));
        }
    }
    code
}

/// The commands that a page tells to make, up to a comment or whatever else comes after them.
fn made(page: &str) -> BTreeSet<&str> {
    let lines = code(page).into_iter().filter_map(|code| code.strip_prefix("make "));
    let is_argument =
        |word: &&str| word.chars().all(|letter| letter.is_alphanumeric() || "-_=".contains(letter));
    let words = lines.flat_map(|line| line.split(' ').take_while(is_argument));
    words.filter(|word| !word.is_empty() && !word.contains('=')).collect()
}

fn make_faults(page: &File, makefile: &str) -> Vec<String> {
    let known: BTreeSet<&str> = commands(makefile).map(|(name, _)| name).collect();
    let unknown = made(&page.text).into_iter().filter(|name| !known.contains(name));
    unknown.map(|name| format!("{}: there is no `make {name}`", page.path)).collect()
}

fn machine_faults(file: &File) -> Vec<String> {
    // Lock files name the registry that cargo and npm write into them.
    if file.path == "tests/tidy/src/pages.rs" || file.is("lock") {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let named = HOMES.iter().chain(&HOSTS).filter(|name| line.contains(**name));
        faults.extend(named.map(|name| file.fault(at + 1, &format!("names a machine: {name}"))));
    }
    faults
}

fn changelog_faults(changelog: &str) -> Vec<String> {
    if changelog.lines().any(|line| line == "## [Unreleased]") {
        return Vec::new();
    }
    vec!["CHANGELOG.md: no section `## [Unreleased]`".to_owned()]
}

fn script_fault(file: &File, executable: bool) -> Option<String> {
    let run = file.text.starts_with("#!/usr/bin/env ");
    (run != executable).then(|| {
        file.fault(1, "executable, but doesn't start with `#!/usr/bin/env`, or the other way round")
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn pages_name_only_commands_that_there_are() {
    let makefile = read("Makefile");
    let pages = PAGES.map(|path| File::sample(path, &read(path)));
    check_faults(&pages.iter().flat_map(|page| make_faults(page, &makefile)).collect::<Vec<_>>());
}

#[test]
fn a_command_that_is_not_there_is_found() {
    let makefile =
        "MAKEFLAGS += -s\nflags := a:b\n.PHONY: test\ntest: build ## run\nbuild:\n\tcc\n";
    assert_eq!(commands(makefile).collect::<Vec<_>>(), [("test", true), ("build", false)]);
    let count = |text| make_faults(&File::sample("README.md", text), makefile).len();
    assert_eq!(count("Run `make test`, then make sure and `make  build`.\n"), 0);
    assert_eq!(count("```sh\nmake test X=1 # make tests\nmake build && make test\n```\n"), 0);
    assert_eq!(count("Run `make tests`.\n"), 1);
    assert_eq!(count("```\nmake build deploy\n```\n"), 1);
}

#[test]
fn every_command_says_what_it_does() {
    let makefile = read("Makefile");
    let silent: Vec<_> =
        commands(&makefile).filter(|(_, says)| !says).map(|(name, _)| name).collect();
    assert_eq!(silent, ["help"], "only the list itself needs no line in it");
}

#[test]
fn nothing_names_a_machine() {
    check(machine_faults);
}

#[test]
fn a_machine_is_found() {
    let count = |path, text| machine_faults(&File::sample(path, text)).len();
    assert_eq!(count("a.sh", "cd /root/x\n"), 1);
    assert_eq!(count("a.md", "ok\nhttps://pypi.org/simple and /home/me/.cargo\n"), 2);
    assert_eq!(count("a.md", "~/.cargo, $HOME/x and docs.rs\n"), 0);
}

#[test]
fn the_changelog_has_room_for_what_is_unreleased() {
    check_faults(&changelog_faults(&read("CHANGELOG.md")));
}

#[test]
fn a_changelog_without_that_room_is_found() {
    assert_eq!(changelog_faults("# Changelog\n\n## [0.1.0] - 2026-01-01\n").len(), 1);
    assert_eq!(changelog_faults("# Changelog\n\n## [Unreleased]\n").len(), 0);
}

#[test]
fn what_is_run_is_executable_and_what_is_sourced_is_not() {
    let scripts = files()
        .into_iter()
        .filter(|file| file.path.starts_with("scripts/") || file.path.starts_with(".ci/"));
    let faults = scripts.filter_map(|file| {
        let mode = fs::metadata(root().join(&file.path)).unwrap().permissions().mode();
        script_fault(&file, mode & 0o111 == 0o111)
    });
    check_faults(&faults.collect::<Vec<_>>());
}

#[test]
fn a_script_that_cannot_be_run_is_found() {
    let script = File::sample("scripts/a", "#!/usr/bin/env bash\n");
    let sourced = File::sample("scripts/a.sh", "# Sourced.\n");
    assert!(script_fault(&script, false).is_some());
    assert!(script_fault(&script, true).is_none());
    assert!(script_fault(&sourced, true).is_some());
    assert!(script_fault(&sourced, false).is_none());
}
