//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

use super::histogram::Histogram;

/// A page of families.
#[derive(Default)]
pub(super) struct Page(String);

/// What a family's values are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts durations.
    Histogram,
}

/// Labels of a sample.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Begins a family. Its samples follow at once.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        put(&mut self.0, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { text: &mut self.0, name }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// A family whose samples are being written.
pub(super) struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.line("", labels, value);
        self
    }

    /// One without labels, where its value is known.
    pub(super) fn samples(&mut self, value: Option<impl Display>) {
        if let Some(value) = value {
            self.sample(&[], value);
        }
    }

    pub(super) fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        for (bound, count) in histogram.cumulative() {
            let bound = bound.to_string();
            self.line("_bucket", &[labels, &[("le", &bound)]].concat(), count);
        }
        self.line("_bucket", &[labels, &[("le", "+Inf")]].concat(), histogram.count());
        self.line("_sum", labels, histogram.sum());
        self.line("_count", labels, histogram.count());
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, value: impl Display) {
        put(self.text, format_args!("{}{suffix}", self.name));
        for (i, (name, value)) in labels.iter().enumerate() {
            let start = if i == 0 { '{' } else { ',' };
            put(self.text, format_args!("{start}{name}=\"{}\"", escaped(value)));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        put(self.text, format_args!("{end} {value}\n"));
    }
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = text.write_fmt(what);
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
