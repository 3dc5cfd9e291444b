//! What this process takes of the machine.

/// Bytes of this process that are in memory now.
///
/// # Panics
/// The kernel doesn't say.
#[must_use]
pub fn resident() -> usize {
    status("VmRSS:")
}

/// The most that it ever was.
///
/// # Panics
/// The kernel doesn't say.
#[must_use]
pub fn peak() -> usize {
    status("VmHWM:")
}

fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line for it");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
    kilobytes << 10
}
