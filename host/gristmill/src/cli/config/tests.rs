//! What the file may say, and what is said of its faults.

use super::*;

fn read(text: &str) -> file::Read {
    file::read("gristmill.toml", text, &Cli::command())
}

#[track_caller]
fn check_faults(text: &str, faults: &[&str]) {
    let read = read(text);
    assert_eq!(read.faults.len(), faults.len(), "{:?}", read.faults);
    for (fault, says) in read.faults.iter().zip(faults) {
        assert!(fault.starts_with(says), "{fault:?} is not {says:?}");
    }
}

#[test]
fn a_files_values_are_flags_defaults() {
    let given = read(
        "[log]\nlog = \"debug\"\n[worker]\nconcurrency = 3\nqueue = [\"a=6\", \"b\"]\n\
         [backends]\nrequire-redis = true\n[plugins]\nlimit = { memory = \"1MiB\", wall = \"1m\" }",
    );
    assert!(given.faults.is_empty(), "{:?}", given.faults);
    let command = with_defaults(Cli::command(), given.given);
    let line = ["gristmill", "serve", "--concurrency", "5"];
    let matches = command.clone().try_get_matches_from(line).unwrap();
    let settings = settings(&command, &matches);
    let of = |name: &str| settings[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(of("concurrency"), ["5"], "a flag comes before the file");
    assert_eq!(of("queue"), ["a=6", "b"]);
    assert_eq!(of("log"), ["debug"]);
    assert_eq!(of("require-redis"), ["true"]);
    assert_eq!(of("limit"), ["memory=1MiB", "wall=1m"]);
    assert_eq!(of("lease"), ["10s"], "what isn't said is as ever");
}

#[test]
fn all_faults_are_told_with_their_line() {
    check_faults(
        "[worker]\nconcurrency = \"many\"\nlease = \"1ms\"\nspeed = 9\n\n[log]\nlisten = \"x\"\n",
        &[
            "gristmill.toml:2: worker.concurrency: expected a number, got the string \"many\"",
            "gristmill.toml:3: worker.lease: the shortest lease is 1s",
            "gristmill.toml:4: worker.speed: this key isn't known; known are queue, ",
            "gristmill.toml:7: log.listen: it belongs into [server]",
        ],
    );
}

#[test]
fn what_is_not_in_its_place_is_told_where_it_belongs() {
    check_faults(
        "concurrency = 3\nspeed = 9\nworker = 1\n",
        &[
            "gristmill.toml:1: concurrency: it belongs into the section [worker]",
            "gristmill.toml:2: speed: there is no such section; there are server, log",
            "gristmill.toml:3: worker: it is a section",
        ],
    );
    check_faults(
        "[server]\nconfig = \"x\"\n",
        &["gristmill.toml:2: server.config: this key isn't"],
    );
}

#[test]
fn a_value_of_another_type_is_a_fault() {
    check_faults(
        "[backends]\nrequire-redis = \"yes\"\nredis-url = 7\n[worker]\nqueue = [3]\nlease = 10\n",
        &[
            "gristmill.toml:2: backends.require-redis: expected true or false, got the string",
            "gristmill.toml:3: backends.redis-url: expected a string, got the integer 7",
            "gristmill.toml:5: worker.queue: expected a list of strings, got the integer 3",
            "gristmill.toml:6: worker.lease: expected a string, got the integer 10",
        ],
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_the_line() {
    check_faults("[worker]\nlease = \n", &["gristmill.toml:2: "]);
    check_faults("[worker]\nlease = \"1s\"\nlease = \"2s\"\n", &["gristmill.toml:3: "]);
}

#[test]
fn the_page_shows_every_key_in_its_section() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let read = read(example);
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    let command = Cli::command();
    let shown: Vec<&str> = read.given.iter().map(|given| given.id.as_str()).collect();
    for (arg, _) in flags(&command) {
        let long = arg.get_long().unwrap();
        assert!(shown.contains(&arg.get_id().as_str()), "the page doesn't show {long}");
    }
}
