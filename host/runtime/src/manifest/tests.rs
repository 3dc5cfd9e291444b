//! What a manifest may say, and what is answered to anything else.

use gristmill_job::BackoffKind;

use super::*;
use crate::grants::{Access, Folder, Secret};

fn parse(text: &str) -> Result<Manifest, Vec<Fault>> {
    Manifest::parse(text.as_bytes(), &Limits::MAX)
}

/// Expects these faults, and no others.
#[track_caller]
fn check_faulty(text: &str, expected: &[&str]) {
    let faults = parse(text).expect_err("a fault");
    assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

const WHOLE: &str = r#"
name = "thumbnails"
version = "1.2.0"
description = "Makes pictures small."
concurrency = 4
cancel_grace = "2s"

[limits]
memory = "128MiB"
wall = "1m"
cache_ops = 5_000

[retry]
max_attempts = 3
retry_on = ["timed_out"]

[reuse]
jobs_max = 100

[functions.shrink]
description = "One picture."
concurrency = 2

[functions.shrink.limits]
cpu = "20s"
result = 65536

[functions.shrink.retry]
backoff = { kind = "fixed", base = "5s", jitter = 0 }

[config]
quality = "80"

[grants]
enqueue = ["mail", "log/append"]

[grants.cache]
rates = "read-only"
"a.b" = "read-write"

[grants.env]
TZ = "UTC"

[grants.secrets]
api-key = { env = "ACME_KEY" }
token = { file = "/run/secrets/token" }

[grants.folders]
"/data" = { path = "/srv/data", access = "read-only" }
"#;

#[test]
fn a_manifest_says_who_a_plugin_is_and_how_it_runs() {
    let manifest = parse(WHOLE).unwrap();
    assert_eq!(manifest.name, Some("thumbnails".parse().unwrap()));
    assert_eq!(manifest.version.as_deref(), Some("1.2.0"));
    assert_eq!(manifest.description.as_deref(), Some("Makes pictures small."));
    assert_eq!(manifest.config["quality"], "80");
    assert_eq!(
        manifest.rules.limits,
        [("memory", 128 << 20), ("wall", 60_000), ("cache_ops", 5_000)]
    );
    assert_eq!((manifest.rules.concurrency, manifest.rules.attempts_max), (Some(4), Some(3)));
    assert_eq!(manifest.reuse, Some(Reuse { jobs_max: 100, idle: Duration::from_secs(10) }));
    let shrink = manifest.rules_of(&"shrink".parse().unwrap());
    assert_eq!(shrink.description.as_deref(), Some("One picture."));
    assert_eq!((shrink.concurrency, shrink.attempts_max), (Some(2), Some(3)));
    assert_eq!(shrink.cancel_grace, Some(Duration::from_secs(2)));
    let backoff = shrink.backoff.unwrap();
    assert_eq!((backoff.kind, backoff.base), (BackoffKind::Fixed, Duration::from_secs(5)));
    assert_eq!((backoff.jitter, backoff.max), (0.0, Backoff::default().max));
    let only_timeouts = RetryOn { trapped: false, limit_exceeded: false, timed_out: true };
    assert_eq!(shrink.retry_on, Some(only_timeouts));
    let limits = shrink.limits(&Limits::default());
    assert_eq!((limits.memory_bytes_max, limits.result_bytes_max), (128 << 20, 65_536));
    assert_eq!((limits.wall, limits.cpu), (Duration::from_secs(60), Duration::from_secs(20)));
    assert_eq!(limits.handles_max, Limits::default().handles_max);
}

#[test]
fn a_manifest_grants_what_it_names() {
    let grants = parse(WHOLE).unwrap().grants;
    let bucket = |name: &str| grants.cache.get(&name.parse().unwrap()).copied();
    assert_eq!(bucket("rates"), Some(Access::ReadOnly));
    assert_eq!(bucket("a.b"), Some(Access::ReadWrite));
    assert_eq!(bucket("a"), None);
    assert_eq!(grants.env["TZ"], "UTC");
    assert_eq!(grants.secrets["api-key"], Secret::Env("ACME_KEY".to_owned()));
    assert_eq!(grants.secrets["token"], Secret::File("/run/secrets/token".into()));
    let folder = Folder { path: "/srv/data".into(), access: Access::ReadOnly };
    assert_eq!(grants.folders["/data"], folder);
    let covered = |plugin: &str, function: &str| {
        let (plugin, function) = (plugin.parse().unwrap(), function.parse().unwrap());
        grants.enqueue.iter().any(|target| target.covers(&plugin, &function))
    };
    assert!(covered("mail", "send") && covered("mail", "read") && covered("log", "append"));
    assert!(!covered("log", "read") && !covered("thumbnails", "send"));
}

#[test]
fn a_manifest_that_says_nothing_grants_nothing() {
    for text in ["", "# nothing\n", "[grants]\n", "[grants.cache]\n", "[limits]\n", "[retry]\n"] {
        assert_eq!(parse(text), Ok(Manifest::default()), "{text:?}");
    }
}

#[test]
fn all_faults_are_told_together_with_what_would_be_right() {
    check_faulty(
        "name = 'Thumb Nails'\nedition = '1'\n[grants.cache]\nshop = 'write'\n\"a:b\" = 'read-only'\n\
         [limits]\nmemory = '2TiB'\nwall = 5\n[functions.f]\ncancel_grace = '1h'\n[grant]\n",
        &[
            "line 1, `name`: \"Thumb Nails\" is no plugin name: lower-case letters, digits and \
             `-`, a letter first, at most 63",
            "line 2, `edition`: this key isn't known; known are name, version, config, grants, command, \
             description, reuse, concurrency, cancel_grace, limits, retry, functions",
            "line 4, `grants.cache.shop`: expected \"read-only\" or \"read-write\", got \"write\"",
            "line 5, `grants.cache.\"a:b\"`: \"a:b\" is no bucket name: letters, digits, `.`, `_` \
             and `-`, a letter or digit first, at most 63",
            "line 7, `limits.memory`: expected bytes such as 65536, \"64KiB\" or \"1MiB\", got \
             \"2TiB\"",
            "line 8, `limits.wall`: expected a time such as \"250ms\", \"30s\" or \"5m\", got 5",
            "line 10, `functions.f.cancel_grace`: 3600s is more than 300s",
            "line 11, `grant`: this key isn't known; known are name, version, config, grants, command, \
             description, reuse, concurrency, cancel_grace, limits, retry, functions",
        ],
    );
}

#[test]
fn what_a_host_allows_at_most_is_the_bound_of_every_limit() {
    let max = Limits { memory_bytes_max: 64 << 20, ..Limits::MAX };
    let text = b"[limits]\nmemory = '64MiB'\n[functions.f.limits]\nmemory = '65MiB'\n";
    let faults = Manifest::parse(text, &max).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(
        faults[0].to_string(),
        "line 4, `functions.f.limits.memory`: 65MiB is more than this host allows any plugin, 64MiB"
    );
    for limit in Limit::ALL {
        let (max, text) = (limit.of(&Limits::MAX), |value: u64| match limit.unit {
            crate::limits::Unit::Time => format!("[limits]\n{limit} = '{value}ms'"),
            _ => format!("[limits]\n{limit} = {value}"),
        });
        assert_eq!(parse(&text(max)).unwrap().rules.limits, [(limit.name, max)]);
        assert!(parse(&text(max + 1)).is_err(), "{limit}");
    }
}

#[test]
fn grants_that_could_mean_something_else_are_faults() {
    check_faulty(
        "[grants]\nenqueue = ['Mail', 'mail/']\n[grants.env]\n'A=B' = ''\n[grants.secrets]\na = \
         'plain'\nb = { env = 'B', file = '/b' }\nc = { file = 'relative' }\n[grants.folders]\n\
         'data' = { path = '/d', access = 'read-only' }\n'/a/../b' = { path = '/d' }\n",
        &[
            "line 2, `grants.enqueue`: \"Mail\" is no plugin name: lower-case letters, digits and \
             `-`, a letter first, at most 63",
            "line 2, `grants.enqueue`: \"\" is no function name: 1 to 255 bytes without spaces or \
             control characters",
            "line 4, `grants.env.\"A=B\"`: this is no name: up to 128 bytes without spaces and `=`",
            "line 6, `grants.secrets.a`: expected a table, got \"plain\"",
            "line 7, `grants.secrets.b`: expected { env = \"VARIABLE\" } or { file = \"/PATH\" }",
            "line 8, `grants.secrets.c.file`: expected an absolute path, got \"relative\"",
            "line 10, `grants.folders.data`: the folder's path as the guest sees it begins with / \
             and has no . or .. in it",
            "line 11, `grants.folders.\"/a/../b\"`: the folder's path as the guest sees it begins \
             with / and has no . or .. in it",
            "line 11, `grants.folders.\"/a/../b\"`: expected { path = \"/PATH\", access = \
             \"read-only\" or \"read-write\" }",
        ],
    );
}

#[test]
fn what_is_no_manifest_at_all_is_told_apart() {
    let why = |bytes: &[u8]| Manifest::parse(bytes, &Limits::MAX).unwrap_err()[0].to_string();
    assert!(why(b"\xff\xfe").contains("UTF-8"));
    let large = vec![b'#'; 64 << 10];
    assert_eq!(Manifest::parse(&large, &Limits::MAX), Ok(Manifest::default()));
    assert!(why(&[large, vec![b'#']].concat()).contains("65536"));
    assert!(why(b"gristmill").starts_with("line 1, `gristmill`: "));
    assert!(why(b"a = 1\na = 2").starts_with("line 2, `a = 2`: duplicate key"));
}

#[test]
fn the_manifest_is_looked_for_beside_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("shop.wasm");
    let beside = || Manifest::beside(&component, &Limits::MAX);
    assert_eq!(beside().unwrap(), Manifest::default());
    let path = folder.path().join("shop.toml");
    std::fs::write(&path, "[grants.cache]\nshop = \"read-only\"").unwrap();
    assert_eq!(beside().unwrap().grants.cache.len(), 1);
    std::fs::write(&path, "grants = 1").unwrap();
    let error = beside().unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert!(error.ends_with("line 1, `grants`: expected a table, got 1"), "{error}");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(beside(), Err(LoadError::Manifest { .. })));
}

#[test]
fn reuse_is_bounded_and_says_how_often() {
    let reuse = parse("reuse = { jobs_max = 2, idle = '1s' }").unwrap().reuse;
    assert_eq!(reuse, Some(Reuse { jobs_max: 2, idle: Duration::from_secs(1) }));
    assert_eq!(parse("").unwrap().reuse, None);
    for text in ["reuse = {}", "reuse = { jobs_max = 0 }", "reuse = { jobs_max = 10_001 }"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse("reuse = { jobs_max = 2, idle = '6m' }").is_err());
}
