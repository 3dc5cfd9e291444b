//! Plugins that daemons on one Redis server share: pushed to one, they run on all.

use std::path::Path;

use gristmill_test_redis::{Proxy, RedisServer, Traffic};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Ran, Running, gristmill, ran, root, run};
use crate::served::{Daemon, folder};

const ADMIN: &str = "an-admins-own-token";

/// A daemon that shares plugins, and has these in its folder.
fn sharing(url: &str, own: &[&str]) -> Daemon {
    let plugins = folder(own);
    let mut command = gristmill(&["serve", "--listen", "127.0.0.1:0", "--share-plugins"]);
    command.args(["--redis-url", url, "--plugins", plugins.path().to_str().unwrap()]);
    command.env("GRISTMILL_TOKENS", format!("admin:{ADMIN}"));
    let mut running = Running::launch(command);
    let url = running.url();
    Daemon { running, url, plugins }
}

/// What a daemon is asked by its owner.
fn ask(daemon: &Daemon, arguments: &[&str]) -> Ran {
    daemon.run(&[arguments, &["--token", ADMIN]].concat())
}

fn ask_json(daemon: &Daemon, arguments: &[&str]) -> Value {
    let answer = ask(daemon, &[arguments, &["--json"]].concat());
    serde_json::from_str(answer.completed()).unwrap()
}

/// What a path answers the owner.
fn get_as_owner(daemon: &Daemon, path: &str) -> (u16, String) {
    crate::served::get_with(&daemon.url, path, &format!("authorization: Bearer {ADMIN}\r\n"))
}

/// A folder with a version of a shipped plugin, as a file to push: the same component with another
/// custom section at its end.
fn version(of: &str, number: u8) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(root().join(format!("target/plugins/{of}.wasm"))).unwrap();
    bytes.extend([0, 3, 1, b'v', number]);
    let file = dir.path().join(format!("{of}.wasm"));
    std::fs::write(&file, bytes).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (dir, file)
}

/// Pushes a version, and answers its digest.
#[track_caller]
fn push(daemon: &Daemon, of: &str, number: u8) -> String {
    let (_dir, file) = version(of, number);
    ask_json(daemon, &["plugin", "push", &file])["digest"].as_str().unwrap().to_owned()
}

