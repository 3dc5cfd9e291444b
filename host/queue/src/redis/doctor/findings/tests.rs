//! That every verdict is given where it should be.

use super::*;

/// A server that is as it should be.
fn good() -> Facts {
    let info = [
        ("redis_version", "7.0.15"),
        ("redis_mode", "standalone"),
        ("role", "master"),
        ("maxmemory_policy", "noeviction"),
        ("maxmemory", "104857600"),
        ("used_memory", "1048576"),
        ("aof_enabled", "1"),
        ("aof_last_write_status", "ok"),
        ("rdb_last_bgsave_status", "ok"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Facts {
        info: Ok(info.map(owned).into()),
        settings: Ok([("appendfsync", "everysec"), ("save", "")].map(owned).into()),
        pings: vec![Duration::from_micros(200); 9],
        clock_ahead: Some(3),
        keys: Some(40),
        queues: Some(2),
        schema: Ok(Some(SCHEMA.to_string())),
    }
}

/// A good server but for these facts.
fn but_for(said: &[(&str, &str)]) -> Facts {
    let mut facts = good();
    let info = facts.info.as_mut().unwrap();
    info.extend(said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    facts
}

fn with_setting(name: &str, value: &str, mut facts: Facts) -> Facts {
    facts.settings.as_mut().unwrap().insert(name.to_owned(), value.to_owned());
    facts
}

fn find(name: &str, facts: &Facts) -> Finding {
    let findings = all(facts);
    findings.into_iter().find(|finding| finding.name == name).unwrap()
}

#[track_caller]
fn check(name: &str, verdict: Verdict, facts: &Facts) -> String {
    let finding = find(name, facts);
    assert_eq!(finding.verdict, verdict, "{finding:?}");
    assert_eq!(finding.remedy.is_some(), verdict != Verdict::Ok, "{finding:?}");
    finding.found
}

#[test]
fn a_good_server_has_no_faults() {
    for finding in all(&good()) {
        assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    }
    assert_eq!(all(&good()).len(), 10);
}

#[test]
fn a_version_without_the_commands_of_the_scripts_fails() {
    for (version, verdict) in [
        ("6.0.16", Verdict::Fail),
        ("5.0.14", Verdict::Fail),
        ("6.2.0", Verdict::Ok),
        ("10.1.2", Verdict::Ok),
        ("", Verdict::Warn),
    ] {
        check("version", verdict, &but_for(&[("redis_version", version)]));
    }
}

#[test]
fn valkey_is_fine_whatever_it_calls_itself() {
    let facts = but_for(&[("redis_version", "7.2.4"), ("valkey_version", "8.1.0")]);
    assert_eq!(check("version", Verdict::Ok, &facts), "Valkey 8.1.0");
}

#[test]
fn a_replica_fails_and_names_its_primary() {
    let facts = but_for(&[("role", "slave"), ("master_host", "db"), ("master_port", "6379")]);
    assert_eq!(check("role", Verdict::Fail, &facts), "a replica of db:6379");
    check("role", Verdict::Warn, &but_for(&[("role", "")]));
}

#[test]
fn nodes_of_clusters_and_sentinels_fail() {
    check("mode", Verdict::Fail, &but_for(&[("redis_mode", "cluster")]));
    check("mode", Verdict::Fail, &but_for(&[("redis_mode", "sentinel")]));
}

#[test]
fn a_policy_that_evicts_jobs_fails() {
    check("eviction", Verdict::Fail, &but_for(&[("maxmemory_policy", "allkeys-lru")]));
    let unbounded = but_for(&[("maxmemory_policy", "allkeys-lfu"), ("maxmemory", "0")]);
    check("eviction", Verdict::Warn, &unbounded);
    check("eviction", Verdict::Ok, &but_for(&[("maxmemory_policy", "volatile-ttl")]));
    check("eviction", Verdict::Warn, &but_for(&[("maxmemory_policy", "")]));
}

#[test]
fn persistence_says_what_a_crash_loses() {
    let check = |verdict, facts| check("persistence", verdict, &facts);
    let found = check(Verdict::Ok, with_setting("appendfsync", "always", good()));
    assert!(found.contains("loses nothing"), "{found}");
    let found = check(Verdict::Ok, good());
    assert!(found.contains("a second"), "{found}");
    check(Verdict::Warn, with_setting("appendfsync", "no", good()));
    let none = but_for(&[("aof_enabled", "0")]);
    let found = check(Verdict::Warn, none.clone());
    assert!(found.contains("every job"), "{found}");
    let found = check(Verdict::Warn, with_setting("save", "3600 1 300 100", none));
    assert!(found.contains("snapshots only"), "{found}");
}

#[test]
fn a_disk_that_cannot_be_written_fails() {
    for name in ["aof_last_write_status", "rdb_last_bgsave_status"] {
        check("persistence", Verdict::Fail, &but_for(&[(name, "err")]));
    }
}

#[test]
fn a_server_that_forbids_config_says_so() {
    for aof_enabled in ["0", "1"] {
        let mut facts = but_for(&[("aof_enabled", aof_enabled)]);
        facts.settings = Err("unknown command 'CONFIG'".to_owned());
        let found = check("persistence", Verdict::Warn, &facts);
        assert!(found.contains("CONFIG can't be read: unknown command"), "{found}");
    }
}

#[test]
fn a_server_that_forbids_info_says_so() {
    let facts = Facts { info: Err("no permissions".to_owned()), ..good() };
    let found = check("server", Verdict::Warn, &facts);
    assert_eq!(found, "INFO can't be read: no permissions");
    check("schema", Verdict::Ok, &facts);
}

#[test]
fn memory_that_is_nearly_full_is_told() {
    check("memory", Verdict::Warn, &but_for(&[("used_memory", "89128960")]));
    check("memory", Verdict::Fail, &but_for(&[("used_memory", "104857600")]));
    let unbounded = but_for(&[("maxmemory", "0"), ("total_system_memory", "209715200")]);
    let found = check("memory", Verdict::Ok, &unbounded);
    assert_eq!(found, "1 MiB used of 200 MiB of its machine, no maxmemory");
    check("memory", Verdict::Ok, &but_for(&[("maxmemory", "0")]));
}

#[test]
fn slow_round_trips_are_told() {
    let millis = Duration::from_millis;
    let with = |pings: Vec<Duration>| Facts { pings, ..good() };
    let found = check("round-trip", Verdict::Ok, &with(vec![millis(2), millis(9), millis(1)]));
    assert_eq!(found, "median 2.0ms, worst 9.0ms, of 3 pings");
    check("round-trip", Verdict::Warn, &with(vec![millis(12); 3]));
    check("round-trip", Verdict::Warn, &with(vec![millis(1), millis(1), millis(300)]));
    check("round-trip", Verdict::Fail, &with(vec![millis(1_500); 3]));
}

#[test]
fn clocks_that_are_apart_are_told() {
    let with = |ahead| Facts { clock_ahead: ahead, ..good() };
    assert_eq!(check("clock", Verdict::Ok, &with(Some(-250))), "250ms behind this machine's");
    let found = check("clock", Verdict::Warn, &with(Some(90_000)));
    assert_eq!(found, "90s ahead of this machine's");
    check("clock", Verdict::Warn, &with(None));
}

#[test]
fn a_schema_of_another_version_fails() {
    let check = |verdict, schema| check("schema", verdict, &Facts { schema, ..good() });
    check(Verdict::Ok, Ok(None));
    check(Verdict::Fail, Ok(Some((SCHEMA + 1).to_string())));
    check(Verdict::Fail, Err("no permissions".to_owned()));
}

#[test]
fn very_many_queues_are_told() {
    let found = check("keys", Verdict::Ok, &Facts { keys: None, ..good() });
    assert_eq!(found, "unknown keys, 2 queues");
    check("keys", Verdict::Warn, &Facts { queues: Some(1_001), ..good() });
}
