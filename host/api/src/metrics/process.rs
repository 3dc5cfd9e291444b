//! What the process itself takes, as the system tells it; nothing where it doesn't.

use std::fs;

use super::page::{Kind, Page};

/// The kernel counts a process's time for others in hundredths of a second, on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// What the process itself takes.
#[derive(Debug, Default)]
pub(super) struct Process {
    cpu_seconds: Option<f64>,
    resident_bytes: Option<u64>,
    virtual_bytes: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    files_max: Option<u64>,
}

impl Process {
    /// What it takes now. Reads files of the system, which may take a moment.
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Self {
            cpu_seconds: fs::read_to_string("/proc/self/stat").ok().and_then(|s| cpu(&s)),
            resident_bytes: field("VmRSS:").map(|kib| kib * 1024),
            virtual_bytes: field("VmSize:").map(|kib| kib * 1024),
            threads: field("Threads:"),
            // One of them is that of the folder that is read.
            open_files: fs::read_dir("/proc/self/fd").ok().map(|all| all.count() as u64 - 1),
            files_max: files.and_then(|line| line.split_whitespace().next()?.parse().ok()),
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        let help = "Time of the process on processors, guests included.";
        page.family("process_cpu_seconds_total", Kind::Counter, help).samples(self.cpu_seconds);
        let mut gauge = |name, help, value: Option<u64>| {
            page.family(name, Kind::Gauge, help).samples(value);
        };
        gauge("process_resident_memory_bytes", "Memory in use.", self.resident_bytes);
        gauge(
            "process_virtual_memory_bytes",
            "Address space, most of which a pool of slots reserves without using it.",
            self.virtual_bytes,
        );
        gauge("process_threads", "Threads.", self.threads);
        gauge("process_open_fds", "Open files and connections.", self.open_files);
        gauge("process_max_fds", "How many of them there may be.", self.files_max);
    }
}

/// User and system time of a `stat` line, whose second field may hold anything between parentheses.
fn cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20";
        assert_eq!(cpu(stat), Some(4.0));
        assert_eq!(cpu("7 (a"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something_of_everything() {
        let process = Process::read();
        assert!(process.resident_bytes.unwrap() > 1 << 20);
        assert!(process.virtual_bytes > process.resident_bytes);
        assert!(process.threads.unwrap() >= 1 && process.open_files.unwrap() >= 3);
        assert!(process.files_max > process.open_files && process.cpu_seconds.is_some());
    }
}