/// The only plugin that a daemon lists.
fn listed(daemon: &Daemon) -> Value {
    let mut list = ask_json(daemon, &["plugin", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    list[0].take()
}

/// Lets a daemon load the shared plugin, of which it needs no more than the description until it runs a job.
#[track_caller]
fn loaded(daemon: &Daemon) {
    assert_eq!(get_as_owner(daemon, "/v1/plugins/echo/schema").0, 200);
}

/// On which version a job ran, once it has.
#[track_caller]
fn ran_on(redis: &str, id: &str) -> String {
    let job = run(&["job", "wait", id, "--json", "--redis-url", redis]);
    let job: Value = serde_json::from_str(job.completed()).unwrap();
    job["digest"].as_str().unwrap().to_owned()
}

#[test]
fn a_plugin_that_is_pushed_to_one_daemon_runs_on_another() {
    let server = RedisServer::start();
    let (here, there) = (sharing(&server.url(), &[]), sharing(&server.url(), &[]));
    let digest = push(&here, "echo", 1);
    // It is listed by what is said of it, and fetched when a job asks for it.
    let entry = listed(&there);
    assert_eq!(
        (&entry["digest"], &entry["functions"][0]["name"]),
        (&json!(digest), &json!("echo"))
    );
    here.running.signal("TERM");
    assert_eq!(here.end().code, Some(0));
    let job = ask_json(&there, &["enqueue", "echo", "--input", "hi"]);
    assert_eq!(job["digest"], *digest);
    assert_eq!(ran_on(&server.url(), job["id"].as_str().unwrap()), digest);
    // The same by hand, from the component that is stored once.
    let components = server.command(&["HKEYS", "gristmill:p:{shelf}:components"]).unwrap();
    assert_eq!(components.trim(), digest);
    ask(&there, &["plugin", "remove", "echo"]).completed();
    assert_eq!(ask_json(&there, &["plugin", "list"]), json!([]));
    ask(&there, &["plugin", "remove", "echo"]).refused(1, "there is no plugin \"echo\"");
}

#[test]
fn jobs_that_wait_run_on_the_version_that_they_were_enqueued_with() {
    let server = RedisServer::start();
    let url = server.url();
    let first = sharing(&url, &[]);
    let old = push(&first, "echo", 1);
    ask(&first, &["queue", "pause", "default"]).completed();
    let id = |arguments: &[&str]| {
        let job = ask_json(&first, &[&["enqueue", "echo"], arguments].concat());
        job["id"].as_str().unwrap().to_owned()
    };
    let pinned = id(&[]);
    let latest = id(&["--digest", "latest"]);
    let new = push(&first, "echo", 2);
    assert_ne!(old, new);
    let newer = id(&[]);
    let (_, versions) = get_as_owner(&first, "/v1/plugins/echo/versions");
    assert_eq!(versions.matches("sha256:").count(), 2, "{versions}");
    let exactly = id(&["--digest", &old]);
    first.running.signal("TERM");
    assert_eq!(first.end().code, Some(0));
    // Somebody who has neither.
    let mut second = sharing(&url, &[]);
    run(&["queue", "resume", "default", "--redis-url", &url]).completed();
    second.running.until(&format!("plugin echo {old} was fetched, since a job wants it"));
    let ran = [&pinned, &latest, &newer, &exactly].map(|id| ran_on(&url, id));
    assert_eq!(ran, [&old, &new, &new, &old].map(Clone::clone));
}

#[test]
fn a_new_version_takes_over_everywhere_and_a_damaged_one_nowhere() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.port());
    let here = sharing(&server.url(), &[]);
    let mut there = sharing(&server.url_through(proxy.port()), &[]);
    push(&here, "echo", 1);
    loaded(&there);
    let second = push(&here, "echo", 2);
    there.running.until(&format!("plugin echo {second} has taken over"));
    proxy.set(Traffic::Refused);
    proxy.cut();
    there.running.until("the fleet's plugins can't be had");
    let third = push(&here, "echo", 3);
    server.command(&["HSET", "gristmill:p:{shelf}:components", &third, "rotten"]).unwrap();
    proxy.set(Traffic::Flows);
    let warning = there.running.until("the new version of plugin echo can't be used");
    assert!(warning.contains("is damaged on the shelf"), "{warning}");
    assert!(warning.contains(&format!("{second} goes on")), "{warning}");
    let entry = listed(&there);
    assert_eq!(entry["digest"], *second);
    assert!(entry["fault"].as_str().unwrap().contains("push it again"), "{entry}");
    let job = ask_json(&there, &["enqueue", "echo", "--digest", &second]);
    assert_eq!(ran_on(&server.url(), job["id"].as_str().unwrap()), second);
    // The same bytes again mend it.
    assert_eq!(push(&here, "echo", 3), third);
    there.running.until(&format!("plugin echo {third} has taken over"));
}

#[test]
fn what_is_loaded_goes_on_without_redis_and_after_it_has_lost_its_data() {
    let mut server = RedisServer::start();
    let mut daemon = sharing(&server.url(), &[]);
    let digest = push(&daemon, "echo", 1);
    server.kill();
    daemon.running.until("the fleet's plugins can't be had");
    let list = ask(&daemon, &["plugin", "list"]);
    assert!(list.completed().starts_with("echo  sha256:"), "{list:?}");
    assert!(list.stderr.contains("can't be reached"), "{list:?}");
    let (_dir, file) = version("echo", 2);
    ask(&daemon, &["plugin", "push", &file]).refused(4, "the fleet's plugins can't be had");
    server.restart();
    daemon.running.until("the shelf has lost its data: push echo again");
    let job = ask_json(&daemon, &["enqueue", "echo", "--input", "still here"]);
    assert_eq!(ran_on(&server.url(), job["id"].as_str().unwrap()), digest);
    push(&daemon, "echo", 1);
    daemon.running.until("the fleet's plugins can be had again");
}

#[test]
fn a_file_in_the_folder_comes_first_and_says_what_it_hides() {
    let server = RedisServer::start();
    let (fleet, mut own) =
        (sharing(&server.url(), &[]), sharing(&server.url(), &["plugins/echo.wasm"]));
    let before = listed(&own)["digest"].clone();
    let shared = push(&fleet, "echo", 1);
    own.running.until("a file of it; it hides the fleet's");
    let entry = listed(&own);
    assert_eq!(entry["digest"], before);
    assert!(entry["fault"].as_str().unwrap().contains(&shared), "{entry}");
    let (_dir, file) = version("echo", 2);
    ask(&own, &["plugin", "push", &file]).refused(2, "which comes before what the fleet shares");
    // Without the file, it is the fleet's.
    std::fs::remove_file(own.plugins.path().join("echo.wasm")).unwrap();
    own.running.until("plugin echo is gone");
    assert_eq!(listed(&own)["digest"], *shared);
}

