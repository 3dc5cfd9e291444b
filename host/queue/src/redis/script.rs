//! The scripts, each a step of the queue that happens whole on the server.
//!
//! A script's first lines name its keys and the parts that it is made of beside its own text:
//! `-- keys: meta jobs` and `-- parts: record`. From them come the order of its keys and its source, in
//! which `k_meta` stands for the key `meta`. Every run of a script makes its functions anew, which costs
//! more than most of what they do; so what a script seldom needs is among its `-- rare:` parts, made
//! by the first call of `rare()`. [`Scripts`] are all scripts for one prefix.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_redis::Script;

/// What time it is for the scripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ServerClock {
    /// The server's clock.
    #[default]
    System,
    /// The milliseconds under this key, for tests that move time.
    Key(String),
}

/// A script's name and text.
#[derive(Debug)]
pub(super) struct Step {
    name: &'static str,
    text: &'static str,
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)+) => {
        $($(#[$doc])* pub(super) static $name: Step =
            Step { name: $file, text: include_str!(concat!("scripts/", $file, ".lua")) };)+

        /// Every script.
        static ALL: &[&Step] = &[$(&$name),+];
    };
}

scripts! {
    /// Takes new jobs over.
    ENQUEUE = "enqueue";
    /// One turn of a worker.
    CYCLE = "cycle";
    /// Agrees with a worker on what it holds.
    RESYNC = "resync";
    /// Takes its jobs from a worker whose lease has lapsed.
    REAP = "reap";
    /// Takes crashes back.
    ABSOLVE = "absolve";
    /// Reads a job, and notes who waits for its end.
    READ = "read";
    /// Registers a worker that waits for something to do.
    HUNGER = "hunger";
    /// Cancels a job, or marks it.
    CANCEL = "cancel";
    /// Runs a failed or cancelled job again.
    REQUEUE = "requeue";
    /// Forgets a job.
    REMOVE = "remove";
    /// Forgets some failed jobs.
    CLEAR = "clear";
    /// Forgets some of the jobs whose time to be kept is over.
    TRIM = "trim";
    /// Stops or resumes leasing.
    PAUSE = "pause";
    /// Tells how a queue stands.
    STATUS = "status";
    /// Holds what is kept of jobs against them.
    CHECK = "check";
    /// Compares the counters with what was counted.
    TALLY = "tally";
    /// Tells which jobs are the next of a listing.
    LIST = "list";
    /// Reads the log of a job.
    LOGS = "logs";
}

macro_rules! parts {
    ($($name:literal)+) => {
        /// Parts that scripts share, by name.
        static PARTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("scripts/parts/", $name, ".lua")))),+];
    };
}

parts! {
    "layout" "view" "record" "ready" "kept" "lease" "moves" "admit" "worker" "usual" "turn"
}

/// What every script begins with.
const PRELUDE: &str = include_str!("scripts/parts/prelude.lua");

/// All scripts, for one prefix and clock.
#[derive(Debug)]
pub(super) struct Scripts {
    made: HashMap<&'static str, Arc<Script>>,
}

impl Scripts {
    pub(super) fn new(prefix: &str, clock: &ServerClock) -> Self {
        let made = ALL.iter().map(|step| {
            let script = Script::new(step.source(prefix, clock));
            (step.name, Arc::new(script))
        });
        Self { made: made.collect() }
    }

    pub(super) fn get(&self, step: &Step) -> &Script {
        &self.made[step.name]
    }

    pub(super) fn all(&self) -> Vec<Arc<Script>> {
        self.made.values().cloned().collect()
    }
}

impl Step {
    /// The names of the keys that the script declares, in their order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.header("-- keys:")
    }

    fn header(&self, start: &str) -> impl Iterator<Item = &'static str> {
        let line = self.text.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_default().split_whitespace()
    }

    fn source(&self, prefix: &str, clock: &ServerClock) -> String {
        let clock = match clock {
            ServerClock::System => {
                "local t = redis.call('TIME')\nlocal clock = t[1] * 1000 + math.floor(t[2] / 1000)\n"
                    .to_owned()
            }
            ServerClock::Key(key) => {
                format!("local clock = tonumber(redis.call('GET', '{key}'))\n")
            }
        };
        let mail = format!("local mail = '{prefix}:mail:'\n");
        let mut source = [clock, mail, PRELUDE.to_owned(), self.parts("-- parts:")].concat();
        let rare = self.parts("-- rare:");
        if !rare.is_empty() {
            let made = ["local made\nlocal function rare()\nif made then return made end\n", &rare];
            source.extend(made);
            source.push_str("return made\nend\n");
        }
        source.push_str(self.text);
        self.with_keys(&source)
    }

    fn parts(&self, header: &str) -> String {
        let text = |name| PARTS.iter().find(|(part, _)| *part == name).map(|(_, text)| *text);
        self.header(header).filter_map(text).collect()
    }

    /// A text in which the names of keys stand for those that the script declares; others, of parts that
    /// are never called then, for none.
    fn with_keys(&self, text: &str) -> String {
        let names: Vec<String> = self.keys().map(|name| name.replace(':', "_")).collect();
        let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("k_") {
            let (before, found) = rest.split_at(start);
            let end = found.find(|letter| !is_of_a_name(letter)).unwrap_or(found.len());
            replaced.push_str(before);
            if before.ends_with(is_of_a_name) {
                replaced.push_str(&found[..end]);
            } else {
                let place = names.iter().position(|name| *name == found[2..end]);
                replaced.push_str(&place.map_or("nil".to_owned(), |i| format!("KEYS[{}]", i + 1)));
            }
            rest = &found[end..];
        }
        replaced + rest
    }
}
