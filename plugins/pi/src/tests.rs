//! Digits that are known, and what is remembered of them.

use super::*;

#[test]
fn digits_are_those_of_pi() {
    assert_eq!(pi(1, |_| ()), "3.1");
    assert_eq!(pi(50, |_| ()), "3.14159265358979323846264338327950288419716939937510");
    // Six nines in a row, and what comes after them.
    assert_eq!(&pi(DIGITS_MAX as usize, |_| ())[760..=775], "1349999998372978");
    assert!(pi(DIGITS_MAX as usize, |_| ()).ends_with("2164201989"));
}

#[test]
fn each_length_ends_where_longer_ones_go_on() {
    let longest = pi(800, |_| ());
    for length in [2, 10, 99, 761, 762, 765, 768, 769] {
        assert_eq!(pi(length, |_| ()), longest[..length + 2], "{length}");
    }
}

#[test]
fn digits_are_computed_once() {
    let host = TestHost::new();
    let expected = |cached| Ok(Digits { digits: "3.14159".to_owned(), cached });
    assert_eq!(host.run::<digits>(5), expected(false));
    assert_eq!(host.run::<digits>(5), expected(true));
    assert_eq!(host.log().len(), 1);
}

#[test]
fn more_digits_than_there_are_is_a_failure_for_good() {
    let error = TestHost::new().run::<digits>(DIGITS_MAX + 1).unwrap_err();
    assert_eq!(error.disposition, Disposition::Fatal);
    assert_eq!(error.code.as_deref(), Some("digits"));
}

#[test]
fn each_length_gets_a_job() {
    let host = TestHost::new();
    assert_eq!(host.run::<prepare>(vec![10, 20]).unwrap().len(), 2);
    assert_eq!(host.enqueued()[1].unique_key.as_deref(), Some("pi:20"));
}
