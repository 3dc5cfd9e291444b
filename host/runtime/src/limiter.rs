//! What a guest's memories, tables and instances may grow to.

use wasmtime::ResourceLimiter;

use crate::limits::Limits;

/// Counts linear memory over all memories of an attempt, and remembers the first refusal: the trap
/// that mostly follows is then reported as the limit that it came from.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes: usize,
    memory_bytes_peak: usize,
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    memories_max: usize,
    tables_max: usize,
    refused: Option<&'static str>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: 0,
            memory_bytes_peak: 0,
            memory_bytes_max: limits.memory_bytes_max,
            table_elements_max: limits.table_elements_max,
            instances_max: limits.instances_max,
            memories_max: limits.memories_max,
            tables_max: limits.tables_max,
            refused: None,
        }
    }

    /// For another attempt of the same guest: what its memory has grown to counts from the start.
    pub(crate) fn again(&self) -> Self {
        Self { memory_bytes_peak: self.memory_bytes, refused: None, ..*self }
    }

    pub(crate) fn memory_bytes_peak(&self) -> usize {
        self.memory_bytes_peak
    }

    /// The name of the first limit that refused something.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.refused
    }

    fn refuse(&mut self, limit: &'static str) -> wasmtime::Result<bool> {
        self.refused.get_or_insert(limit);
        Ok(false)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // The module's own bound, unless it is the pool's, which is no lower than ours.
        if maximum.is_some_and(|maximum| desired > maximum && maximum < self.memory_bytes_max) {
            return Ok(false);
        }
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.memory_bytes_max {
            return self.refuse("memory");
        }
        self.memory_bytes = total;
        self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // As above.
        if maximum.is_some_and(|maximum| desired > maximum && maximum < self.table_elements_max) {
            return Ok(false);
        }
        if desired > self.table_elements_max { self.refuse("table_elements") } else { Ok(true) }
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        self.tables_max
    }

    fn memories(&self) -> usize {
        self.memories_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let limits = Limits { memory_bytes_max: 100, ..Limits::default() };
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert_eq!(limiter.refused(), Some("memory"));
        assert_eq!(limiter.memory_bytes_peak(), 100);
    }

    #[test]
    fn what_memory_has_grown_to_counts_for_the_next_attempt() {
        let limits = Limits { memory_bytes_max: 100, ..Limits::default() };
        let mut limiter = Limiter::new(&limits);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(60, 101, None).unwrap());
        let mut again = limiter.again();
        assert_eq!((again.memory_bytes_peak(), again.refused()), (60, None));
        assert!(!again.memory_growing(60, 101, None).unwrap());
    }

    #[test]
    fn a_modules_own_maximum_is_not_our_limit() {
        let mut limiter = Limiter::new(&Limits::default());
        assert!(!limiter.memory_growing(0, 20, Some(10)).unwrap());
        assert!(!limiter.table_growing(0, 20, Some(10)).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.table_growing(0, 20_001, Some(20_000)).unwrap());
        assert_eq!(limiter.refused(), Some("table_elements"));
    }
}
