//! Which flag stands in which section of the file.

/// What can't be in a file: what says which file it is, and what asks for something else than a daemon.
const NEVER: [&str; 4] = ["config", "check-config", "help", "version"];

/// The section of flags that are in no other.
const USUAL: &str = "server";

/// Sections, with their flags.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("log", &["log", "log-format", "otlp-endpoint"]),
    ("plugins", &["plugins", "share-plugins", "limit", "limit-max"]),
    ("backends", &["redis-url", "require-redis", "cache-url", "state-dir"]),
    (
        "worker",
        &[
            "queue",
            "queue-order",
            "queue-concurrency",
            "concurrency",
            "lock-memory",
            "lease",
            "grace",
            "workers-only",
            "api-only",
        ],
    ),
];

/// The section of a flag; none if it can't be in a file.
pub(super) fn of(long: Option<&str>) -> Option<&'static str> {
    let long = long.filter(|long| !NEVER.contains(long))?;
    let section = SECTIONS.iter().find(|(_, flags)| flags.contains(&long));
    Some(section.map_or(USUAL, |(name, _)| name))
}

/// All sections.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(USUAL).chain(SECTIONS.iter().map(|(name, _)| *name))
}
