//! Files as they are found, and what is said of each fault.

use super::*;

#[track_caller]
fn check(text: &str, cues: &[(u64, u64, &str)], problems: &[(usize, &str)]) {
    let (found, noted) = parse(text);
    let found: Vec<_> = found.iter().map(|cue| (cue.start, cue.end, cue.text.join("|"))).collect();
    let cues: Vec<_> =
        cues.iter().map(|(start, end, text)| (*start, *end, (*text).to_owned())).collect();
    assert_eq!(found, cues);
    let noted: Vec<_> = noted.iter().map(|p| (p.line, p.problem.as_str())).collect();
    assert_eq!(noted, problems);
}

#[test]
fn a_clean_file_has_cues_and_no_problems() {
    check(
        "1\n00:00:01,000 --> 00:00:02,500\nOne\n\n2\n01:02:03,004 --> 01:02:05,000\nTwo\nlines\n",
        &[(1000, 2500, "One"), (3_723_004, 3_725_000, "Two|lines")],
        &[],
    );
}

#[test]
fn what_is_common_is_taken_without_a_word() {
    check("\u{feff}1\r\n00:00:01.000 --> 00:00:02.000\r\nOne\r\n", &[(1000, 2000, "One")], &[]);
    check("1\r00:01,5-->00:02,25 X1:10 X2:20\rOne", &[(1500, 2250, "One")], &[]);
    check("\n\n17\n0:00:01,000  -->  0:00:02\nOne  \n\n\n", &[(1000, 2000, "One")], &[]);
}

#[test]
fn numbers_that_do_not_go_on_are_told_once() {
    check(
        "5\n00:01 --> 00:02\na\n\n00:03 --> 00:04\nb\n\n7\n00:05 --> 00:06\nc\n\n\
         9\n00:07 --> 00:08\nd\n\n10\n00:09 --> 00:10\ne\n",
        &[
            (1000, 2000, "a"),
            (3000, 4000, "b"),
            (5000, 6000, "c"),
            (7000, 8000, "d"),
            (9000, 10000, "e"),
        ],
        &[(5, "the number is missing"), (12, "numbered 9 where 8 is next; renumbered")],
    );
}

#[test]
fn a_cue_whose_times_cannot_be_read_is_told_with_its_text() {
    for times in [
        "00:00:0x,000 --> 00:00:02,000",
        "00:61:00,000 --> 00:62:00,000",
        "1000:00:00,000 --> 1000:00:01,000",
        "00:01,0000 --> 00:02,0000",
        "00:01 -->",
    ] {
        check(
            &format!("1\n{times}\nLost\nwords\n"),
            &[],
            &[(2, &format!("the times can't be read; left out: \"{times} / Lost / words\""))],
        );
    }
}

#[test]
fn a_cue_without_text_or_duration_is_left_out() {
    check("1\n00:01 --> 00:02\n\n", &[], &[(2, "the cue has no text; left out")]);
    check(
        "1\n00:01 --> 00:01\nBlink\n",
        &[],
        &[(2, "the cue has no duration; left out: \"Blink\"")],
    );
}

#[test]
fn times_that_run_backwards_are_swapped() {
    check(
        "1\n00:02 --> 00:01\nOne\n",
        &[(1000, 2000, "One")],
        &[(2, "the cue ends before it starts; its times are swapped")],
    );
}

#[test]
fn cues_are_put_in_order_and_overlaps_are_kept() {
    check(
        "1\n00:05 --> 00:09\nb\n\n2\n00:01 --> 00:02\na\n\n3\n00:08 --> 00:10\nc\n",
        &[(1000, 2000, "a"), (5000, 9000, "b"), (8000, 10000, "c")],
        &[
            (6, "the cue starts 4000 ms before one above it; moved up"),
            (10, "the cue overlaps one before it by 1000 ms; kept"),
        ],
    );
}

#[test]
fn text_after_an_empty_line_stays_with_its_cue() {
    check(
        "1\n00:01 --> 00:02\nOne\n\nmore\n\n2\n00:03 --> 00:04\nTwo\n",
        &[(1000, 2000, "One|more"), (3000, 4000, "Two")],
        &[(5, "text after an empty line; joined to the cue before")],
    );
    check("Title\n", &[], &[(1, "text without times; left out: \"Title\"")]);
    check(
        "1\n00:01 --> 00:02\nOne\n\n2\n00:0x --> 00:04\nLost\n\nmore\n",
        &[(1000, 2000, "One")],
        &[
            (6, "the times can't be read; left out: \"00:0x --> 00:04 / Lost\""),
            (9, "text without times; left out: \"more\""),
        ],
    );
}

#[test]
fn a_cue_without_an_empty_line_before_it_is_a_cue() {
    check(
        "1\n00:01 --> 00:02\nOne\n2\n00:03 --> 00:04\nTwo\n00:05 --> 00:06\nThree\n",
        &[(1000, 2000, "One"), (3000, 4000, "Two"), (5000, 6000, "Three")],
        &[
            (4, "no empty line before the cue"),
            (7, "no empty line before the cue"),
            (7, "the number is missing"),
        ],
    );
}

#[test]
fn text_may_be_a_number_or_have_an_arrow() {
    check("1\n00:01 --> 00:02\n42\na --> b\n", &[(1000, 2000, "42|a --> b")], &[]);
}

#[test]
fn nothing_at_all_is_no_problem() {
    check("", &[], &[]);
    check("\u{feff}\r\n\r\n", &[], &[]);
}
