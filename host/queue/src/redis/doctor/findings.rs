//! From what is known of a server to what is thought of it.

use std::collections::HashMap;
use std::time::Duration;

use super::{Facts, Finding, SCHEMA, Verdict};

/// The oldest version that has every command of the scripts.
const VERSION_MIN: (u32, u32) = (6, 2);
/// A share of its memory in percent past which a server is about to be full.
const MEMORY_USED_MAX: u64 = 80;
/// Round trips past which workers and producers wait for the network more than for the server.
const MEDIAN_MAX: Duration = Duration::from_millis(10);
const WORST_MAX: Duration = Duration::from_millis(250);
/// A round trip past which a lease can't be relied on to be renewed in its time.
const MEDIAN_LIMIT: Duration = Duration::from_secs(1);
/// Jobs with a time of their own start late or early by as much.
const CLOCK_APART_MAX: Duration = Duration::from_secs(1);
/// A search for a job by its id alone asks queue by queue.
const QUEUES_MAX: u64 = 1_000;

/// What is thought of a server.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let mut findings = match &facts.info {
        Ok(info) => {
            let info = Info(info);
            vec![
                version(info),
                role(info),
                mode(info),
                eviction(info),
                persistence(info, &facts.settings),
                memory(info),
            ]
        }
        Err(reason) => {
            let remedy = "allow this user INFO, or ask whoever runs the server for its version, \
                          role, memory and persistence";
            vec![warn("server", format!("INFO can't be read: {reason}"), remedy)]
        }
    };
    findings.extend([round_trip(&facts.pings), clock(facts.clock_ahead), schema(facts)]);
    findings.push(keys(facts));
    findings
}

fn ok(name: &'static str, found: impl Into<String>) -> Finding {
    Finding { name, verdict: Verdict::Ok, found: found.into(), remedy: None }
}

fn warn(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    let remedy = Some(remedy.into());
    Finding { name, verdict: Verdict::Warn, found: found.into(), remedy }
}

fn fail(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { verdict: Verdict::Fail, ..warn(name, found, remedy) }
}

/// What a server says of itself.
#[derive(Clone, Copy)]
struct Info<'a>(&'a HashMap<String, String>);

impl<'a> Info<'a> {
    /// Empty, where the server doesn't say.
    fn text(self, name: &str) -> &'a str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn number(self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_default()
    }
}

fn version(info: Info) -> Finding {
    // It tells the version of Redis that it is compatible with, too.
    if !info.text("valkey_version").is_empty() {
        return ok("version", format!("Valkey {}", info.text("valkey_version")));
    }
    let version = info.text("redis_version");
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let known = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let found = if version.is_empty() { "unknown".to_owned() } else { format!("Redis {version}") };
    let remedy = "use Redis 6.2 or later, or Valkey";
    match known {
        _ if version.is_empty() => warn("version", found, remedy),
        known if known < VERSION_MIN => fail("version", found, remedy),
        _ => ok("version", found),
    }
}

fn role(info: Info) -> Finding {
    match info.text("role") {
        "master" => ok("role", "a primary"),
        "slave" => {
            let primary = format!("{}:{}", info.text("master_host"), info.text("master_port"));
            fail("role", format!("a replica of {primary}"), "use the address of its primary")
        }
        _ => warn("role", "unknown", "make sure that it is a primary"),
    }
}

fn mode(info: Info) -> Finding {
    match info.text("redis_mode") {
        "cluster" => fail(
            "mode",
            "a node of a cluster, which holds a part of the keys",
            "use a server that stands alone, or a primary with replicas",
        ),
        "sentinel" => fail(
            "mode",
            "a sentinel, which holds no keys",
            "use the address of the primary that it watches over",
        ),
        _ => ok("mode", "stands alone"),
    }
}

fn eviction(info: Info) -> Finding {
    let remedy = "set maxmemory-policy to noeviction";
    match info.text("maxmemory_policy") {
        "" => warn("eviction", "the policy is unknown", remedy),
        "noeviction" => ok("eviction", "noeviction"),
        policy if policy.starts_with("volatile-") => ok(
            "eviction",
            format!("{policy}: takes only keys with a time to live, which no queue has"),
        ),
        policy if info.number("maxmemory") == 0 => warn(
            "eviction",
            format!("{policy}: once there is a maxmemory, jobs and leases may vanish"),
            remedy,
        ),
        policy => fail(
            "eviction",
            format!("{policy}: jobs and leases vanish when the memory is full"),
            remedy,
        ),
    }
}