#[test]
fn a_producer_past_the_daemons_is_refused_what_a_daemon_refuses() {
    let server = RedisServer::start();
    let url = server.url();
    let daemon = sharing(&url, &[]);
    push(&daemon, "wordcount", 1);
    push(&daemon, "pi", 1);
    let json: &[&str] = &["--content-type", "application/json"];
    let wrong: [&[&str]; 4] = [
        &["wordcount"],
        &["wordcount", "cuont", "--input", "a"],
        &["pi", "digits", "--input", "\"many\""],
        &["pi", "digits", "--input", "{\"number\": 3}"],
    ];
    for arguments in wrong {
        let media_type = if arguments[0] == "pi" { json } else { &[] };
        let job = [&["enqueue"], arguments, media_type].concat();
        let there = ask(&daemon, &job);
        assert_eq!(there.code, Some(2), "{there:?}");
        let here = run(&[&job[..], &["--redis-url", &url]].concat());
        here.refused(2, there.stderr.trim());
    }
    let lines = "{\"plugin\": \"wordcount\"}\n{\"plugin\": \"wordcount\", \"input\": \"a b\"}\n";
    let many = crate::command::run_with(
        &["enqueue", "--jsonl", "-", "--json", "--redis-url", &url],
        lines.as_bytes(),
    );
    assert!(many.stderr.contains("1 created, 0 duplicates, 0 conflicts, 1 rejected"), "{many:?}");
    let queue = run(&["queue", "show", "default", "--json", "--redis-url", &url]);
    let queue: Value = serde_json::from_str(queue.completed()).unwrap();
    assert_eq!(queue["totals"]["enqueued"], 1);
    // Of what nobody shares, the workers judge.
    run(&["enqueue", "unknown", "--redis-url", &url]).completed();
}

#[test]
fn a_daemon_that_runs_nothing_checks_jobs_and_fetches_no_plugin() {
    let server = RedisServer::start();
    let url = server.url();
    let (dir, file) = version("wordcount", 1);
    std::fs::write(dir.path().join("wordcount.toml"), "[retry]\nmax_attempts = 2\n").unwrap();
    let pushed = run(&["plugin", "push", &file, "--json", "--redis-url", &url]);
    let pushed: Value = serde_json::from_str(pushed.completed()).unwrap();
    let plugins = folder(&[]);
    let arguments = ["--api-only", "--share-plugins", "--redis-url", &url];
    let daemon = Daemon::start(plugins, &arguments);
    daemon.run(&["enqueue", "wordcount"]).refused(2, "none is given");
    daemon.run(&["enqueue", "wordcount", "cuont", "--input", "a"]).refused(2, "no function");
    let job = daemon.json(&["enqueue", "wordcount", "--input", "a b"]);
    assert_eq!((&job["digest"], &job["max_attempts"]), (&pushed["digest"], &json!(2)), "{job}");
    daemon.running.signal("TERM");
    let ended = daemon.end();
    assert!(!ended.stderr.contains("plugin wordcount"), "it was loaded: {}", ended.stderr);
}

/// The digests that a server's jobs were enqueued with.
fn pinned(server: &RedisServer) -> String {
    server.command(&["HVALS", "gristmill:{default}:jobs"]).unwrap()
}

