//! `gristmill run --profile`: where a guest spends its time, as a file that the Firefox Profiler opens.
//!
//! The form is its processed profile, version 55: tables of columns, in which functions, frames and stacks
//! refer to each other by their indices. <https://profiler.firefox.com> draws it without sending it anywhere.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use gristmill::job::{Clock as _, SystemClock, Timestamp};
use gristmill::runtime::{Profile, SAMPLE_INTERVAL};
use serde_json::{Value, json};

use crate::cli::error::Error;
use crate::cli::output;

/// The version of the form.
const VERSION: u32 = 55;

/// A file that a profile will be written to.
pub(super) struct Target {
    path: PathBuf,
    file: File,
    begun: Timestamp,
}

impl Target {
    /// Makes the file, before anything runs for nothing.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path)
            .map_err(|error| Error::Usage(format!("--profile {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file, begun: SystemClock.now() })
    }

    /// Writes it.
    pub(super) fn write(self, name: &str, profile: &Profile) -> Result<(), Error> {
        let document = document(name, self.begun, profile);
        serde_json::to_writer(BufWriter::new(self.file), &document)
            .map_err(|error| Error::Output(error.into()))?;
        let (path, samples) = (self.path.display(), profile.samples.len());
        output::note(&format!(
            "{path}: {samples} samples; open it at https://profiler.firefox.com"
        ));
        if profile.dropped > 0 {
            output::note(&format!("{} samples more than a profile holds", profile.dropped));
        }
        Ok(())
    }
}

fn document(name: &str, begun: Timestamp, profile: &Profile) -> Value {
    json!({
        "meta": {
            "categories": [{ "name": "Other", "color": "grey", "subcategories": ["Other"] }],
            "debug": false,
            "extensions": { "baseURL": [], "id": [], "length": 0, "name": [] },
            "interval": SAMPLE_INTERVAL.as_secs_f64() * 1_000.0,
            "preprocessedProfileVersion": VERSION,
            "processType": 0,
            "product": name,
            "sampleUnits": { "eventDelay": "ms", "threadCPUDelta": "µs", "time": "ms" },
            "startTime": begun.as_millis(),
            // All names are here: there is nobody to ask for more.
            "symbolicated": true,
            "pausedRanges": [],
            "version": 24,
            "usesOnlyOneStackType": true,
            "sourceCodeIsNotOnSearchfox": true,
            "markerSchema": [],
        },
        "libs": [],
        "threads": [thread(name, profile)],
        "pages": [],
        "profilerOverhead": [],
        "counters": [],
    })
}

/// The guest, as the only thread. Each function is one frame.
fn thread(name: &str, profile: &Profile) -> Value {
    let functions = profile.functions.len();
    let indices: Vec<usize> = (0..functions).collect();
    let column = |value: Value| vec![value; functions];
    json!({
        "name": name,
        "isMainThread": true,
        "processName": name,
        "processType": "default",
        "processStartupTime": 0.0,
        "processShutdownTime": null,
        "registerTime": 0.0,
        "unregisterTime": null,
        "pid": "0",
        "tid": "0",
        "pausedRanges": [],
        "showMarkersInTimeline": false,
        "stringArray": profile.functions,
        "frameTable": {
            "length": functions,
            "address": column((-1).into()),
            "inlineDepth": column(0.into()),
            "category": column(0.into()),
            "subcategory": column(0.into()),
            "func": indices,
            "nativeSymbol": column(Value::Null),
            "innerWindowID": column(0.into()),
            "line": column(Value::Null),
            "column": column(Value::Null),
        },
        "funcTable": {
            "length": functions,
            "name": indices,
            "isJS": column(false.into()),
            "relevantForJS": column(false.into()),
            "resource": column((-1).into()),
            "fileName": column(Value::Null),
            "lineNumber": column(Value::Null),
            "columnNumber": column(Value::Null),
        },
        "markers": {
            "length": 0, "category": [], "data": [], "endTime": [], "name": [], "phase": [],
            "startTime": [],
        },
        "nativeSymbols": {
            "length": 0, "address": [], "functionSize": [], "libIndex": [], "name": [],
        },
        "resourceTable": { "length": 0, "lib": [], "name": [], "host": [], "type": [] },
        "stackTable": stack_table(&profile.stacks).0,
        "samples": samples(profile),
    })
}

/// The stacks as a tree, each node with the one that called it; and the node of each stack.
fn stack_table(stacks: &[Vec<usize>]) -> (Value, Vec<usize>) {
    let (mut prefixes, mut frames) = (Vec::new(), Vec::new());
    let mut known: HashMap<(Option<usize>, usize), usize> = HashMap::new();
    let mut ends = Vec::with_capacity(stacks.len());
    for stack in stacks {
        let mut node = None;
        for frame in stack {
            let next = *known.entry((node, *frame)).or_insert_with(|| {
                prefixes.push(node);
                frames.push(*frame);
                frames.len() - 1
            });
            node = Some(next);
        }
        ends.extend(node);
    }
    (json!({ "length": frames.len(), "prefix": prefixes, "frame": frames }), ends)
}

fn samples(profile: &Profile) -> Value {
    let ends = stack_table(&profile.stacks).1;
    let (mut stacks, mut deltas) = (Vec::new(), Vec::new());
    let mut before = 0.0;
    for (at, stack) in &profile.samples {
        let at = at.as_secs_f64() * 1_000.0;
        stacks.push(ends.get(*stack));
        deltas.push(at - before);
        before = at;
    }
    let count = stacks.len();
    json!({
        "length": count,
        "weightType": "samples",
        "stack": stacks,
        "timeDeltas": deltas,
        "weight": vec![1; count],
        "threadCPUDelta": vec![SAMPLE_INTERVAL.as_micros() as u64; count],
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn stacks_become_a_tree_that_samples_point_into() {
        let profile = Profile {
            functions: ["main", "a", "b"].map(str::to_owned).to_vec(),
            stacks: vec![vec![0, 1], vec![0, 2], vec![0], vec![2, 1]],
            samples: vec![(Duration::from_millis(1), 0), (Duration::from_millis(3), 2)],
            dropped: 0,
        };
        let document = document("pi", Timestamp::default(), &profile);
        let thread = &document["threads"][0];
        let (prefix, frame) = (json!([null, 0, 0, null, 3]), json!([0, 1, 2, 2, 1]));
        let table = json!({ "length": 5, "prefix": prefix, "frame": frame });
        assert_eq!(thread["stackTable"], table);
        assert_eq!(thread["samples"]["stack"], json!([1, 0]));
        assert_eq!(thread["samples"]["timeDeltas"], json!([1.0, 2.0]));
        assert_eq!(thread["stringArray"], json!(["main", "a", "b"]));
        // Every column of a table is as long as the table says.
        let tables = thread.as_object().unwrap().values().filter_map(Value::as_object);
        for table in tables {
            let length = table["length"].as_u64().unwrap();
            let columns = table.values().filter_map(Value::as_array);
            assert!(columns.into_iter().all(|column| column.len() as u64 == length), "{table:?}");
        }
    }
}
