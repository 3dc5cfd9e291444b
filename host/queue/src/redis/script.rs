//! The scripts, each a step of the queue that happens whole on the server.
//!
//! A script's first lines name its keys and the parts that it is made of beside its own text:
//! `-- keys: meta jobs` and `-- parts: record`. From them come the order of its keys, the names by
//! which its text knows them, and its source. [`Scripts`] are all of them for one prefix.

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

/// Parts that scripts share, by name.
const PARTS: [(&str, &str); 5] = [
    ("record", include_str!("scripts/parts/record.lua")),
    ("ready", include_str!("scripts/parts/ready.lua")),
    ("moves", include_str!("scripts/parts/moves.lua")),
    ("admit", include_str!("scripts/parts/admit.lua")),
    ("worker", include_str!("scripts/parts/worker.lua")),
];

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
        let keys = self.keys().enumerate();
        let keys: String = keys
            .map(|(i, name)| format!("local k_{} = KEYS[{}]\n", name.replace(':', "_"), i + 1))
            .collect();
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
        let parts: String = self
            .header("-- parts:")
            .filter_map(|name| PARTS.iter().find(|(part, _)| *part == name))
            .map(|(_, text)| *text)
            .collect();
        [keys, clock, mail, PRELUDE.to_owned(), parts, self.text.to_owned()].concat()
    }
}
