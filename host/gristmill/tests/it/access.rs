//! Tokens and TLS: who gets into a daemon, and who doesn't.

use std::path::PathBuf;

use crate::command::{Running, gristmill, ran, root, run};
use crate::served::{Daemon, folder};

const ENQUEUE: &str = "an-enqueueing-token";
const READ: &str = "a-reading-token-here";
const ADMIN: &str = "an-admins-own-token";

fn tls(file: &str) -> String {
    let path: PathBuf = root().join("host/gristmill/tests/tls").join(file);
    path.to_str().unwrap().to_owned()
}

/// A daemon that asks for tokens.
fn guarded() -> (Daemon, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens");
    let text = format!("# tests\nenqueue:{ENQUEUE}\nread:{READ}\nadmin:{ADMIN}\n");
    std::fs::write(&file, text).unwrap();
    (Daemon::tame_with(&["--token-file", file.to_str().unwrap()]), dir)
}

#[test]
fn a_command_shows_its_token_and_is_told_where_it_does_not_suffice() {
    let (daemon, _dir) = guarded();
    let with =
        |token: &str, arguments: &[&str]| daemon.run(&[arguments, &["--token", token]].concat());
    let waited = with(ENQUEUE, &["enqueue", "wordcount", "--input", "a b", "--wait"]);
    assert!(waited.completed().contains(r#""words":2"#), "{waited:?}");
    daemon.run(&["enqueue", "echo"]).refused(2, "with a token of role enqueue or admin");
    with("nobody-knows-this-one", &["info"]).refused(2, "this token isn't known here");
    with(ENQUEUE, &["jobs"]).refused(2, "takes a token of role read or admin; this one is of enq");
    assert_eq!(with(READ, &["jobs"]).code, Some(0));
    with(READ, &["queue", "pause", "default"]).refused(2, "takes a token of role admin");
    assert_eq!(with(ADMIN, &["queue", "pause", "default"]).code, Some(0));
}

#[test]
fn whether_a_daemon_serves_it_tells_without_a_token() {
    let (daemon, _dir) = guarded();
    daemon.run(&["info"]).refused(2, "with a token of role read or admin");
    assert_eq!(daemon.run(&["info", "--health"]).completed(), "it serves\n");
    let server = daemon.url.clone();
    daemon.running.signal("TERM");
    daemon.end();
    run(&["info", "--health", "--server", &server]).refused(4, "no server can be reached");
    assert_eq!(run(&["info", "--health"]).code, Some(2), "of which daemon?");
}

#[test]
fn a_plugin_is_pushed_and_removed() {
    let (daemon, _dir) = guarded();
    let by = |token: &str, arguments: &[&str]| {
        daemon.run(&[&["plugin"], arguments, &["--token", token]].concat())
    };
    let pi = root().join("target/plugins/pi.wasm");
    let pi = pi.to_str().unwrap();
    by(READ, &["push", pi]).refused(2, "takes a token of role admin");
    assert!(by(ADMIN, &["push", pi]).completed().starts_with("pi  sha256:"));
    let input = ["--input", "3", "--content-type", "application/json"];
    let job = [&["enqueue", "pi", "digits", "--token", ENQUEUE], &input[..]].concat();
    assert_eq!(daemon.run(&job).code, Some(0));
    let broken = daemon.plugins.path().join("diary.txt");
    std::fs::write(&broken, "dear diary").unwrap();
    let broken = broken.to_str().unwrap();
    let refused = by(ADMIN, &["push", broken, "--name", "pi"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stdout).starts_with("component: this is no"));
    assert!(by(ADMIN, &["remove", "pi"]).completed().is_empty());
    by(ADMIN, &["remove", "pi"]).refused(1, "there is no plugin \"pi\" there");
}

#[test]
fn a_daemon_speaks_tls_to_other_machines_and_to_those_who_trust_it() {
    let plugins = folder(&["plugins/echo.wasm"]);
    let (cert, key, ca) = (tls("cert.pem"), tls("key.pem"), tls("ca.pem"));
    let mut command = gristmill(&["serve", "--listen", "0.0.0.0:0", "--tls-cert", &cert]);
    command.args(["--tls-key", &key, "--plugins", plugins.path().to_str().unwrap()]);
    command.env("GRISTMILL_TOKENS", format!("enqueue+read:{ENQUEUE}"));
    let mut running = Running::launch(command);
    let line = running.until("listening on https://");
    let port = line.trim().rsplit(':').next().unwrap();
    let server = format!("https://localhost:{port}");
    let job = ["enqueue", "echo", "--input", "hi", "--wait", "--server", &server];
    let trusting = |arguments: &[&str]| {
        let mut command = gristmill(&[arguments, &["--ca-file", &ca]].concat());
        command.env("GRISTMILL_TOKEN", ENQUEUE);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        ran(command.spawn().unwrap())
    };
    assert_eq!(trusting(&job).completed(), "hi");
    assert!(trusting(&["info", "--server", &server]).completed().starts_with("version"));
    // Who trusts nobody who signed it doesn't speak to it, and plain text gets nowhere.
    run(&job).refused(4, "no server can be reached at https://localhost");
    let plain = format!("http://localhost:{port}");
    run(&["info", "--server", &plain]).refused(4, "no server can be reached");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn a_certificate_is_renewed_at_a_reload_and_a_broken_one_takes_nothings_place() {
    let dir = folder(&["plugins/echo.wasm"]);
    let at = |file: &str| dir.path().join(file).to_str().unwrap().to_owned();
    let put = |of: &str| {
        for file in ["cert.pem", "key.pem"] {
            std::fs::copy(tls(&format!("{of}{file}")), at(file)).unwrap();
        }
    };
    put("");
    let mut command = gristmill(&["serve", "--listen", "127.0.0.1:0", "--plugins"]);
    command.arg(dir.path()).args(["--tls-cert", &at("cert.pem"), "--tls-key", &at("key.pem")]);
    let mut running = Running::launch(command);
    let line = running.until("listening on https://");
    let server = format!("https://localhost:{}", line.trim().rsplit(':').next().unwrap());
    let trusting = |ca: &str| run(&["info", "--server", &server, "--ca-file", &tls(ca)]);
    let unknown = "no server can be reached at https://localhost";
    trusting("ca.pem").completed();
    trusting("renewed/ca.pem").refused(4, unknown);
    // A client that stays on its line isn't disturbed.
    let client = gristmill::Client::builder(&server).ca_file(tls("ca.pem")).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.info()).unwrap();
    put("renewed/");
    running.signal("HUP");
    running.until("new connections are shown the certificate that is in");
    trusting("renewed/ca.pem").completed();
    trusting("ca.pem").refused(4, unknown);
    runtime.block_on(client.info()).unwrap();
    std::fs::write(at("cert.pem"), "half a certif").unwrap();
    running.signal("HUP");
    let error = running.until("the certificate stays as it is");
    let names = format!("{} holds no certificate in PEM", at("cert.pem"));
    assert!(error.contains("ERROR") && error.contains(&names), "{error}");
    assert!(error.contains("mend the file and send HUP again"), "{error}");
    trusting("renewed/ca.pem").completed();
    put("");
    std::fs::copy(tls("renewed/key.pem"), at("key.pem")).unwrap();
    running.signal("HUP");
    let error = running.until("the certificate stays as it is");
    assert!(error.contains("can't be used with the key in"), "{error}");
    trusting("renewed/ca.pem").completed();
}

#[test]
fn a_daemon_that_would_be_open_or_overheard_does_not_start() {
    let (cert, key) = (tls("cert.pem"), tls("key.pem"));
    run(&["serve", "--listen", "0.0.0.0:0"]).refused(2, "which takes access tokens: give them");
    let with_token = |arguments: &[&str]| {
        let mut command = gristmill(&[&["serve", "--listen", "0.0.0.0:0"], arguments].concat());
        command.env("GRISTMILL_TOKENS", format!("admin:{ADMIN}"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        ran(command.spawn().unwrap())
    };
    with_token(&[]).refused(2, "tokens could be read on the way: give --tls-cert");
    with_token(&["--tls-cert", &key, "--tls-key", &key]).refused(2, "holds no certificate in PEM");
    with_token(&["--tls-cert", &cert, "--tls-key", &cert]).refused(2, "holds no private key");
    let file = with_token(&["--token-file", "/no/such/file"]);
    file.refused(2, "--token-file /no/such/file can't be read");
    // Allowed by word: only a plugins folder that isn't there stops it.
    let open = with_token(&["--insecure-http", "--plugins", "no/such", "--log", "error"]);
    open.refused(2, "no/such can't be read");
}
