//! `gristmill run --repeat`: what an attempt takes, over many.

use gristmill::job::{Gauge, Usage};
use serde::Serialize;

use crate::cli::report::{bytes, micros, table};

/// What attempts took.
#[derive(Debug, Default)]
pub(super) struct Stats(Vec<Usage>);

/// How a measure is spread over attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Spread {
    min: u64,
    median: u64,
    p95: u64,
    max: u64,
}

/// All of it, for programs.
#[derive(Serialize)]
pub(super) struct StatsView {
    attempts: usize,
    wall_us: Spread,
    cpu_us: Spread,
    memory_peak_bytes: Spread,
}

impl Stats {
    /// One more attempt.
    pub(super) fn add(&mut self, usage: Usage) {
        self.0.push(usage);
    }

    /// How many there were.
    pub(super) fn attempts(&self) -> usize {
        self.0.len()
    }

    /// For programs.
    pub(super) fn view(&self) -> StatsView {
        StatsView {
            attempts: self.attempts(),
            wall_us: self.spread(|usage| usage.wall_us),
            cpu_us: self.spread(|usage| usage.cpu_us),
            memory_peak_bytes: self.spread(|usage| usage.memory_peak_bytes),
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let view = self.view();
        let row = |name: &str, spread: Spread, shown: fn(u64) -> String| {
            let Spread { min, median, p95, max } = spread;
            [name.to_owned(), shown(min), shown(median), shown(p95), shown(max)]
        };
        let rows = [
            row("wall", view.wall_us, micros),
            row("cpu", view.cpu_us, micros),
            row("memory", view.memory_peak_bytes, bytes),
        ];
        let head = format!("{} ATTEMPTS", view.attempts);
        table([&head, "MIN", "MEDIAN", "P95", "MAX"], &rows)
    }

    fn spread(&self, measure: fn(&Usage) -> Gauge) -> Spread {
        let mut used: Vec<u64> = self.0.iter().map(|usage| measure(usage).used).collect();
        used.sort_unstable();
        // The smallest that so many in a hundred don't exceed.
        let rank = |percent: usize| {
            let at = (used.len() * percent).div_ceil(100).saturating_sub(1);
            used.get(at).copied().unwrap_or_default()
        };
        Spread { min: rank(0), median: rank(50), p95: rank(95), max: rank(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(micros: impl IntoIterator<Item = u64>) -> Stats {
        let usage = |used| Usage { wall_us: Gauge { used, allowed: 0 }, ..Usage::default() };
        Stats(micros.into_iter().map(usage).collect())
    }

    #[test]
    fn a_rank_is_one_of_the_values() {
        let spread = |stats: &Stats| stats.spread(|usage| usage.wall_us);
        let hundred = spread(&stats((1..=100).rev()));
        assert_eq!(hundred, Spread { min: 1, median: 50, p95: 95, max: 100 });
        assert_eq!(spread(&stats([7])), Spread { min: 7, median: 7, p95: 7, max: 7 });
        assert_eq!(spread(&stats([])), Spread { min: 0, median: 0, p95: 0, max: 0 });
    }

    #[test]
    fn people_get_a_table() {
        let shown = stats([1_000, 2_000]).shown();
        let mut lines = shown.lines();
        assert_eq!(lines.next(), Some("2 ATTEMPTS  MIN   MEDIAN  P95   MAX"));
        assert_eq!(lines.next(), Some("wall        1 ms  1 ms    2 ms  2 ms"));
    }
}
