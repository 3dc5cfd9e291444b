//! Grants of shared buckets: what the manifest beside a plugin says is what its calls may do.

use gristmill_job::{Outcome, Payload, PluginName};
use gristmill_runtime::{Access, Grants, LoadError, Plugin, PluginStore};
use gristmill_tests::{Sandbox, a_grant, a_job, guest};
use serde_json::{Value, json};

/// Every operation that changes something, with what it is called with.
const WRITES: [&[&str]; 9] = [
    &["set", "k", "w"],
    &["set-if-absent", "new", "w"],
    &["compare-and-set", "new", "w"],
    &["delete", "k"],
    &["touch", "k"],
    &["increment", "n"],
    &["set-many", "k", "w"],
    &["delete-many", "k n"],
    &["clear", ""],
];

/// Every operation that only looks.
const READS: [&[&str]; 5] =
    [&["get", "k"], &["entry", "k"], &["exists", "k"], &["get-many", "k n"], &["scan", ""]];

/// Makes calls in a bucket, and answers with what came of each.
async fn calls(sandbox: &Sandbox, plugin: &Plugin, bucket: &str, calls: &[&[&str]]) -> Vec<Value> {
    let plan = Payload::json(&json!({"bucket": bucket, "calls": calls}));
    let job = a_job(plugin.name().as_str(), "cache_calls", plan);
    let report = sandbox.attempt(plugin, job, 1, None).await;
    let Outcome::Completed { result: Some(result) } = &report.outcome else {
        panic!("the job doesn't go on: {:?}", report.outcome)
    };
    serde_json::from_slice(&result.data).expect("JSON")
}

#[track_caller]
fn check_denied(answer: &Value, expected: &str) {
    let error = answer["Err"].as_str().unwrap_or_else(|| panic!("allowed: {answer}"));
    assert!(error.starts_with("access denied: "), "{error}");
    assert!(error.contains(expected), "{error:?} should contain {expected:?}");
}

#[tokio::test]
async fn what_is_not_granted_is_refused_with_what_would_grant_it() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest_as("cache-calls", "shop", Grants::default()).await;
    let reads = calls(&sandbox, &plugin, "rates", &READS).await;
    let remedy = "\"rates\" = \"read-only\" under [grants.cache] in its manifest, shop.toml";
    reads.iter().for_each(|answer| check_denied(answer, remedy));
    let writes = calls(&sandbox, &plugin, "rates", &WRITES).await;
    let remedy = "\"rates\" = \"read-write\" under [grants.cache] in its manifest, shop.toml";
    writes.iter().for_each(|answer| check_denied(answer, remedy));
    let reserved = calls(&sandbox, &plugin, "rates", &[&["reserve", "k", "v"]]).await;
    check_denied(&reserved[0], "the bucket \"rates\" is not granted to this plugin");
}

#[tokio::test]
async fn a_name_that_no_bucket_can_have_is_invalid_rather_than_not_granted() {
    let sandbox = Sandbox::new();
    let plugin = sandbox.guest_as("cache-calls", "shop", Grants::default()).await;
    for bucket in ["plugin:shop", "a/b", " ", "a\0b", &"x".repeat(64), &"x".repeat(10_000)] {
        let answer = &calls(&sandbox, &plugin, bucket, &[&["get", "k"]]).await[0];
        let error = answer["Err"].as_str().expect("an error");
        assert!(error.starts_with("invalid argument: ") && error.len() < 300, "{error}");
        assert!(error.contains("is no bucket name"), "{error}");
    }
}

#[tokio::test]
async fn a_shared_bucket_carries_values_from_one_plugin_to_another() {
    let sandbox = Sandbox::new();
    let writes = a_grant("rates", Access::ReadWrite);
    let writer = sandbox.guest_as("cache-calls", "writer", writes).await;
    let reads = a_grant("rates", Access::ReadOnly);
    let reader = sandbox.guest_as("cache-calls", "reader", reads).await;
    calls(&sandbox, &writer, "rates", &[&["set", "k", "v"]]).await;
    let seen = calls(&sandbox, &reader, "rates", &[&["get", "k"], &["reserve", "k"]]).await;
    assert_eq!(seen, [json!({"Ok": "v"}), json!({"Ok": "v"})]);
    let own = calls(&sandbox, &reader, "", &[&["get", "k"]]).await;
    assert_eq!(own, [json!({"Ok": null})], "a bucket is no plugin's own");
}

#[tokio::test]
async fn a_read_only_grant_refuses_every_kind_of_write() {
    let sandbox = Sandbox::new();
    let writes = a_grant("rates", Access::ReadWrite);
    let writer = sandbox.guest_as("cache-calls", "writer", writes).await;
    let before = [&["set", "k", "v"][..], &["increment", "n"]];
    calls(&sandbox, &writer, "rates", &before).await;
    let reads = a_grant("rates", Access::ReadOnly);
    let reader = sandbox.guest_as("cache-calls", "reader", reads).await;
    let says = "the bucket \"rates\" is granted to this plugin as read-only";
    for answer in calls(&sandbox, &reader, "rates", &WRITES).await {
        check_denied(&answer, says);
    }
    let fill = calls(&sandbox, &reader, "rates", &[&["reserve", "missing", "v"]]).await;
    check_denied(&fill[0], says);
    let after = calls(&sandbox, &writer, "rates", &[&["scan", ""], &["get-many", "k n"]]).await;
    assert_eq!(after, [json!({"Ok": ["k", "n"]}), json!({"Ok": ["v", "1"]})]);
}

