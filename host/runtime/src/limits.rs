//! What one attempt is allowed.

use std::fmt;
use std::time::Duration;

use gristmill_job::limits;
use gristmill_job::time::parse_duration;

/// What one attempt is allowed. Each is reported with the attempt as used and allowed, or named by
/// the failure that it causes; [`Limit::ALL`] lists them by the names that manifests give them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `memory`: linear memory in bytes, over all memories together.
    pub memory_bytes_max: usize,
    /// `table_elements`: the elements of each table.
    pub table_elements_max: usize,
    /// `instances`: core instances that one component is made of.
    pub instances_max: usize,
    /// `memories`: linear memories.
    pub memories_max: usize,
    /// `tables`: tables.
    pub tables_max: usize,
    /// `wall`: time from start to end.
    pub wall: Duration,
    /// `cpu`: time on a processor.
    pub cpu: Duration,
    /// `hostcall_bytes`: what one call may hand to the host, in bytes; a result is one such call.
    pub hostcall_bytes_max: usize,
    /// `handles`: resources that the guest holds at one time.
    pub handles_max: usize,
    /// `result`: the result's bytes.
    pub result_bytes_max: usize,
    /// `log_lines`: lines of log; further ones are dropped.
    pub log_lines_max: u64,
    /// `log_bytes`: bytes of log; further lines are dropped.
    pub log_bytes_max: u64,
    /// `log_line`: bytes of one line of log; the rest is cut off.
    pub log_line_bytes_max: usize,
    /// `cache_ops`: cache operations; each key of a batch is one.
    pub cache_ops_max: u64,
    /// `cache_bytes`: keys and values through the cache.
    pub cache_bytes_max: u64,
    /// `follow_ups`: jobs that the attempt enqueues.
    pub follow_ups_max: usize,
    /// `follow_up_bytes`: what the attempt hands over for them, whether they are enqueued or not.
    pub follow_up_bytes_max: usize,
    /// `http_requests`: requests that are sent.
    pub http_requests_max: u64,
    /// `http_bytes`: bytes of requests and responses.
    pub http_bytes_max: u64,
    /// `host_calls`: calls of the contract's interfaces, so that cheap calls can't be made to amplify
    /// work without end.
    pub host_calls_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 << 20,
            // Interpreters need more than ten thousand.
            table_elements_max: 20_000,
            instances_max: 32,
            memories_max: 4,
            tables_max: 16,
            wall: Duration::from_secs(30),
            cpu: Duration::from_secs(10),
            hostcall_bytes_max: 8 << 20,
            handles_max: 4_096,
            result_bytes_max: limits::PAYLOAD_BYTES_MAX,
            log_lines_max: 2_000,
            log_bytes_max: 256 << 10,
            log_line_bytes_max: 8 << 10,
            cache_ops_max: 1_000,
            cache_bytes_max: 16 << 20,
            follow_ups_max: 100,
            // As much as goes through the cache: it is the host's memory that it fills.
            follow_up_bytes_max: 16 << 20,
            http_requests_max: 20,
            http_bytes_max: 8 << 20,
            host_calls_max: 100_000,
        }
    }
}

impl Limits {
    /// What a plugin is allowed while it describes itself: it is asked for a page of text.
    pub(crate) fn for_describe(&self) -> Self {
        let second = Duration::from_secs(1);
        Self {
            wall: self.wall.min(second),
            cpu: self.cpu.min(second),
            log_lines_max: 0,
            cache_ops_max: 0,
            follow_ups_max: 0,
            http_requests_max: 0,
            host_calls_max: 1_000,
            ..self.clone()
        }
    }
}

impl Limits {
    /// What a manifest may allow at most, unless the host says otherwise.
    pub const MAX: Self = Self {
        // The size of a slot's memory in the pool.
        memory_bytes_max: 1 << 30,
        table_elements_max: 100_000,
        instances_max: 128,
        memories_max: 16,
        tables_max: 64,
        wall: limits::TIMEOUT_MAX,
        cpu: limits::TIMEOUT_MAX,
        hostcall_bytes_max: 64 << 20,
        handles_max: 65_536,
        // What a job's record holds.
        result_bytes_max: limits::PAYLOAD_BYTES_MAX,
        log_lines_max: 100_000,
        log_bytes_max: 16 << 20,
        log_line_bytes_max: 64 << 10,
        cache_ops_max: 1_000_000,
        cache_bytes_max: 1 << 30,
        // They are committed with the attempt's settlement, in one step of the queue.
        follow_ups_max: 100,
        follow_up_bytes_max: 64 << 20,
        http_requests_max: 10_000,
        http_bytes_max: 256 << 20,
        host_calls_max: 100_000_000,
    };

