//! Counts that agree with `wc`, and which words come first.

use super::*;

#[track_caller]
fn check(text: &str, lines: u64, words: u64) {
    let report = TestHost::new().run::<count>(text.to_owned()).unwrap();
    assert_eq!((report.lines, report.words), (lines, words), "{text:?}");
}

#[track_caller]
fn check_top(text: &str, expected: &[(&str, u64)]) {
    let top = top(text);
    let top: Vec<_> = top.iter().map(|f| (f.word.as_str(), f.count)).collect();
    assert_eq!(top, expected, "{text:?}");
}

#[test]
fn lines_and_words_are_counted_as_wc_does() {
    check("", 0, 0);
    check("\n", 1, 0);
    check("one", 0, 1);
    check("one two\nthree\n", 2, 3);
    check("one\r\ntwo\r\n", 2, 2);
    check("  one\t\ttwo\u{b}three\u{c}four  ", 0, 4);
    check("漢字 かな\u{3000}カナ", 0, 3);
    check("- -- word", 0, 3);
}

#[test]
fn spaces_that_do_not_break_lines_end_words() {
    for space in ["\u{a0}", "\u{2007}", "\u{202f}", "\u{2060}", "\u{1680}", "\u{2003}"] {
        check(&format!("a{space}b"), 0, 2);
    }
}

#[test]
fn what_cannot_be_printed_neither_ends_nor_makes_a_word() {
    for control in ["\0", "\u{1}", "\u{1c}", "\u{7f}", "\u{85}", "\u{2028}", "\u{2029}"] {
        check(&format!("a{control}b"), 0, 1);
        check(&format!(" {control} "), 0, 0);
    }
}

#[test]
fn what_takes_no_room_is_part_of_a_word_all_the_same() {
    check("a\u{200b}b", 0, 1);
    check("\u{feff}", 0, 1);
    check("soft\u{ad}hyphen", 0, 1);
}

#[test]
fn words_are_listed_by_frequency_and_then_by_themselves() {
    check_top("b a c b a d", &[("a", 2), ("b", 2), ("c", 1), ("d", 1)]);
}

#[test]
fn words_are_compared_without_case_and_ornaments() {
    check_top("Mill, mill! “MILL” (mill) mill", &[("mill", 5)]);
    check_top("ΟΔΟΣ οδος", &[("οδος", 2)]);
    check_top("don't «don't»", &[("don't", 2)]);
    check_top("\u{feff}mill mill\u{1}", &[("mill", 2)]);
}

#[test]
fn a_mark_at_the_end_of_a_word_stays_with_its_letter() {
    check_top("cafe\u{301} cafe\u{301},", &[("cafe\u{301}", 2)]);
}

#[test]
fn a_word_of_nothing_but_ornaments_is_counted_and_not_listed() {
    check("— | =", 0, 3);
    check_top("— | =", &[]);
}

#[test]
fn the_list_ends_after_twenty_words() {
    let text: String = (0..30).map(|n| format!("word{n:02} ")).collect();
    assert_eq!(top(&text).len(), TOP_MAX);
}

#[test]
fn the_report_is_json_and_bytes_that_are_no_text_are_refused() {
    let host = TestHost::new();
    let result = host.handle::<count>(Payload::text("Hello, hello\n")).unwrap().unwrap();
    let json = r#"{"lines":1,"words":2,"top":[{"word":"hello","count":2}]}"#;
    assert_eq!(result, Payload::new("application/json", json));

    let error = host.handle::<count>(Payload::new("text/plain", [0xff])).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("invalid-input"));
    let error = host.handle::<count>(Payload::bytes(*b"text")).unwrap_err();
    assert_eq!(error.code.as_deref(), Some("invalid-input"));
}
