//! The whole table, written out, and the diagram that ARCHITECTURE.md shows.

use std::fmt::Write as _;

use super::*;

fn label(state: JobState) -> String {
    match state {
        JobState::Running { cancel_requested: true } => "running (cancel requested)".to_owned(),
        other => other.to_string(),
    }
}

#[test]
fn every_state_meets_every_event() {
    let mut table = String::new();
    for state in JobState::ALL {
        for event in Event::ALL {
            let next = match state.apply(&event) {
                Ok(next) => label(next),
                Err(_) => "-".to_owned(),
            };
            writeln!(table, "{:<28}{:<18}{next}", label(state), format!("{event:?}")).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_refused_event_names_state_and_event() {
    let error = JobState::Completed.apply(&Event::Lease).unwrap_err();
    assert_eq!(error.to_string(), "a completed job can't take the event Lease");
}

#[test]
fn a_final_state_is_left_by_requeue_only() {
    for state in JobState::ALL.into_iter().filter(|state| state.is_final()) {
        for event in Event::ALL.into_iter().filter(|event| *event != Event::Requeue) {
            assert!(state.apply(&event).is_err(), "{state} {event:?}");
        }
    }
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in StateName::ALL {
        assert_eq!(name.as_str().parse(), Ok(name));
        assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
    }
    assert!("done".parse::<StateName>().unwrap_err().contains("completed"));
}

/// Renders the table as a diagram: one arrow for all events with the same two ends.
fn diagram() -> String {
    let id = |state: JobState| match state {
        JobState::Running { cancel_requested: true } => "cancelling".to_owned(),
        other => other.to_string(),
    };
    let mut lines = vec![
        "stateDiagram-v2".to_owned(),
        "    cancelling: running (cancel requested)".to_owned(),
        "    [*] --> scheduled: its time is ahead".to_owned(),
        "    [*] --> queued".to_owned(),
    ];
    for from in JobState::ALL {
        for to in JobState::ALL {
            let events: Vec<String> = Event::ALL
                .iter()
                .filter(|event| from.apply(event) == Ok(to) && from != to)
                .map(|event| format!("{event:?}"))
                .collect();
            if !events.is_empty() {
                lines.push(format!("    {} --> {}: {}", id(from), id(to), events.join(", ")));
            }
        }
    }
    lines.join("\n")
}

#[test]
fn the_architecture_shows_this_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let page = std::fs::read_to_string(path).unwrap();
    let expected = format!("```mermaid\n{}\n```", diagram());
    assert!(page.contains(&expected), "ARCHITECTURE.md should contain:\n{expected}");
}
