//! What is written, in both formats.

use super::*;

fn cues() -> Vec<Cue> {
    let text = |line: &str| vec![line.to_owned()];
    vec![
        Cue { line: 2, start: 0, end: 1500, text: text("{\\an8}One <i>& two</i>") },
        Cue { line: 6, start: 3_600_000, end: 360_000_000, text: text("Three") },
    ]
}

#[test]
fn webvtt_is_written_with_its_own_markup() {
    let text = write(&cues(), Format::Vtt, &mut Vec::new(), drop);
    let expected = "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500 line:0\nOne <i>&amp; two</i>\n\n\
                    2\n01:00:00.000 --> 100:00:00.000\nThree\n";
    assert_eq!(text, expected);
}

#[test]
fn subrip_is_written_with_the_markup_it_came_with() {
    let text = write(&cues(), Format::Srt, &mut Vec::new(), drop);
    let expected = "1\n00:00:00,000 --> 00:00:01,500\n{\\an8}One <i>& two</i>\n\n\
                    2\n01:00:00,000 --> 100:00:00,000\nThree\n";
    assert_eq!(text, expected);
}

#[test]
fn no_cues_are_a_file_too() {
    assert_eq!(write(&[], Format::Vtt, &mut Vec::new(), drop), "WEBVTT\n");
    assert_eq!(write(&[], Format::Srt, &mut Vec::new(), drop), "");
}

#[test]
fn progress_is_told_cue_by_cue() {
    let mut told = Vec::new();
    write(&cues(), Format::Srt, &mut Vec::new(), |done| told.push(done));
    assert_eq!(told, [1, 2]);
}
