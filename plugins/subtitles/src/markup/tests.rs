//! Markup of SubRip, in each of the two formats.

use super::*;

#[track_caller]
fn check(text: &str, expected: &str, problems: &[&str]) {
    let (placed, noted) = translate(text);
    assert_eq!(placed.text, expected);
    let noted: Vec<_> = noted.iter().map(|problem| problem.problem.as_str()).collect();
    assert_eq!(noted, problems);
}

fn translate(text: &str) -> (Placed, Vec<Problem>) {
    let cue = Cue { line: 2, start: 0, end: 1, text: vec![text.to_owned()] };
    let mut problems = Vec::new();
    (to_vtt(&cue, &mut problems), problems)
}

#[test]
fn text_is_escaped_and_entities_are_not_escaped_twice() {
    check("a < b & c > d --> e", "a &lt; b &amp; c &gt; d --&gt; e", &[]);
    check("R&amp;D&nbsp;&lt;3 &copy;", "R&amp;D&nbsp;&lt;3 &amp;copy;", &[]);
    check("<3 {\\ <", "&lt;3 {\\ &lt;", &[]);
    check("日本 <i>Ω</i> שלום", "日本 <i>Ω</i> שלום", &[]);
}

#[test]
fn italics_bold_and_underline_stay() {
    check("<i>a</i> <B>b</B> <u>c</u >", "<i>a</i> <b>b</b> <u>c</u>", &[]);
}

#[test]
fn what_webvtt_does_not_know_is_left_out_with_its_text_kept() {
    check(
        "<font color=\"#ff0000\">red</font> {\\fad(1)}a",
        "red a",
        &["WebVTT has no <font color=\"#ff0000\">; left out", "WebVTT has no {\\fad(1)}; left out"],
    );
}

#[test]
fn tags_are_closed_in_order() {
    check("<i>a", "<i>a</i>", &["<i> isn't closed; closed at the end of the cue"]);
    check("a</b>", "a", &["</b> closes nothing; left out"]);
    check("<i>a<b>b</i>c</b>", "<i>a<b>b</b></i><b>c</b>", &[]);
}

#[test]
fn a_cue_is_placed_by_settings() {
    for (code, settings) in [
        ("{\\an8}", " line:0"),
        ("{\\an2}", ""),
        ("{\\an4}", " line:50% position:0% align:left"),
        ("{\\an3}", " position:100% align:right"),
    ] {
        let (placed, problems) = translate(&format!("{code}up"));
        assert_eq!((placed.settings, placed.text.as_str()), (settings, "up"));
        assert_eq!(problems, []);
    }
}

#[test]
fn a_megabyte_of_broken_markup_takes_no_longer_than_its_length() {
    for text in ["<a", "{\\a", "<", "&"] {
        let (placed, _) = translate(&text.repeat(500_000));
        assert!(placed.text.len() >= 500_000);
    }
}
