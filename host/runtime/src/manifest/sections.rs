//! What may stand in a manifest, table by table.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use gristmill_job::{Backoff, BackoffKind, FunctionName, RetryOn, limits};

use super::reader::{Item, Section};
use super::{CommandRules, FunctionRules, Manifest};
use crate::grants::{Access, Folder, Grants, HttpHost, Reach, Secret, Target};
use crate::limits::{Limit, Limits, Unit};
use crate::reuse::Reuse;

/// A version: a word or two.
const VERSION_BYTES_MAX: usize = 64;
/// A description is a line; more belongs into the plugin's own documentation.
const DESCRIPTION_BYTES_MAX: usize = 1 << 10;
/// A value for jobs to read, or one of the environment; what is larger belongs into an input or a
/// folder.
const VALUE_BYTES_MAX: usize = 16 << 10;
/// The name of a value, a secret or a variable.
const NAME_BYTES_MAX: usize = 128;
/// Attempts of one function at one time: above this a worker has other limits.
const CONCURRENCY_MAX: u64 = 10_000;
/// An attempt that is to be cancelled has this long at most: whoever cancels wants it gone.
const CANCEL_GRACE_MAX: Duration = Duration::from_secs(5 * 60);

pub(super) fn manifest(mut root: Section<'_>, max: &Limits) -> Manifest {
    let manifest = Manifest {
        name: root.take("name").and_then(|item| item.parsed()),
        version: root.take("version").and_then(|item| item.text(VERSION_BYTES_MAX)),
        config: root.table("config").map(|table| values(&table)).unwrap_or_default(),
        grants: root.table("grants").map(grants).unwrap_or_default(),
        command: root.table("command").map(command).unwrap_or_default(),
        description: description(&mut root),
        reuse: root.take("reuse").and_then(|item| reuse(&item)),
        rules: rules(&mut root, max),
        functions: root.table("functions").map(|table| functions(&table, max)).unwrap_or_default(),
    };
    root.end();
    manifest
}

/// How a component that is a program is started.
fn command(mut table: Section<'_>) -> CommandRules {
    let texts = |item: Option<Item<'_>>, bytes_max| -> Vec<String> {
        let items = item.map(|item| item.list()).unwrap_or_default();
        items.iter().filter_map(|item| item.text(bytes_max)).collect()
    };
    let args = texts(table.take("args"), VALUE_BYTES_MAX);
    let env = texts(table.take("env"), NAME_BYTES_MAX);
    table.end();
    CommandRules { args, env }
}

fn description(table: &mut Section<'_>) -> Option<String> {
    table.take("description").and_then(|item| item.text(DESCRIPTION_BYTES_MAX))
}

fn functions(table: &Section<'_>, max: &Limits) -> BTreeMap<FunctionName, FunctionRules> {
    let mut functions = BTreeMap::new();
    for item in table.items() {
        let Some(name) = item.name() else { continue };
        let Some(mut table) = item.table() else { continue };
        let rules =
            FunctionRules { description: description(&mut table), ..rules(&mut table, max) };
        table.end();
        functions.insert(name, rules);
    }
    functions
}

/// What may be said of the plugin as a whole and of each function.
fn rules(table: &mut Section<'_>, max: &Limits) -> FunctionRules {
    let mut rules = FunctionRules {
        concurrency: table
            .take("concurrency")
            .and_then(|item| item.number(1, CONCURRENCY_MAX))
            .and_then(|number| u32::try_from(number).ok()),
        cancel_grace: table.take("cancel_grace").and_then(|item| item.duration(CANCEL_GRACE_MAX)),
        ..FunctionRules::default()
    };
    if let Some(mut table) = table.table("limits") {
        for limit in Limit::ALL {
            let item = table.take(limit.name);
            if let Some(value) = item.and_then(|item| amount(&item, limit, max)) {
                rules.limits.push((limit.name, value));
            }
        }
        table.end();
    }
    if let Some(table) = table.table("retry") {
        retry(table, &mut rules);
    }
    rules
}

/// What is allowed of a limit.
fn amount(item: &Item<'_>, limit: &Limit, max: &Limits) -> Option<u64> {
    let value = match limit.unit {
        Unit::Count => item.number(0, u64::MAX)?,
        Unit::Bytes => item.bytes()?,
        Unit::Time => u64::try_from(item.duration(Duration::MAX)?.as_millis()).unwrap_or(u64::MAX),
    };
    let max = limit.of(max);
    if value > max {
        let (value, max) = (limit.shown(value), limit.shown(max));
        item.fault(format!("{value} is more than this host allows any plugin, {max}"));
        return None;
    }
    Some(value)
}

fn reuse(item: &Item<'_>) -> Option<Reuse> {
    let mut table = item.table()?;
    let jobs_max = table.take("jobs_max");
    let idle = table.take("idle").map(|item| item.duration(Reuse::IDLE_MAX));
    table.end();
    let Some(jobs_max) = jobs_max else {
        item.fault("jobs_max is missing: how many jobs one instance may run");
        return None;
    };
    let jobs_max = u32::try_from(jobs_max.number(1, Reuse::JOBS_MAX.into())?).ok()?;
    Some(Reuse { jobs_max, idle: idle.unwrap_or(Some(Reuse::IDLE_DEFAULT))? })
}

fn retry(mut table: Section<'_>, rules: &mut FunctionRules) {
    rules.attempts_max = table
        .take("max_attempts")
        .and_then(|item| item.number(1, limits::ATTEMPTS_MAX.into()))
        .and_then(|number| u32::try_from(number).ok());
    rules.backoff = table.take("backoff").and_then(|item| item.table()).map(backoff);
    rules.retry_on = table.take("retry_on").map(|item| retry_on(&item));
    table.end();
}

