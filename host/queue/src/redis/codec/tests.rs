//! That nothing is lost between a job and its bytes.

use super::*;

fn a_job() -> NewJob {
    NewJob::new("echo".parse().unwrap(), Payload::text("hello"))
}

#[test]
fn a_plain_job_is_small() {
    let bytes = spec(&a_job());
    assert!(bytes.len() < 64, "{} bytes", bytes.len());
    let read = job(JobId::random(), &bytes).unwrap();
    assert_eq!(read.input, a_job().input);
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    #[derive(Serialize)]
    struct Later<'a> {
        p: &'a str,
        q: &'a str,
        added: Vec<u8>,
    }
    let bytes = encode(&Later { p: "echo", q: "mail", added: vec![1, 2] });
    let read = job(JobId::random(), &bytes).unwrap();
    assert_eq!((read.plugin.as_str(), read.queue.as_str()), ("echo", "mail"));
    assert_eq!(read.retry, None);
}

#[test]
fn what_nobody_wrote_is_an_error() {
    assert!(job(JobId::random(), b"\xC1").is_err());
    assert!(Left::read(b"").is_err());
    assert!(Left::read(&[1, 2, 3]).is_err());
}

#[test]
fn an_outcome_survives_with_the_version_that_ran() {
    let error = ErrorReport {
        detail: Some(Payload::bytes(vec![0, 255])),
        log_tail: vec!["last words".to_owned()],
        ..ErrorReport::new("trap", "unreachable")
    };
    let log_bytes = Gauge { used: 3, allowed: u64::MAX };
    let usage = Usage { log_bytes, ..Usage::default() };
    let left = Left::new(OutcomeKind::Trapped, None, Some(&error), Some(usage));
    for digest in [None, Some(Digest::of(b"component"))] {
        let stored = left.stored(digest.as_ref());
        let (read, mut left) = Left::read(&stored).unwrap();
        assert_eq!(read, digest);
        assert_eq!(left.error(), Some(error.clone()));
        assert_eq!(left.usage(), Some(usage));
    }
}
