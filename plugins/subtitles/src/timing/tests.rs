//! Times that are shifted, stretched and read.

use super::*;

fn a_cue(start: u64, end: u64) -> Cue {
    Cue { line: 2, start, end, text: vec!["One".to_owned()] }
}

#[track_caller]
fn check(shift: i64, stretch: f64, expected: Option<(u64, u64)>, problem: Option<&str>) {
    let mut problems = Vec::new();
    let timing = Timing::new(shift, stretch).unwrap();
    let cues = retime(vec![a_cue(1000, 3000)], &timing, &mut problems);
    assert_eq!(cues.first().map(|cue| (cue.start, cue.end)), expected);
    assert_eq!(problems.first().map(|problem| problem.problem.as_str()), problem);
}

#[test]
fn times_are_stretched_and_then_shifted() {
    check(0, 1.0, Some((1000, 3000)), None);
    check(500, 1.0, Some((1500, 3500)), None);
    check(-1000, 2.0, Some((1000, 5000)), None);
    check(0, 0.95904, Some((959, 2877)), None);
    check(0, 0.9996, Some((1000, 2999)), None);
    check(-1000, 1.0, Some((0, 2000)), None);
}

#[test]
fn nothing_comes_before_the_start() {
    let cut = "the cue begins before the start; cut there";
    check(-2000, 1.0, Some((0, 1000)), Some(cut));
    let gone = "the cue is not shown after the change of times; left out: \"One\"";
    check(-3000, 1.0, None, Some(gone));
    check(0, 0.0001, None, Some(gone));
}

#[test]
fn what_nobody_can_mean_is_refused() {
    for stretch in [0.0, -1.0, 1001.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Timing::new(0, stretch), Err(InvalidTiming::Stretch), "{stretch}");
    }
    for shift in [i64::MIN, i64::MAX] {
        assert_eq!(Timing::new(shift, 1.0), Err(InvalidTiming::Shift), "{shift}");
    }
}