fn backoff(mut table: Section<'_>) -> Backoff {
    let kinds = [
        ("fixed", BackoffKind::Fixed),
        ("exponential", BackoffKind::Exponential),
        ("polynomial", BackoffKind::Polynomial),
    ];
    let usual = Backoff::default();
    let kind = table.take("kind").and_then(|item| item.word(&kinds)).unwrap_or(usual.kind);
    let base = table.take("base").and_then(|item| item.duration(limits::DELAY_MAX));
    let longest = table.take("max").and_then(|item| item.duration(limits::DELAY_MAX));
    let jitter = table.take("jitter").and_then(|item| item.share()).unwrap_or(usual.jitter);
    table.end();
    Backoff { kind, base: base.unwrap_or(usual.base), max: longest.unwrap_or(usual.max), jitter }
}

fn retry_on(item: &Item<'_>) -> RetryOn {
    let mut on = RetryOn { trapped: false, limit_exceeded: false, timed_out: false };
    let words = [("trapped", 0), ("limit_exceeded", 1), ("timed_out", 2)];
    for item in item.list() {
        match item.word(&words) {
            Some(0) => on.trapped = true,
            Some(1) => on.limit_exceeded = true,
            Some(_) => on.timed_out = true,
            None => {}
        }
    }
    on
}

fn grants(mut table: Section<'_>) -> Grants {
    let mut grants = Grants::default();
    if let Some(table) = table.table("cache") {
        for item in table.items() {
            if let (Some(bucket), Some(access)) = (item.name(), access(&item)) {
                grants.cache.insert(bucket, access);
            }
        }
    }
    grants.env = table.table("env").map(|table| values(&table)).unwrap_or_default();
    if let Some(table) = table.table("secrets") {
        for item in table.items() {
            if let (Some(name), Some(secret)) = (named(&item), secret(&item)) {
                grants.secrets.insert(name, secret);
            }
        }
    }
    if let Some(table) = table.table("http") {
        for item in table.items() {
            let reach = item.word(&Reach::ALL);
            if let (Some(host), Some(reach)) = (item.name::<HttpHost>(), reach) {
                grants.http.push(host.reaching(reach));
            }
        }
    }
    if let Some(item) = table.take("enqueue") {
        grants.enqueue = item.list().iter().filter_map(target).collect();
    }
    if let Some(table) = table.table("folders") {
        for item in table.items() {
            if let (Some(path), Some(folder)) = (guest_path(&item), folder(&item)) {
                grants.folders.insert(path, folder);
            }
        }
    }
    table.end();
    grants
}

fn access(item: &Item<'_>) -> Option<Access> {
    item.word(&Access::ALL.map(|access| (access.as_str(), access)))
}

/// Names with texts.
fn values(table: &Section<'_>) -> BTreeMap<String, String> {
    let pair = |item: Item<'_>| Some((named(&item)?, item.text(VALUE_BYTES_MAX)?));
    table.items().filter_map(pair).collect()
}

/// A key as a name that a process's environment could have, too.
fn named(item: &Item<'_>) -> Option<String> {
    let is_name = !item.key.is_empty()
        && item.key.len() <= NAME_BYTES_MAX
        && !item.key.contains(['=', '\0'])
        && !item.key.chars().any(char::is_whitespace);
    if !is_name {
        item.fault(format!("this is no name: up to {NAME_BYTES_MAX} bytes without spaces and `=`"));
        return None;
    }
    Some(item.key.to_owned())
}

fn secret(item: &Item<'_>) -> Option<Secret> {
    let mut table = item.table()?;
    let env = table.take("env");
    let file = table.take("file");
    table.end();
    match (env, file) {
        (Some(env), None) => Some(Secret::Env(env.text(NAME_BYTES_MAX)?)),
        (None, Some(file)) => Some(Secret::File(absolute(&file, file.string()?)?)),
        _ => {
            item.fault("expected { env = \"VARIABLE\" } or { file = \"/PATH\" }");
            None
        }
    }
}

fn target(item: &Item<'_>) -> Option<Target> {
    let text = item.string()?;
    let (plugin, function) = match text.split_once('/') {
        Some((plugin, function)) => (plugin, Some(function)),
        None => (text, None),
    };
    let plugin = item.good(plugin.parse())?;
    let function = match function {
        Some(function) => Some(item.good(function.parse())?),
        None => None,
    };
    Some(Target { plugin, function })
}

/// The path that a guest sees a folder under: absolute, and without detours.
fn guest_path(item: &Item<'_>) -> Option<String> {
    let mut parts = Path::new(item.key).components();
    let is_plain = parts.next() == Some(Component::RootDir)
        && parts.all(|part| matches!(part, Component::Normal(_)));
    if !is_plain || item.key.len() > NAME_BYTES_MAX {
        item.fault("the folder's path as the guest sees it begins with / and has no . or .. in it");
        return None;
    }
    Some(item.key.to_owned())
}

fn folder(item: &Item<'_>) -> Option<Folder> {
    let mut table = item.table()?;
    let path = table.take("path").map(|path| absolute(&path, path.string()?));
    let access = table.take("access").map(|access_item| access(&access_item));
    table.end();
    match (path, access) {
        (Some(path), Some(access)) => Some(Folder { path: path?, access: access? }),
        _ => {
            item.fault("expected { path = \"/PATH\", access = \"read-only\" or \"read-write\" }");
            None
        }
    }
}

/// A path of this machine: where the host was started must not matter.
fn absolute(item: &Item<'_>, text: &str) -> Option<PathBuf> {
    let path = PathBuf::from(text);
    if !path.is_absolute() {
        item.fault(format!("expected an absolute path, got {text:?}"));
        return None;
    }
    Some(path)
}
