//! The figures as a table.

use std::time::Duration;

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) jobs: usize,
    pub(crate) took: Duration,
    /// The server's processor time.
    pub(crate) cpu: Duration,
    /// What clients sent.
    pub(crate) requests: u64,
    /// Commands that scripts called.
    pub(crate) inner: u64,
}

/// All measurements, the first of which is the raw one.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<(String, Figures)>);

impl Report {
    pub(crate) fn add(&mut self, name: &str, figures: &Figures) {
        self.0.push((name.to_owned(), figures.clone()));
    }

    pub(crate) fn print(&self) {
        line(&format!(
            "{:46} {:>10} {:>8} {:>14} {:>12} {:>12}",
            "", "jobs/s", "of raw", "server CPU µs", "requests", "inner calls"
        ));
        let raw = self.0.first().map_or(1.0, |(_, figures)| figures.rate());
        for (name, figures) in &self.0 {
            let jobs = figures.jobs as f64;
            line(&format!(
                "{name:46} {:>10.0} {:>7.1}% {:>14.2} {:>12.4} {:>12.2}",
                figures.rate(),
                100.0 * figures.rate() / raw,
                figures.cpu.as_secs_f64() * 1e6 / jobs,
                figures.requests as f64 / jobs,
                figures.inner as f64 / jobs,
            ));
        }
        line("server CPU, requests and inner calls are for each job");
    }
}

impl Figures {
    fn rate(&self) -> f64 {
        self.jobs as f64 / self.took.as_secs_f64()
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}
