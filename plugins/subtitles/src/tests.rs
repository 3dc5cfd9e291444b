//! The whole conversion, through the job.

use super::*;

const SAMPLE: &str = include_str!("../samples/voyage.srt");

const TWO: &str =
    "1\n00:00:01,000 --> 00:00:02,000\nOne\n\n3\n00:00:03,000 --> 00:00:04,000\nTwo\n";

fn request(json: &str) -> Payload {
    Payload::new("application/json", json)
}

fn json_of(text: &str, options: &str) -> Payload {
    let text = Payload::json(text).unwrap();
    request(&format!("{{\"text\":{}{options}}}", String::from_utf8(text.data).unwrap()))
}

#[test]
fn text_becomes_webvtt_and_its_problems_are_logged() {
    let host = TestHost::new();
    let result = host.run::<convert>(Payload::new("application/x-subrip", TWO)).unwrap_err();
    assert_eq!(result.code.as_deref(), Some("invalid-input"));

    let result = host.run::<convert>(Payload::text(TWO)).unwrap();
    let expected = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\nOne\n\n\
                    2\n00:00:03.000 --> 00:00:04.000\nTwo\n";
    assert_eq!(result, Payload::new("text/vtt", expected));
    let log = host.log();
    let warning = log.iter().find(|line| line.level == Level::Warn).unwrap();
    assert_eq!(warning.message, "numbered 3 where 2 is next; renumbered");
    assert_eq!(warning.fields, [("line".to_owned(), "5".to_owned())]);
    assert_eq!(host.progress().map(|progress| progress.done), Some(2));
}

#[test]
fn json_is_answered_with_a_report() {
    let host = TestHost::new();
    let options = ",\"to\":\"srt\",\"shift_ms\":-500,\"stretch\":2";
    let result = host.run::<convert>(json_of(TWO, options)).unwrap();
    assert!(String::from_utf8_lossy(&result.data).ends_with("\"cached\":false}"));
    let converted: Converted = result.parse().unwrap();
    assert_eq!(converted.cues, 2);
    assert_eq!(converted.problems.len(), 1);
    assert!(converted.text.starts_with("1\n00:00:01,500 --> 00:00:03,500\nOne\n\n2\n"));
}

#[test]
fn the_same_question_is_answered_from_the_cache() {
    let host = TestHost::new();
    let first = host.run::<convert>(Payload::text(TWO)).unwrap();
    assert!(!host.log().iter().any(|line| line.message == "answered from the cache"));
    let second = host.run::<convert>(Payload::text(TWO)).unwrap();
    assert_eq!(first, second);
    assert!(host.log().iter().any(|line| line.message == "answered from the cache"));

    let result = host.run::<convert>(json_of(TWO, "")).unwrap();
    assert!(String::from_utf8_lossy(&result.data).ends_with("\"cached\":true}"));
}

#[test]
fn another_question_is_not_answered_from_the_cache() {
    let host = TestHost::new();
    host.run::<convert>(Payload::text(TWO)).unwrap();
    for options in [",\"to\":\"srt\"", ",\"shift_ms\":1", ",\"stretch\":1.5"] {
        let result = host.run::<convert>(json_of(TWO, options)).unwrap();
        assert!(String::from_utf8_lossy(&result.data).ends_with("\"cached\":false}"), "{options}");
    }
}

#[test]
fn a_flood_of_problems_ends_with_their_number() {
    let text = "1\n00:01 --> 00:02\nOne\n\n".repeat(LOGGED_MAX);
    let host = TestHost::new();
    host.run::<convert>(Payload::text(text.as_str())).unwrap();
    let log = host.log();
    let last = log.last().unwrap();
    assert_eq!(last.message, "more problems; a request in JSON lists all");
    // Each cue but the first is numbered wrongly and overlaps the one before it.
    assert_eq!(last.fields, [("more".to_owned(), (LOGGED_MAX - 2).to_string())]);
    assert_eq!(log.iter().filter(|line| line.level == Level::Warn).count(), LOGGED_MAX + 1);
}

#[test]
fn problems_come_in_the_order_of_the_lines() {
    let text = "1\n00:01 --> 00:02\n<font>One</font>\n\n2\n00:00 --> 00:03\nTwo\n";
    let result = TestHost::new().run::<convert>(json_of(text, "")).unwrap();
    let lines: Vec<_> =
        result.parse::<Converted>().unwrap().problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [2, 2, 6]);
}

#[test]
fn what_a_request_cannot_mean_is_invalid_input() {
    let host = TestHost::new();
    for json in [
        "{}",
        "{\"text\":\"\",\"stretch\":0}",
        "{\"text\":\"\",\"shift_ms\":9000000000000}",
        "{\"text\":\"\",\"to\":\"ass\"}",
        "{\"text\":\"\",\"shift\":1}",
    ] {
        let error = host.run::<convert>(request(json)).unwrap_err();
        assert_eq!(error.code.as_deref(), Some("invalid-input"), "{json}");
        assert_eq!(error.disposition, Disposition::Fatal);
    }
    assert!(host.run::<convert>(Payload::default()).is_err());
}

#[test]
fn subrip_that_was_written_here_is_clean() {
    let (cues, _) = parse(SAMPLE);
    let written = write(&cues, Format::Srt, &mut Vec::new(), drop);
    let (again, problems) = parse(&written);
    assert_eq!(again.len(), cues.len());
    assert!(problems.iter().all(|problem| problem.problem.contains("overlaps")), "{problems:?}");
    assert_eq!(write(&again, Format::Srt, &mut Vec::new(), drop), written);
}