    /// Whether these can be what attempts are allowed where no manifest says anything, and those what
    /// manifests may allow at most.
    ///
    /// # Errors
    /// A message that names the limit, and says what would do.
    pub fn check(&self, max: &Self) -> Result<(), String> {
        for limit in Limit::ALL {
            let (usual, most) = (limit.of(self), limit.of(max));
            let bound = limit.bound();
            if most > bound {
                let (most, bound) = (limit.shown(most), limit.shown(bound));
                return Err(format!("{limit}: {most} is more than any host can allow, {bound}"));
            }
            if usual > most {
                let (usual, most) = (limit.shown(usual), limit.shown(most));
                return Err(format!(
                    "{limit}: {usual}, which an attempt may use where its manifest says nothing, is \
                     more than {most}, which a manifest may allow at most; lower the one or raise \
                     the other"
                ));
            }
        }
        Ok(())
    }
}

/// What a memory of 32 bits has room for.
const MEMORY_BYTES_BOUND: u64 = 4 << 30;
/// What a pool has numbers for.
const POOL_BOUND: u64 = 1_000;
/// Elements of a table: above this, tables of a pool take more addresses than memories do.
const TABLE_ELEMENTS_BOUND: u64 = 10_000_000;

/// One limit: its name in manifests and reports, and what it counts.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes; a manifest may write `64MiB`.
    Bytes,
    /// Things.
    Count,
    /// Milliseconds; a manifest writes `250ms`, `30s` or `5m`.
    Time,
}

macro_rules! limit {
    ($name:literal, Time, $field:ident) => {
        Limit {
            name: $name,
            unit: Unit::Time,
            get: |limits| u64::try_from(limits.$field.as_millis()).unwrap_or(u64::MAX),
            set: |limits, value| limits.$field = Duration::from_millis(value),
        }
    };
    ($name:literal, $unit:ident, $field:ident) => {
        Limit {
            name: $name,
            unit: Unit::$unit,
            get: |limits| u64::try_from(limits.$field).unwrap_or(u64::MAX),
            set: |limits, value| limits.$field = value.try_into().unwrap_or(!0),
        }
    };
}

