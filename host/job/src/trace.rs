//! Where a job stands in a trace, as W3C's Trace Context has it.
//!
//! A producer may say which trace its job belongs to (`traceparent`). Each attempt is a span of that trace. Its id
//! comes from job and attempt alone, so that whoever sees an attempt knows the ids of those before it, and
//! nothing more is kept with the job.

use crate::{JobId, NewJob};

/// A trace, and the span in it that something belongs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext<'a> {
    /// The trace's id, in 32 hexadecimal digits.
    pub trace_id: &'a str,
    /// The span's id, in 16.
    pub parent_id: &'a str,
    flags: &'a str,
}

impl<'a> TraceContext<'a> {
    /// What a job's producer said, if it said anything.
    #[must_use]
    pub fn of(job: &'a NewJob) -> Option<Self> {
        let mut parts = job.traceparent.as_deref()?.splitn(4, '-').skip(1);
        Some(Self { trace_id: parts.next()?, parent_id: parts.next()?, flags: parts.next()? })
    }

    /// Whether the producer wants to hear of it.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        let flags = self.flags.get(..2).and_then(|flags| u8::from_str_radix(flags, 16).ok());
        flags.is_some_and(|flags| flags & 1 == 1)
    }

    /// The `traceparent` of what an attempt does, such as jobs that it enqueues.
    #[must_use]
    pub fn within(&self, job: JobId, attempt: u32) -> String {
        format!("00-{}-{}-{}", self.trace_id, span_id(job, attempt), self.flags)
    }
}

/// The id of an attempt's span, in 16 hexadecimal digits.
#[must_use]
pub fn span_id(job: JobId, attempt: u32) -> String {
    let (high, low) = job.as_uuid().as_u64_pair();
    // Odd, so that all attempts of a job differ; from the golden ratio, so that they look it.
    let mixed =
        (high ^ low.rotate_left(32)) ^ u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // The format has no span 0.
    format!("{:016x}", mixed.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn a_job(traceparent: Option<&str>) -> NewJob {
        let mut job = NewJob::new("echo".parse().unwrap(), Payload::none());
        job.id = "6f9619ff-8b86-4011-b42d-00cf4fc964ff".parse().unwrap();
        job.traceparent = traceparent.map(str::to_owned);
        job
    }

    #[test]
    fn a_job_that_is_in_no_trace_begins_none() {
        assert_eq!(TraceContext::of(&a_job(None)), None);
    }

    #[test]
    fn what_an_attempt_does_is_in_its_jobs_trace_and_under_its_own_span() {
        let job = a_job(Some(PARENT));
        let context = TraceContext::of(&job).unwrap();
        assert_eq!(context.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.parent_id, "b7ad6b7169203331");
        let span = span_id(job.id, 2);
        assert_eq!(context.within(job.id, 2), format!("00-{}-{span}-01", context.trace_id));
    }

    #[test]
    fn a_producer_says_whether_it_wants_to_hear_of_it() {
        for (flags, is_sampled) in [("01", true), ("00", false), ("03", true), ("02", false)] {
            let parent = PARENT.replace("-01", &format!("-{flags}"));
            let job = a_job(Some(&parent));
            assert_eq!(TraceContext::of(&job).unwrap().is_sampled(), is_sampled, "{flags}");
        }
    }

    #[test]
    fn every_attempt_has_a_span_of_its_own_that_can_be_known_beforehand() {
        let job = a_job(None);
        let ids: std::collections::BTreeSet<String> =
            (1..100).map(|n| span_id(job.id, n)).collect();
        assert_eq!(ids.len(), 99);
        assert!(ids.iter().all(|id| id.len() == 16));
        assert_eq!(span_id(job.id, 1), span_id(job.id, 1));
    }
}