#[test]
fn jobs_that_jobs_enqueue_run_on_the_versions_that_served_then() {
    let server = RedisServer::start();
    let daemon = sharing(&server.url(), &[]);
    let echo = push(&daemon, "echo", 1);
    let guest = |name: &str, manifest: &str| {
        let dir = folder(&[&format!("test-guests/{name}.wasm")]);
        std::fs::write(dir.path().join(format!("{name}.toml")), manifest).unwrap();
        let file = dir.path().join(format!("{name}.wasm"));
        let pushed = ask_json(&daemon, &["plugin", "push", file.to_str().unwrap()]);
        pushed["digest"].as_str().unwrap().to_owned()
    };
    let enqueue = |plugin: &str, input: &str| {
        let json = ["--content-type", "application/json", "--digest", "latest", "--wait"];
        ask(&daemon, &[&["enqueue", plugin, "--input", input], &json[..]].concat()).completed();
    };
    guest("granted", "[grants]\nenqueue = ['echo']\n");
    let follow_up = guest("follow-up", "");
    // With the parent's end.
    enqueue("granted", r#"{"enqueue": ["echo/echo"]}"#);
    assert!(pinned(&server).contains(&echo), "{}", pinned(&server));
    // At once.
    assert!(!pinned(&server).contains(&follow_up));
    enqueue("follow-up", r#"{"now": true, "children": 1}"#);
    assert!(pinned(&server).contains(&follow_up), "{}", pinned(&server));
}

#[test]
fn a_producer_that_may_not_look_at_the_plugins_leaves_it_to_the_workers() {
    let server = RedisServer::start();
    let daemon = sharing(&server.url(), &[]);
    push(&daemon, "wordcount", 1);
    let rights = ["~gristmill:{*", "~gristmill:schema", "~gristmill:queues", "&*", "+@all"];
    let user = [&["ACL", "SETUSER", "producer", "on", ">s3cret"], &rights[..]].concat();
    server.command(&user).unwrap();
    let url = format!("redis://producer:s3cret@127.0.0.1:{}", server.port());
    let sent = run(&["enqueue", "wordcount", "--redis-url", &url]);
    let id = sent.completed().trim();
    let waited = run(&["job", "wait", id, "--redis-url", &url]);
    assert_eq!(waited.code, Some(2), "{waited:?}");
    assert!(waited.stderr.contains("none is given"), "{waited:?}");
}

#[test]
fn pushes_at_one_time_leave_every_daemon_with_the_last() {
    let server = RedisServer::start();
    let url = server.url();
    let daemons = [sharing(&url, &[]), sharing(&url, &[])];
    let first = push(&daemons[0], "echo", 0);
    for daemon in &daemons {
        loaded(daemon);
    }
    let pushes: Vec<_> = (1..=6)
        .map(|number| {
            let (dir, file) = version("echo", number);
            let daemon = &daemons[usize::from(number) % 2].url;
            let arguments = ["plugin", "push", &file, "--server", daemon, "--token", ADMIN];
            let mut command = gristmill(&arguments);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            (dir, command.spawn().unwrap())
        })
        .collect();
    for (_dir, child) in pushes {
        ran(child).completed();
    }
    let shelf = run(&["plugin", "list", "--json", "--redis-url", &url]);
    let shelf: Value = serde_json::from_str(shelf.completed()).unwrap();
    let last = shelf[0]["digest"].as_str().unwrap();
    assert_ne!(last, first);
    for mut daemon in daemons {
        if listed(&daemon)["digest"] != *last {
            daemon.running.until(&format!("plugin echo {last}"));
            assert_eq!(listed(&daemon)["digest"], *last);
        }
    }
    let kept = server.command(&["HLEN", "gristmill:p:{shelf}:components"]).unwrap();
    assert_eq!(kept.trim(), "4");
}

#[test]
fn a_plugin_is_pushed_and_removed_without_a_daemon() {
    let server = RedisServer::start();
    let url = server.url();
    let plugin =
        |arguments: &[&str]| run(&[&["plugin"], arguments, &["--redis-url", &url]].concat());
    let (dir, file) = version("echo", 1);
    // What is granted and isn't on this machine is told; the machines of the fleet may have it.
    let secret = "version = '7'\n[grants.secrets]\nkey = { file = '/no/such/key' }\n";
    std::fs::write(dir.path().join("echo.toml"), secret).unwrap();
    let pushed = plugin(&["push", &file]);
    assert!(pushed.completed().starts_with("echo  sha256:"), "{pushed:?}");
    assert!(pushed.stderr.contains("the file /no/such/key can't be read"), "{pushed:?}");
    assert!(plugin(&["list"]).completed().starts_with("echo  sha256:"));
    let inspected: Value =
        serde_json::from_str(plugin(&["inspect", "echo", "--json"]).completed()).unwrap();
    assert_eq!(inspected["version"], "7");
    std::fs::write(dir.path().join("echo.toml"), "speed = 'fast'\n").unwrap();
    let refused = plugin(&["push", &file]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stdout).starts_with("manifest: line 1, `speed`"));
    let broken = Path::new(&file).with_file_name("broken.wasm");
    std::fs::write(&broken, "dear diary").unwrap();
    let refused = plugin(&["push", broken.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&refused.stdout).starts_with("component: this is no"));
    assert_eq!(plugin(&["list", "--json"]).completed().matches("\"name\": \"echo\"").count(), 2);
    plugin(&["remove", "echo"]).completed();
    assert_eq!(plugin(&["list"]).completed(), "");
    plugin(&["remove", "echo"]).refused(1, "there is no plugin \"echo\" there");
}

#[test]
fn sharing_needs_a_server() {
    let ran = run(&["serve", "--share-plugins", "--listen", "127.0.0.1:0"]);
    ran.refused(2, "--share-plugins needs --redis-url");
}
