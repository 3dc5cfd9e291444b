//! Jobs page by page.

use gristmill_job::StateName;

use super::line::Line;
use super::state::State;
use crate::{Cursor, Error, Filter, Page};

/// Jobs looked at for one page, as a multiple of the jobs on it.
const LOOKED_AT_FACTOR: usize = 10;

impl State {
    /// The newest jobs that fit. A job's number in its line never changes, so a page goes on
    /// exactly where the one before it ended, whatever happened in between.
    pub(super) fn list(&self, filter: &Filter) -> Result<Page, Error> {
        let mut before = match &filter.cursor {
            None => u64::MAX,
            Some(Cursor(text)) => text.parse().map_err(|_| Error::InvalidCursor)?,
        };
        let mut page = Page::default();
        let Some(key) = self.names.get(&filter.queue) else { return Ok(page) };
        let line = &self.lines[key.0];
        let limit = filter.limit.clamp(1, self.config.page_items_max);
        let states = match &filter.state {
            Some(state) => std::slice::from_ref(state),
            None => &StateName::ALL,
        };
        for _ in 0..limit.saturating_mul(LOOKED_AT_FACTOR) {
            let Some((number, slot)) = newest_before(line, states, before) else {
                return Ok(page);
            };
            before = number;
            let record = &self.jobs[slot];
            let fits = filter.plugin.as_ref().is_none_or(|plugin| *plugin == record.spec.plugin);
            if fits && !record.is_expired(self.now) {
                page.jobs.push(record.view());
            }
            if page.jobs.len() == limit {
                break;
            }
        }
        page.cursor = newest_before(line, states, before).map(|_| Cursor(before.to_string()));
        Ok(page)
    }
}

fn newest_before(
    line: &Line,
    states: &[StateName],
    number: u64,
) -> Option<(u64, super::jobs::Slot)> {
    let newest = states.iter().filter_map(|&state| line.index.newest_before(state, number));
    newest.max_by_key(|&(number, _)| number)
}
