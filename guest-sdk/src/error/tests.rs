//! What failures are made of, and what they ask for.

use std::io;

use super::*;

/// An error with a source.
#[derive(Debug)]
struct Outer<E>(&'static str, E);

impl<E> Display for Outer<E> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<E: Error + 'static> Error for Outer<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}

fn an_io_error() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file")
}

#[test]
fn any_error_is_retried_and_tells_its_sources() {
    let error = JobError::from(Outer("can't start", Outer("can't open", an_io_error())));
    assert_eq!(error, JobError::retry("can't start: can't open: no such file"));
}

#[test]
fn a_source_that_is_told_already_is_not_repeated() {
    let error = JobError::from(Outer("can't open: no such file", an_io_error()));
    assert_eq!(error, JobError::retry("can't open: no such file"));
}

#[test]
fn an_error_of_the_host_decides_wherever_it_stands_among_the_sources() {
    for (host, disposition, code) in [
        (HostError::AccessDenied("secrets".into()), Disposition::Fatal, "access-denied"),
        (HostError::Invalid("key: empty".into()), Disposition::Fatal, "invalid"),
        (HostError::TooLarge(7), Disposition::Fatal, "too-large"),
        (HostError::QuotaExceeded("cache".into()), Disposition::Retry, "quota-exceeded"),
        (HostError::Unavailable("cache".into()), Disposition::Retry, "unavailable"),
        (HostError::Other { code: "new".into(), message: "m".into() }, Disposition::Retry, "new"),
    ] {
        let message = host.to_string();
        let error = JobError::from(Outer("outer", host.clone()));
        assert_eq!(error.message, format!("outer: {message}"));
        assert_eq!((error.disposition, error.code.as_deref()), (disposition, Some(code)));
        assert_eq!(JobError::from(host).disposition, disposition);
    }
}

#[test]
fn a_failed_result_is_explained() {
    let fail = || Err::<(), _>(Outer("can't open", an_io_error()));
    let message = "bad image: can't open: no such file";
    assert_eq!(fail().or_fatal("bad image"), Err(JobError::fatal(message)));
    assert_eq!(fail().or_retry("bad image"), Err(JobError::retry(message)));
    let second = Duration::from_secs(1);
    let later = JobError::retry_after(second, message);
    assert_eq!(fail().or_retry_after(second, "bad image"), Err(later));
    assert_eq!(Ok::<_, io::Error>(7).or_fatal("bad image"), Ok(7));
}

#[test]
fn a_missing_value_is_explained() {
    assert_eq!(None::<()>.or_fatal("no image"), Err(JobError::fatal("no image")));
    assert_eq!(None::<()>.or_retry("no image"), Err(JobError::retry("no image")));
    let second = Duration::from_secs(1);
    let later = JobError::retry_after(second, "no image");
    assert_eq!(None::<()>.or_retry_after(second, "no image"), Err(later));
    assert_eq!(Some(7).or_fatal("no image"), Ok(7));
}

#[test]
fn texts_and_boxed_errors_can_be_explained_too() {
    assert_eq!(Err::<(), _>("why").or_fatal("it").unwrap_err().message, "it: why");
    assert_eq!(Err::<(), _>("why".to_owned()).or_fatal("it").unwrap_err().message, "it: why");
    let boxed: Box<dyn Error + Send + Sync> = "why".into();
    assert_eq!(Err::<(), _>(boxed).or_fatal("it").unwrap_err().message, "it: why");
}

#[test]
fn a_detail_that_cannot_be_written_is_replaced_by_the_reason() {
    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let detail = JobError::fatal("no").detail(&map).detail.unwrap();
    let reason = "a value can't be written as JSON: key must be a string";
    assert_eq!(detail, Payload::text(reason));
    assert_eq!(JobError::fatal("no").detail("more").detail, Some(Payload::text("more")));
}

#[test]
fn bailing_out_formats_its_message_and_converts_where_asked_to() {
    fn fails() -> Result<(), Box<JobError>> {
        let n = 7;
        bail_fatal!("{n} is too {}", "many")
    }
    assert_eq!(*fails().unwrap_err(), JobError::fatal("7 is too many"));
}
