//! Clients in other languages, and producers of none: against a real daemon.

use std::process::{Command, Stdio};

use crate::command::{ran, root};
use crate::served::{Daemon, folder};

fn daemon() -> Daemon {
    let plugins = ["plugins/echo.wasm", "plugins/wordcount.wasm", "test-guests/spin.wasm"];
    let dir = folder(&plugins);
    let tokens = dir.path().join("tokens");
    std::fs::write(&tokens, "admin:an-admins-own-token\n").unwrap();
    let tokens = tokens.to_str().unwrap().to_owned();
    Daemon::start(dir, &["--token-file", &tokens, "--concurrency", "4"])
}

#[test]
fn the_client_in_python_does_what_it_says() {
    let daemon = daemon();
    let folder = root().join("clients/python");
    let tests = Command::new("python3")
        .args(["-m", "unittest", "discover", "-s", "tests"])
        .current_dir(&folder)
        .env("PYTHONPATH", &folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GRISTMILL_SERVER", &daemon.url)
        .env("GRISTMILL_TOKEN", "an-admins-own-token")
        .env("GRISTMILL_COMPONENT", root().join("target/plugins/echo.wasm"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let ran = ran(tests.unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("Ran 17 tests"), "{}", ran.stderr);
}