#[tokio::test]
async fn who_may_only_read_keeps_nobody_from_computing() {
    let sandbox = Sandbox::new();
    let writes = a_grant("rates", Access::ReadWrite);
    let writer = sandbox.guest_as("cache-calls", "writer", writes).await;
    let reads = a_grant("rates", Access::ReadOnly);
    let reader = sandbox.guest_as("cache-calls", "reader", reads).await;
    let reserve: &[&[&str]] = &[&["reserve", "k", "v"]];
    check_denied(&calls(&sandbox, &reader, "rates", reserve).await[0], "read-only");
    assert_eq!(calls(&sandbox, &writer, "rates", reserve).await, [json!({"Ok": true})]);
}

#[tokio::test]
async fn two_plugins_never_see_each_others_entries_whatever_key_they_make_up() {
    let sandbox = Sandbox::new();
    let one = sandbox.guest_as("cache-calls", "one", Grants::default()).await;
    // A bucket of the other's name is another thing than the other's own.
    let grants = a_grant("one", Access::ReadWrite);
    let two = sandbox.guest_as("cache-calls", "two", grants).await;
    calls(&sandbox, &one, "", &[&["set", "secret", "of one"], &["set", "\0", "of one"]]).await;
    let keys = [
        "secret",
        "\0",
        "one:secret",
        "plugin:one:secret",
        "gristmill:c:plugin:one:secret",
        "\0one\0secret",
        "../one/secret",
        "}:secret",
        "*",
        "s*",
        "one",
        "%",
    ];
    for bucket in ["", "one"] {
        for key in keys {
            let looks: [&[&str]; 5] = [
                &["get", key],
                &["exists", key],
                &["delete", key],
                &["set-if-absent", key, "of two"],
                &["get", key],
            ];
            let answers = calls(&sandbox, &two, bucket, &looks).await;
            let nothing = [json!(null), json!(false), json!(false), json!(true), json!("of two")];
            assert_eq!(answers, nothing.map(|answer| json!({"Ok": answer})), "{bucket:?} {key:?}");
        }
        let cleared = calls(&sandbox, &two, bucket, &[&["clear", ""], &["scan", ""]]).await;
        assert_eq!(cleared, [json!({"Ok": keys.len()}), json!({"Ok": []})]);
    }
    let left = calls(&sandbox, &one, "", &[&["get", "secret"], &["scan", ""]]).await;
    assert_eq!(left, [json!({"Ok": "of one"}), json!({"Ok": ["\0", "secret"]})]);
}

/// A folder with the guest of many calls as `shop`, and this manifest beside it.
fn a_folder(manifest: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(guest("cache-calls"), folder.path().join("shop.wasm")).expect("the guest");
    std::fs::write(folder.path().join("shop.toml"), manifest).expect("the manifest");
    folder
}

fn shop() -> PluginName {
    PluginName::new("shop").expect("a plugin name")
}

#[tokio::test]
async fn a_plugin_of_the_folder_is_granted_what_the_manifest_beside_it_says() {
    let sandbox = Sandbox::new();
    let folder = a_folder("[grants.cache]\nrates = \"read-write\"\n");
    let path = folder.path().to_owned();
    let plugins = PluginStore::new(sandbox.runtime.clone(), Some(path.clone()));
    let stored = plugins.get(&shop()).await.expect("the plugin loads");
    let file = sandbox.runtime.load_file(&path.join("shop.wasm")).await.expect("the file loads");
    for plugin in [stored, file] {
        assert_eq!(plugin.grants(), &a_grant("rates", Access::ReadWrite));
        let set = calls(&sandbox, &plugin, "rates", &[&["set", "k", "v"]]).await;
        assert_eq!(set, [json!({"Ok": null})]);
    }
}

#[tokio::test]
async fn a_plugin_with_a_faulty_manifest_is_not_loaded_until_it_is_mended() {
    let sandbox = Sandbox::new();
    let folder = a_folder("[grants.cache]\nrates = \"write\"\n");
    let plugins = PluginStore::new(sandbox.runtime.clone(), Some(folder.path().to_owned()));
    let error = plugins.get(&shop()).await.expect_err("the manifest is faulty");
    assert!(matches!(error, LoadError::Manifest { .. }), "{error}");
    let text = error.to_string();
    for part in ["shop.toml", "`grants.cache.rates`", "\"read-only\" or \"read-write\""] {
        assert!(text.contains(part), "{text:?} should contain {part:?}");
    }
    let file = sandbox.runtime.load_file(&folder.path().join("shop.wasm")).await;
    assert!(matches!(file, Err(LoadError::Manifest { .. })), "{file:?}");
    std::fs::write(folder.path().join("shop.toml"), "").expect("the manifest");
    let mended = plugins.get(&shop()).await.expect("the plugin loads");
    assert_eq!(mended.grants(), &Grants::default());
}

#[tokio::test]
async fn a_plugin_in_the_place_of_another_brings_its_own_grants() {
    let sandbox = Sandbox::new();
    let folder = a_folder("[grants.cache]\nrates = \"read-only\"\n");
    let plugins = PluginStore::new(sandbox.runtime.clone(), Some(folder.path().to_owned()));
    let old = plugins.get(&shop()).await.expect("the plugin loads");
    plugins.insert(sandbox.guest_as("cache-calls", "shop", Grants::default()).await);
    let new = plugins.get(&shop()).await.expect("it is there");
    let get: &[&[&str]] = &[&["get", "k"]];
    check_denied(&calls(&sandbox, &new, "rates", get).await[0], "not granted");
    assert_eq!(calls(&sandbox, &old, "rates", get).await, [json!({"Ok": null})]);
    plugins.insert(old);
    let again = plugins.get(&shop()).await.expect("it is there");
    assert_eq!(again.grants(), &a_grant("rates", Access::ReadOnly));
}