fn persistence(info: Info, settings: &Result<HashMap<String, String>, String>) -> Finding {
    const NAME: &str = "persistence";
    if info.text("aof_last_write_status") == "err" || info.text("rdb_last_bgsave_status") == "err" {
        let remedy = "make room on its disk, and see its log: it may refuse writes until then";
        return fail(NAME, "what it keeps on disk can't be written", remedy);
    }
    let append_only = info.text("aof_enabled") == "1";
    let every_second = "set appendfsync to everysec";
    let append = "set appendonly to yes";
    let settings = match settings {
        Ok(settings) => settings,
        Err(reason) => {
            let file = if append_only { "an append-only file" } else { "no append-only file" };
            let found = format!("{file}; CONFIG can't be read: {reason}");
            let remedy =
                if append_only { "make sure that appendfsync is everysec" } else { append };
            return warn(NAME, found, remedy);
        }
    };
    let setting = |name: &str| settings.get(name).map_or("", String::as_str);
    match (append_only, setting("appendfsync")) {
        (true, "always") => ok(NAME, "an append-only file, synced always: a crash loses nothing"),
        (true, "no") => warn(
            NAME,
            "an append-only file, never synced: a crash of its machine loses what the kernel hadn't \
             written, about half a minute",
            every_second,
        ),
        (true, _) => ok(
            NAME,
            "an append-only file, synced every second: a crash of its machine loses a second or two",
        ),
        (false, _) if setting("save").is_empty() => {
            warn(NAME, "none: a crash or a restart loses every job", append)
        }
        (false, _) => warn(
            NAME,
            format!(
                "snapshots only: a crash loses what came since the last one ({} changes so far)",
                info.number("rdb_changes_since_last_save")
            ),
            append,
        ),
    }
}

fn memory(info: Info) -> Finding {
    let used = info.number("used_memory");
    let (bound, of) = match (info.number("maxmemory"), info.number("total_system_memory")) {
        (0, 0) => return ok("memory", format!("{} used, no maxmemory", bytes(used))),
        (0, machine) => (machine, "of its machine, no maxmemory"),
        (max, _) => (max, "of maxmemory"),
    };
    let found = format!("{} used of {} {of}", bytes(used), bytes(bound));
    let remedy = "raise maxmemory, or let jobs come to their end; see `gristmill queue list`";
    if used >= bound {
        fail("memory", format!("{found}: new jobs are refused"), remedy)
    } else if used >= bound / 100 * MEMORY_USED_MAX {
        warn("memory", found, remedy)
    } else {
        ok("memory", found)
    }
}

/// Bytes as a person reads them.
fn bytes(count: u64) -> String {
    let mib = count >> 20;
    match mib {
        0 => format!("{} KiB", count >> 10),
        1..10_240 => format!("{mib} MiB"),
        _ => format!("{} GiB", mib >> 10),
    }
}

fn round_trip(pings: &[Duration]) -> Finding {
    let mut pings = pings.to_vec();
    pings.sort_unstable();
    let median = pings.get(pings.len() / 2).copied().unwrap_or_default();
    let worst = pings.last().copied().unwrap_or_default();
    let found = format!("median {median:.1?}, worst {worst:.1?}, of {} pings", pings.len());
    let remedy = "run workers nearer to the server, and see its SLOWLOG and its machine's load";
    if median > MEDIAN_LIMIT {
        fail("round-trip", found, remedy)
    } else if median > MEDIAN_MAX || worst > WORST_MAX {
        warn("round-trip", found, remedy)
    } else {
        ok("round-trip", found)
    }
}

fn clock(ahead: Option<i64>) -> Finding {
    let Some(ahead) = ahead else {
        return warn("clock", "TIME can't be read", "allow this user TIME, which scripts need");
    };
    let apart = Duration::from_millis(ahead.unsigned_abs());
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    let found = format!("{apart:?} {direction} this machine's");
    if apart > CLOCK_APART_MAX {
        let remedy = "set both clocks by NTP: jobs with a start time of their own start by the \
                      server's clock";
        warn("clock", found, remedy)
    } else {
        ok("clock", found)
    }
}

fn schema(facts: &Facts) -> Finding {
    match &facts.schema {
        Err(reason) => {
            let remedy = "allow this user to read and write the keys of queues";
            fail("schema", format!("it can't be read: {reason}"), remedy)
        }
        Ok(None) => ok("schema", "none: no queue was ever kept here"),
        Ok(Some(schema)) if *schema == SCHEMA.to_string() => ok("schema", schema.clone()),
        Ok(Some(schema)) => fail(
            "schema",
            format!("{schema}, and this version knows {SCHEMA}"),
            "use the version that wrote it, or another database",
        ),
    }
}

fn keys(facts: &Facts) -> Finding {
    let shown = |count: Option<u64>| count.map_or("unknown".to_owned(), |count| count.to_string());
    let found = format!("{} keys, {} queues", shown(facts.keys), shown(facts.queues));
    if facts.queues.is_some_and(|queues| queues > QUEUES_MAX) {
        warn("keys", found, "use fewer queues: a search for a job asks each of them")
    } else {
        ok("keys", found)
    }
}

#[cfg(test)]
mod tests;
