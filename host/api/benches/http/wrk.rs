//! What asks: `wrk`, which is Debian's package of that name.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::NamedTempFile;
use tokio::process::Command;

/// Connections that ask at one time.
const CONNECTIONS: u32 = 64;

/// One way of asking.
pub(crate) struct Wrk {
    path: String,
    /// What is sent beside the request line, where that isn't all.
    script: Option<NamedTempFile>,
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl Wrk {
    pub(crate) fn get(path: &str) -> Self {
        Self { path: path.to_owned(), script: None }
    }

    pub(crate) fn post(path: &str, body: &str) -> anyhow::Result<Self> {
        let mut script = NamedTempFile::new()?;
        writeln!(script, "wrk.method = 'POST'\nwrk.body = [==[{body}]==]")?;
        writeln!(script, "wrk.headers['Content-Type'] = 'application/json'")?;
        Ok(Self { path: path.to_owned(), script: Some(script) })
    }

    pub(crate) async fn ask(
        &self,
        address: SocketAddr,
        length: Duration,
    ) -> anyhow::Result<Figures> {
        let mut command = Command::new("wrk");
        command.args(["--latency", "--threads", "1"]);
        command.args(["--connections", &CONNECTIONS.to_string()]);
        command.args(["--duration", &format!("{}s", length.as_secs())]);
        if let Some(script) = &self.script {
            command.arg("--script").arg(script.path());
        }
        let asked = command.arg(format!("http://{address}{}", self.path)).output().await;
        let asked = asked.context("wrk can't be run: `apt-get install wrk` brings it")?;
        let text = String::from_utf8_lossy(&asked.stdout);
        ensure!(asked.status.success(), "wrk failed: {}", String::from_utf8_lossy(&asked.stderr));
        ensure!(!text.contains("Non-2xx"), "{}: not every answer was the expected one", self.path);
        Figures::read(&text).with_context(|| format!("wrk said something else:\n{text}"))
    }
}

impl Figures {
    fn read(text: &str) -> Option<Self> {
        let behind = |name: &str| {
            text.lines().find_map(|line| line.trim().strip_prefix(name).map(str::trim))
        };
        Some(Self {
            rate: behind("Requests/sec:")?.parse().ok()?,
            p50_ms: millis(behind("50%")?)?,
            p99_ms: millis(behind("99%")?)?,
        })
    }

    pub(crate) fn shown(self) -> String {
        let Self { rate, p50_ms, p99_ms } = self;
        format!("{rate:>8.0} requests/s, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms")
    }
}

/// A time as wrk writes it.
fn millis(text: &str) -> Option<f64> {
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)];
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    Some(number.parse::<f64>().ok()? * factor)
}

/// The measurement in the middle.
pub(crate) fn median(mut all: Vec<Figures>) -> Figures {
    all.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    all[all.len() / 2]
}
