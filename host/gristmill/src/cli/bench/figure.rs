//! What was measured.

use serde::Serialize;

/// How the name of a figure begins that is the limit of others, and that of a latency.
pub(super) const RAW: &str = "raw:";
pub(super) const LATENCY: &str = "latency";

/// Figures by name, in the order in which they were first measured.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    figures: Vec<Figure>,
}

/// One thing that was measured, several times.
#[derive(Debug, Serialize)]
struct Figure {
    backend: &'static str,
    name: String,
    unit: &'static str,
    /// In the order of the rounds.
    values: Vec<f64>,
}

impl Report {
    pub(super) fn add(
        &mut self,
        backend: &'static str,
        name: &str,
        unit: &'static str,
        value: f64,
    ) {
        let known =
            self.figures.iter_mut().find(|known| known.backend == backend && known.name == name);
        match known {
            Some(figure) => figure.values.push(value),
            None => self.figures.push(Figure {
                backend,
                name: name.to_owned(),
                unit,
                values: vec![value],
            }),
        }
    }

    /// A line a figure: median, smallest and largest, and how it compares with the raw one of the same
    /// round, where there is one.
    pub(super) fn shown(&self) -> String {
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or_default();
        let mut lines = Vec::new();
        let mut backend = "";
        for figure in &self.figures {
            if figure.backend != backend {
                backend = figure.backend;
                lines.push(format!("{backend}, median (min–max) of {}", figure.values.len()));
            }
            let Spread { min, median, max } = Spread::of(&figure.values);
            let mut line = format!(
                "  {:width$}  {:>10} {} ({}–{})",
                figure.name,
                rounded(median),
                figure.unit,
                rounded(min),
                rounded(max)
            );
            if let Some(ratio) = self.ratio(figure) {
                line.push_str(&format!(", {:.0}% of raw", ratio * 100.0));
            }
            lines.push(line);
        }
        lines.join("\n")
    }

    fn ratio(&self, figure: &Figure) -> Option<f64> {
        let raw = self.figures.iter().find(|raw| raw.is_raw_of(figure))?;
        let ratios: Vec<f64> = figure.values.iter().zip(&raw.values).map(|(a, b)| a / b).collect();
        Some(Spread::of(&ratios).median)
    }
}

impl Figure {
    /// A latency has that of the same share of messages at the same pace.
    fn is_raw_of(&self, figure: &Self) -> bool {
        let is_of = match figure.name.strip_prefix(LATENCY) {
            Some(pace) => self.name.ends_with(pace),
            None => !figure.name.starts_with(RAW),
        };
        is_of
            && self.name.starts_with(RAW)
            && (self.backend, self.unit) == (figure.backend, figure.unit)
    }
}

struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        Self { min: at(0), median: at(sorted.len() / 2), max: at(sorted.len().wrapping_sub(1)) }
    }
}

/// Three digits are more than a measurement is worth.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The value below which this share of the values is; they are sorted.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_shown_beside_the_raw_one_of_its_round() {
        let mut report = Report::default();
        for (raw, rate) in [(1_000.0, 500.0), (2_000.0, 1_200.0), (500.0, 100.0)] {
            report.add("redis", "raw: SET", "/s", raw);
            report.add("redis", "drain", "/s", rate);
            for (raw, share) in [(1.0, "p50"), (2.0, "p99")] {
                report.add("redis", &format!("raw: a message, {share}"), "ms", raw);
                report.add("redis", &format!("latency, {share}"), "ms", rate / 500.0);
            }
        }
        insta::assert_snapshot!(report.shown(), @r"
        redis, median (min–max) of 3
          raw: SET                   1000 /s (500–2000)
          drain                       500 /s (100–1200), 50% of raw
          raw: a message, p50        1.00 ms (1.00–1.00)
          latency, p50               1.00 ms (0.20–2.40), 100% of raw
          raw: a message, p99        2.00 ms (2.00–2.00)
          latency, p99               1.00 ms (0.20–2.40), 50% of raw
        ");
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), 100.0);
        assert_eq!(percentile(&values, 0.99), 198.0);
        assert_eq!(percentile(&values, 0.999), 200.0);
        assert_eq!(percentile(&[7.0], 0.5), 7.0);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
