//! `gristmill test`: cases of plugins.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Ran, Running, root, run};

/// A project with this manifest and these cases, of a component that is built already.
struct Project {
    dir: TempDir,
    component: PathBuf,
}

impl Project {
    fn new(component: &str, manifest: &str, cases: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = Path::new(component).file_stem().unwrap().to_string_lossy().into_owned();
        fs::create_dir(dir.path().join("cases")).unwrap();
        let project = Self { dir, component: root().join("target").join(component) };
        project.write("plugin.toml", &format!("name = \"{name}\"\n{manifest}"));
        project.write("cases/all.toml", cases);
        project
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.dir.path().join(file), text).unwrap();
    }

    fn cases(&self) -> String {
        fs::read_to_string(self.dir.path().join("cases/all.toml")).unwrap()
    }

    fn arguments<'a>(&'a self, flags: &[&'a str]) -> Vec<&'a str> {
        let path = self.dir.path().to_str().unwrap();
        let component = self.component.to_str().unwrap();
        [&["test", path, "--component", component], flags].concat()
    }

    fn test(&self, flags: &[&str]) -> Ran {
        run(&self.arguments(flags))
    }
}

impl Ran {
    fn told(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

const ECHO: &str = "\
[[case]]
name = \"it is as it should be\"
input = { lines = 1, words = 3 }
expect.result = { words = 3, lines = 1 }

# It says so.
[[case]]
name = \"it is otherwise\"
input = { lines = 1, words = 4 }
expect.result = { words = 3, lines = 1 } # for now
";

#[test]
fn a_shipped_plugin_does_what_its_cases_say() {
    let ran = run(&["test", "plugins/pi"]);
    assert!(ran.completed().ends_with("\n6 passed, 0 failed\n"), "{ran:?}");
}

#[test]
fn a_case_that_fails_shows_what_was_expected_and_what_came() {
    let ran = Project::new("plugins/echo.wasm", "", ECHO).test(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = ran.told();
    assert!(told.starts_with("echo/all\n  ok    it is as it should be  "), "{told}");
    assert!(told.contains("  FAIL  it is otherwise  "), "{told}");
    let difference = "cases/all.toml:7\n  result (- expected, + came)\n      {\n        \"lines\": 1,\n    -   \
                      \"words\": 3\n    +   \"words\": 4\n      }\n\n1 passed, 1 failed\n";
    assert!(told.ends_with(difference), "{told}");
}

#[test]
fn what_came_is_written_into_the_file_and_nothing_else_of_it_changes() {
    let project = Project::new("plugins/echo.wasm", "", ECHO);
    let ran = project.test(&["--update"]);
    assert!(ran.completed().ends_with("1 passed, 1 updated, 0 failed\n"), "{ran:?}");
    let updated = ECHO.replace("{ words = 3, lines = 1 } #", "{ lines = 1, words = 4 } #");
    assert_eq!(project.cases(), updated);
    project.test(&[]).completed();
}

#[test]
fn a_filter_picks_cases_by_their_title() {
    let project = Project::new("plugins/echo.wasm", "", ECHO);
    let ran = project.test(&["--list"]);
    assert_eq!(ran.completed(), "echo/all: it is as it should be\necho/all: it is otherwise\n");
    // Filters come after the path.
    let path = project.dir.path().to_str().unwrap();
    let component = project.component.to_str().unwrap();
    let ran = run(&["test", path, "should be", "--component", component]);
    assert!(ran.completed().ends_with("\n1 passed, 0 failed\n"), "{ran:?}");
    run(&["test", path, "nonsense", "--component", component]).refused(2, "no case has nonsense");
}

#[test]
fn every_fault_of_every_file_is_told_before_anything_runs() {
    let project = Project::new("plugins/echo.wasm", "", "[[case]]\nname = \"a\"\ninptu = 1\n");
    project.write("cases/more.toml", "[[case]]\n\n[[case]]\nname = 3\n");
    let ran = project.test(&[]);
    assert_eq!((ran.code, ran.told()), (Some(2), ""), "{ran:?}");
    for said in [
        "all.toml:3:1: `case.inptu`: this key isn't known; known are name,",
        "more.toml:1:1: `case`: name is missing",
        "more.toml:4:1: `case.name`: expected a string, got 3",
        "gristmill: 3 faults in 2 files of cases\n",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

#[test]
fn what_is_not_there_is_said_with_what_would_help() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    run(&["test", path]).refused(2, "cases/basic.toml, such as `[[case]]`, `name = ");
    run(&["test", "no/such"]).refused(2, "there is no no/such");
    let project = Project::new("plugins/absent.wasm", "", ECHO);
    project.test(&[]).refused(3, "the component of absent isn't built: there is no ");
    let broken = Project::new("plugins/echo.wasm", "limits = 3\n", ECHO);
    broken.test(&[]).refused(3, "`limits`: expected a table, got 3");
}

#[test]
fn a_project_that_is_not_built_may_be_left_out_of_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["echo", "later"] {
        fs::create_dir_all(dir.path().join(name).join("cases")).unwrap();
        fs::write(dir.path().join(name).join("cases/a.toml"), "[[case]]\nname = \"a\"\n").unwrap();
    }
    let arguments = ["test", dir.path().to_str().unwrap(), "--plugins", "target/plugins"];
    run(&arguments)
        .refused(3, "the component of later isn't built: there is no target/plugins/later.wasm");
    let ran = run(&[&arguments[..], &["--skip-unbuilt"]].concat());
    assert!(ran.completed().ends_with("\n1 passed, 0 failed\n"), "{ran:?}");
    assert_eq!(ran.stderr, "gristmill: not built, and left out: later\n");
}

#[test]
fn formats_for_programs_have_a_shape() {
    let project = Project::new("plugins/echo.wasm", "", ECHO);
    let ran = project.test(&["--format", "json"]);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((ran.code, &report["passed"], &report["failed"]), (Some(1), &1.into(), &1.into()));
    let failed = &report["cases"][1];
    assert_eq!((&failed["status"], &failed["line"]), (&"failed".into(), &7.into()));
    assert_eq!(failed["mismatches"][0]["what"], "result");

    let ran = project.test(&["--format", "tap"]);
    let told = ran.told();
    assert!(told.starts_with("TAP version 14\n1..2\nok 1 - echo/all: it is as it should be\n"));
    assert!(told.contains("\nnot ok 2 - echo/all: it is otherwise\n  ---\n  at: \""), "{told}");
    assert!(told.ends_with("\n  ...\n"), "{told}");

    let ran = project.test(&["--format", "junit"]);
    let told = ran.told();
    assert!(told.contains("<testsuites tests=\"2\" failures=\"1\">"), "{told}");
    assert!(told.contains("<testsuite name=\"echo/all\" tests=\"2\" failures=\"1\" errors=\"0\">"));
    assert!(told.contains("<failure message=\"result\">  {\n    &quot;lines&quot;: 1,"), "{told}");
}

#[test]
fn a_case_says_what_its_job_finds() {
    let manifest = "\
[config]
kept = \"a\"
changed = \"b\"
[grants.secrets]
key = { env = \"GRISTMILL_NO_SUCH_VARIABLE\" }
";
    let cases = "\
[[case]]
name = \"context\"
input = { headers = [\"tenant\"], secrets = [\"key\", \"other\"] }
headers = { Tenant = \"acme\" }
attempt = 3
config = { changed = \"c\", new = \"d\" }
secrets = { key = \"s3cret\" }
timeout = \"5s\"
expect.result.attempt = 4

[[case]]
name = \"a secret that isn't granted\"
secrets = { other = \"x\" }
";
    let ran =
        Project::new("test-guests/reads-context.wasm", manifest, cases).test(&["--format", "json"]);
    let report: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let got = report["cases"][0]["mismatches"][0]["got"].as_str().unwrap();
    let got: Value = serde_json::from_str(got).unwrap();
    assert_eq!(got["attempt"], 3);
    assert_eq!(got["headers"]["tenant"], "acme");
    let config = serde_json::json!({ "kept": "a", "changed": "c", "new": "d" });
    assert_eq!(got["config"], config);
    assert_eq!(got["secrets"]["key"], serde_json::json!({ "Ok": "s3cret" }));
    assert!(got["remaining_ms"].as_u64().unwrap() <= 5_000);
    let why = report["cases"][1]["error"].as_str().unwrap();
    assert!(why.contains("the manifest grants no secret \"other\""), "{why}");
}

#[test]
fn every_outcome_can_be_expected() {
    let check = |guest: &str, manifest: &str, cases: &str| {
        let ran = Project::new(&format!("test-guests/{guest}.wasm"), manifest, cases).test(&[]);
        assert_eq!(ran.code, Some(0), "{}", ran.told());
    };
    let case = |rest: &str| format!("[[case]]\nname = \"a\"\n{rest}\n");
    check("trap", "", &case("expect.outcome = \"trapped\"\nexpect.jobs = []"));
    check(
        "spin",
        "limits.cpu = \"50ms\"\n",
        &case("expect.outcome = \"limit_exceeded\"\nexpect.error.limit = \"cpu\""),
    );
    check("spin", "", &case("timeout = \"100ms\"\nexpect.outcome = \"timed_out\""));
    check("spin", "", &case("cancel_after = \"20ms\"\nexpect.outcome = \"cancelled\""));
    check(
        "checkpoints",
        "",
        &case(
            "input = \"x\"\nexpect.error = { message = \"saved on attempt 1\", retry = \"retry\" }\nexpect.checkpoint = \"x\"",
        ),
    );
    check(
        "checkpoints",
        "",
        &case("checkpoint = \"x\"\nattempt = 2\ninput = \"y\"\nexpect.result = \"x\""),
    );
    let later = "function = \"retry_after\"\ninput = 250\n\
                 expect.error = { code = \"http-503\", retry = \"retry_after\", after = \"250ms\" }";
    check("fail", "", &case(later));
}

#[test]
fn jobs_that_are_enqueued_are_recorded_and_do_not_run() {
    let cases = "\
[[case]]
name = \"on success\"
expect.jobs = [
  { function = \"follow_up\", headers = { child = \"0\" } },
  { plugin = \"follow-up\", input = { children = 2, fail = false, generations = 0, now = false } },
]

[[case]]
name = \"a failure enqueues nothing but what went at once\"
input = { fail = true, now = false }
expect.error.retry = \"fatal\"
expect.jobs = []

[[case]]
name = \"at once, whatever comes of it\"
input = { fail = true, now = true, children = 1 }
expect.error.retry = \"fatal\"
expect.jobs = [{ function = \"follow_up\" }]
";
    let ran = Project::new("test-guests/follow-up.wasm", "", cases).test(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.told());
}

#[test]
fn cases_of_one_plugin_do_not_meet() {
    let case = |n: u32| {
        format!(
            "[[case]]\nname = \"{n}\"\nfunction = \"digits\"\ninput = 3\nexpect.result.cached = false\nexpect.result.digits = \"3.141\"\n"
        )
    };
    let cases: String = (0..8).map(case).collect();
    let ran = Project::new("plugins/pi.wasm", "", &cases).test(&["--concurrency", "4"]);
    assert!(ran.completed().ends_with("\n8 passed, 0 failed\n"), "{ran:?}");
}

#[test]
fn cases_beside_a_component_are_its_cases() {
    let dir = tempfile::tempdir().unwrap();
    let component = dir.path().join("mine.wasm");
    fs::copy(root().join("target/plugins/echo.wasm"), &component).unwrap();
    fs::create_dir(dir.path().join("mine.cases")).unwrap();
    fs::write(dir.path().join("mine.cases/a.toml"), "[[case]]\nname = \"a\"\n").unwrap();
    let ran = run(&["test", component.to_str().unwrap()]);
    assert!(ran.completed().starts_with("mine/a\n  ok    a  "), "{ran:?}");
}

#[test]
fn a_change_of_a_file_runs_the_cases_again() {
    let project = Project::new("plugins/echo.wasm", "", ECHO);
    let mut running = Running::start(&project.arguments(&["--watch"]));
    running.until("waiting for a change");
    project.write("cases/all.toml", "[[case]]\ninput = 1\n");
    running.until("all.toml:1:1: `case`: name is missing");
    running.until("waiting for a change");
    project.write("cases/all.toml", &ECHO.replace("words = 4", "words = 3"));
    running.until("waiting for a change");
    running.signal("INT");
    let ran = running.end();
    assert!(ran.told().ends_with("\n2 passed, 0 failed\n"), "{ran:?}");
}
