//! The shapes that scripts rely on.

use serde_json::{Value, json};

use crate::command::run;

/// Replaces what differs from run to run.
fn steady(mut value: Value, differing: &[&str]) -> Value {
    match &mut value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                let plain = value.is_string() || value.is_number();
                *value = match differing.contains(&key.as_str()) && plain {
                    true => json!(format!("[{key}]")),
                    false => steady(value.take(), differing),
                };
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| *item = steady(item.take(), differing));
        }
        _ => {}
    }
    value
}

fn printed(arguments: &[&str]) -> Value {
    serde_json::from_str(run(arguments).completed()).unwrap()
}

#[test]
fn a_job() {
    let times = ["enqueued_at", "run_at", "started_at", "completed_at"];
    let differing = [&["id", "digest", "used"][..], &times].concat();
    let job = printed(&["run", "wordcount", "--input", "a b a", "--json"]);
    insta::assert_json_snapshot!(steady(job, &differing));
}

#[test]
fn a_plugin() {
    let mut plugin = printed(&["plugin", "inspect", "wordcount", "--json"]);
    // What a toolchain imports changes with the toolchain.
    for key in ["imports", "exports"] {
        let interfaces = plugin[key].as_array_mut().unwrap();
        interfaces.retain(|i| i["name"].as_str().unwrap().starts_with("gristmill:job/handler"));
    }
    insta::assert_json_snapshot!(steady(plugin, &["digest", "bytes", "summary"]));
}

#[test]
fn plugins_are_an_array() {
    let plugins = printed(&["plugin", "list", "--json"]);
    let names: Vec<&Value> = plugins.as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["echo", "pi", "pi-c", "subtitles", "wordcount"]);
}

#[test]
fn information() {
    let mut info = printed(&["info", "--json"]);
    // Each machine has its own engine to tell of.
    assert!(info["engine"]["slots"].is_u64() && info["engine"]["allocator"].is_string());
    info["engine"] = json!("[engine]");
    insta::assert_json_snapshot!(steady(info, &["version"]));
}

#[test]
fn completions_know_the_commands() {
    assert!(run(&["completions", "bash"]).completed().contains("enqueue"));
}

#[test]
fn wrong_use_is_exit_code_2() {
    for arguments in
        [&["run"][..], &["frobnicate"], &["run", "echo", "--input", "a", "--jsonl", "b"]]
    {
        assert_eq!(run(arguments).code, Some(2), "{arguments:?}");
    }
    run(&["info", "--log", "lo=ud=er"]).refused(2, "--log");
}
