//! Looking at plugins and their manifests before a job does.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{gristmill, ran, root, run};

/// A folder with a shipped plugin under this name, and its manifest.
fn a_folder(name: &str, manifest: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), name, manifest);
    dir
}

fn add(dir: &Path, name: &str, manifest: &str) {
    let component = root().join("target/plugins/echo.wasm");
    fs::copy(component, dir.join(format!("{name}.wasm"))).unwrap();
    fs::write(dir.join(format!("{name}.toml")), manifest).unwrap();
}

/// What `plugin check` prints of a folder, without the folder's own name, and its exit code.
fn checked(dir: &Path) -> (Option<i32>, Vec<String>) {
    let ran = run(&["plugin", "check", dir.to_str().unwrap()]);
    assert!(ran.stderr.is_empty(), "{ran:?}");
    let stdout = String::from_utf8(ran.stdout).unwrap();
    let folder = format!("{}/", dir.display());
    (ran.code, stdout.lines().map(|line| line.replace(&folder, "")).collect())
}

#[test]
fn all_problems_of_all_plugins_are_told_at_once() {
    let dir =
        a_folder("shop", "label = 'shop'\n[limits]\nmemory = '9TiB'\n[grants.cache]\na = 'all'\n");
    add(dir.path(), "mail", "[grants.secrets]\nkey = { file = '/no/such/key' }\n");
    add(dir.path(), "good", "version = '1'");
    add(dir.path(), "Bad_Name", "");
    fs::write(dir.path().join("broken.wasm"), "no component").unwrap();
    fs::write(dir.path().join("alone.toml"), "").unwrap();
    let (code, lines) = checked(dir.path());
    assert_eq!(code, Some(3));
    let expected = [
        "Bad_Name.wasm: \"Bad_Name\" is no plugin name",
        "alone.toml: there is no component of this name beside it",
        "broken.wasm: this is no WebAssembly component, but a text file",
        "good: nothing is wrong",
        "mail.toml: `grants.secrets.key`: the file /no/such/key can't be read: No such file",
        "shop.toml: line 1, `label`: this key isn't known; known are name, ",
        "shop.toml: line 3, `limits.memory`: expected bytes such as ",
        "shop.toml: line 5, `grants.cache.a`: expected \"read-only\" or \"read-write\", got \"all\"",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} should start with {expected:?}");
    }
}

#[test]
fn a_plugin_with_which_nothing_is_wrong_passes() {
    let dir = a_folder("shop", "name = 'shop'");
    assert_eq!(checked(dir.path()), (Some(0), vec!["shop: nothing is wrong".to_owned()]));
    let file = dir.path().join("shop.wasm");
    let ran = run(&["plugin", "check", file.to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_str(ran.completed()).unwrap();
    assert_eq!(json, json!([{"plugin": "shop", "problems": []}]));
}

#[test]
fn a_plugin_is_shown_with_what_it_is_granted_and_allowed_but_no_secret() {
    let manifest = "version = '1.2'\ndescription = 'Gives back.'\n[limits]\nmemory = '32MiB'\n\
                    [functions.echo.limits]\nwall = '1s'\n[grants]\nenqueue = ['mail']\n\
                    [grants.cache]\nrates = 'read-only'\n[grants.secrets]\nkey = { env = 'SHOP_KEY' }\n";
    let dir = a_folder("shop", manifest);
    let file = dir.path().join("shop.wasm");
    let shown = |arguments: &[&str]| {
        let mut command =
            gristmill(&[&["plugin", "inspect", file.to_str().unwrap()], arguments].concat());
        command.env("SHOP_KEY", "hunter22").stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        let ran = ran(command.spawn().unwrap());
        assert!(!format!("{ran:?}").contains("hunter22"));
        ran.completed().to_owned()
    };
    let text = shown(&[]);
    for part in ["Gives back.", "bucket rates: read-only", "jobs for mail", "SHOP_KEY", "of echo"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value = serde_json::from_str(&shown(&["--json"])).unwrap();
    assert_eq!(
        (&json["version"], &json["limits"]["memory_bytes"]),
        (&json!("1.2"), &json!(32 << 20))
    );
    assert_eq!(json["function_limits"]["echo"]["wall_ms"], 1_000);
    assert_eq!(json["grants"]["secrets"]["key"], "the environment variable SHOP_KEY");
    assert_eq!(json["grants"]["enqueue"], json!(["mail"]));
}