impl Limit {
    /// All that a manifest may set.
    pub const ALL: &'static [Self] = &[
        limit!("memory", Bytes, memory_bytes_max),
        limit!("wall", Time, wall),
        limit!("cpu", Time, cpu),
        limit!("result", Bytes, result_bytes_max),
        limit!("host_calls", Count, host_calls_max),
        limit!("hostcall_bytes", Bytes, hostcall_bytes_max),
        limit!("cache_ops", Count, cache_ops_max),
        limit!("cache_bytes", Bytes, cache_bytes_max),
        limit!("follow_ups", Count, follow_ups_max),
        limit!("follow_up_bytes", Bytes, follow_up_bytes_max),
        limit!("http_requests", Count, http_requests_max),
        limit!("http_bytes", Bytes, http_bytes_max),
        limit!("log_lines", Count, log_lines_max),
        limit!("log_bytes", Bytes, log_bytes_max),
        limit!("log_line", Bytes, log_line_bytes_max),
        limit!("handles", Count, handles_max),
        limit!("instances", Count, instances_max),
        limit!("memories", Count, memories_max),
        limit!("tables", Count, tables_max),
        limit!("table_elements", Count, table_elements_max),
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|limit| limit.name == name)
    }

    /// What these limits allow of it: bytes, things or milliseconds.
    #[must_use]
    pub fn of(&self, limits: &Limits) -> u64 {
        (self.get)(limits)
    }

    /// An amount of it, from how a manifest writes it, without quotes.
    ///
    /// # Errors
    /// A message that shows the text and says what would fit.
    pub fn read(&self, text: &str) -> Result<u64, String> {
        let (value, such) = match self.unit {
            Unit::Count => (text.parse().ok(), "100"),
            Unit::Bytes => (parse_bytes(text), "65536, 64KiB or 1MiB"),
            Unit::Time => {
                let time = parse_duration(text).ok();
                let millis = time.and_then(|time| u64::try_from(time.as_millis()).ok());
                (millis, "250ms, 30s or 5m")
            }
        };
        value.ok_or_else(|| format!("{text:?} is no amount of {self} such as {such}"))
    }

    /// The most that any host may allow: what the queue takes, and what the engine has room for.
    fn bound(&self) -> u64 {
        match self.name {
            "wall" | "cpu" | "result" | "follow_ups" => self.of(&Limits::MAX),
            "memory" => MEMORY_BYTES_BOUND,
            "instances" | "memories" | "tables" => POOL_BOUND,
            "table_elements" => TABLE_ELEMENTS_BOUND,
            _ => u64::MAX,
        }
    }

    /// Allows so much of it.
    pub fn set(&self, limits: &mut Limits, value: u64) {
        (self.set)(limits, value);
    }

    /// An amount of it, as a manifest would write it.
    #[must_use]
    pub fn shown(&self, value: u64) -> String {
        self.unit.shown(value)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Unit {
    fn shown(self, value: u64) -> String {
        let units: &[(u64, &str)] = match self {
            Self::Count => return value.to_string(),
            Self::Bytes => &[(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, " bytes")],
            Self::Time => &[(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")],
        };
        let fits = |(size, _): &&(u64, &str)| value >= *size && value.is_multiple_of(*size);
        match units.iter().find(fits) {
            Some((size, name)) => format!("{}{name}", value / size),
            None => format!("0{}", units[units.len() - 1].1),
        }
    }
}

/// A number of bytes such as `64MiB`.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let size: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_one_of_its_own_and_within_what_is_allowed_at_most() {
        for (i, limit) in Limit::ALL.iter().enumerate() {
            let mut limits = Limits::default();
            assert!(limit.of(&limits) <= limit.of(&Limits::MAX), "{limit}");
            limit.set(&mut limits, 7);
            assert_eq!(limit.of(&limits), 7);
            for (j, other) in Limit::ALL.iter().enumerate() {
                let is_as_before = other.of(&limits) == other.of(&Limits::default());
                assert_eq!(is_as_before, i != j, "{limit} and {other}");
            }
        }
    }

    #[test]
    fn the_documentation_has_every_limit_with_its_default_and_its_most() {
        let page = include_str!("../../../docs/manifest.md").replace([' ', ','], "");
        for limit in Limit::ALL {
            let shown = |limits| limit.shown(limit.of(limits));
            let (usual, max) = (shown(&Limits::default()), shown(&Limits::MAX));
            let has = |line: &str| {
                line.starts_with(&format!("|`{limit}`|"))
                    && line.ends_with(&format!("|{usual}|{max}|"))
            };
            assert!(page.lines().any(has), "{limit}: {usual}, {max}");
        }
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        let read = |name, text| Limit::named(name).unwrap().read(text);
        assert_eq!(read("memory", "64MiB"), Ok(64 << 20));
        assert_eq!(read("memory", "1000"), Ok(1_000));
        assert_eq!(read("wall", "90s"), Ok(90_000));
        assert_eq!(read("cache_ops", "12"), Ok(12));
        for (name, text) in [("memory", "64MB"), ("wall", "90"), ("cache_ops", "-1"), ("cpu", "")] {
            let error = read(name, text).unwrap_err();
            assert!(error.contains(name) && error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn what_is_usual_is_no_more_than_what_is_allowed_at_most() {
        let (usual, max) = (Limits::default(), Limits::MAX);
        assert_eq!(usual.check(&max), Ok(()));
        for limit in Limit::ALL {
            let mut low = max.clone();
            limit.set(&mut low, limit.of(&usual) - 1);
            let error = usual.check(&low).unwrap_err();
            assert!(error.starts_with(&format!("{limit}: ")), "{error}");
        }
        let wide = Limits { memory_bytes_max: 5 << 30, ..max.clone() };
        assert!(usual.check(&wide).unwrap_err().contains("any host can allow, 4GiB"));
        let wide = Limits { wall: max.wall * 2, ..max };
        assert!(usual.check(&wide).unwrap_err().starts_with("wall: "));
    }

    #[test]
    fn amounts_are_shown_as_they_are_written() {
        assert_eq!(Unit::Bytes.shown(64 << 20), "64MiB");
        assert_eq!(Unit::Bytes.shown(1_000), "1000 bytes");
        assert_eq!(Unit::Bytes.shown(0), "0 bytes");
        assert_eq!(Unit::Time.shown(90_000), "90s");
        assert_eq!(Unit::Time.shown(250), "250ms");
        assert_eq!(Unit::Count.shown(20_000), "20000");
    }
}
