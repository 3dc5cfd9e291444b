//! Which traces are told of, as `OTEL_TRACES_SAMPLER` says.

use super::encode::TraceId;

/// Which traces are told of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampler {
    /// The part of all traces, from 0 to 1.
    part: f64,
    /// Whether a job's producer decides it, if the job is in a trace of somebody's.
    follows: bool,
}

/// The names, with the part that each means; none: the argument says it.
const NAMES: [(&str, Option<f64>, bool); 6] = [
    ("parentbased_always_on", Some(1.0), true),
    ("parentbased_always_off", Some(0.0), true),
    ("parentbased_traceidratio", None, true),
    ("always_on", Some(1.0), false),
    ("always_off", Some(0.0), false),
    ("traceidratio", None, false),
];

impl Sampler {
    /// By a name of the standard, and its argument; the first of them, if none is said.
    pub(super) fn named(name: Option<&str>, argument: Option<&str>) -> Result<Self, String> {
        let name = name.unwrap_or(NAMES[0].0);
        let Some((_, part, follows)) = NAMES.iter().find(|(known, ..)| *known == name) else {
            let names = NAMES.map(|(name, ..)| name).join(", ");
            return Err(format!("OTEL_TRACES_SAMPLER: {name:?} is none of {names}"));
        };
        let part = match (part, argument) {
            (Some(part), _) => *part,
            (None, None) => 1.0,
            (None, Some(text)) => {
                let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
                let invalid = "is no part from 0 to 1 such as 0.1";
                part.ok_or_else(|| format!("OTEL_TRACES_SAMPLER_ARG: {text:?} {invalid}"))?
            }
        };
        Ok(Self { part, follows: *follows })
    }

    /// Whether spans of a trace are told of; `wanted` is what the job's producer said, if anything.
    pub(super) fn takes(self, trace: TraceId, wanted: Option<bool>) -> bool {
        if let Some(wanted) = wanted.filter(|_| self.follows) {
            return wanted;
        }
        // By the trace's id alone, so that all processes which a trace goes through agree. Its last seven bytes are
        // what the standard holds to be random, and a number that a fraction can express.
        let number = trace[9..].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        (number as f64) < self.part * (1_u64 << 56) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_part(taken: usize, sampler: Sampler, wanted: Option<bool>) {
        let ids = (0..=255_u8).map(|byte| std::array::from_fn(|at| if at == 9 { byte } else { 7 }));
        assert_eq!(ids.filter(|id| sampler.takes(*id, wanted)).count(), taken, "{sampler:?}");
    }

    #[test]
    fn a_part_of_the_traces_is_taken_by_their_ids_unless_their_producers_decide() {
        let sampler = |name, argument| Sampler::named(name, argument).unwrap();
        a_part(256, sampler(None, None), None);
        a_part(0, sampler(None, None), Some(false));
        a_part(256, sampler(Some("always_on"), None), Some(false));
        a_part(0, sampler(Some("parentbased_always_off"), None), None);
        a_part(256, sampler(Some("parentbased_always_off"), None), Some(true));
        a_part(64, sampler(Some("traceidratio"), Some("0.25")), Some(true));
        a_part(64, sampler(Some("parentbased_traceidratio"), Some("0.25")), None);
    }

    #[test]
    fn a_sampler_that_nobody_knows_is_told_with_those_that_there_are() {
        let refused = |name, argument| Sampler::named(Some(name), argument).unwrap_err();
        assert!(refused("jaeger_remote", None).contains("always_on, always_off"));
        for argument in ["2", "-0.1", "NaN", "all"] {
            assert!(refused("traceidratio", Some(argument)).contains("SAMPLER_ARG"), "{argument}");
        }
    }
}
