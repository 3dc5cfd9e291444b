//! Jobs page by page.

use gristmill_job::{JobId, PluginName, StateName};
use gristmill_queue::{Cursor, Error, Filter, Page};

use super::fixture::{MILLISECOND, QueueFixture, a_job, a_queue, done, seconds};
use super::worker::{complete, fail};

fn everything() -> Filter {
    let queue = a_job().0.queue;
    Filter { queue, state: None, plugin: None, cursor: None, limit: usize::MAX }
}

pub(super) fn in_state(state: StateName) -> Filter {
    Filter { state: Some(state), ..everything() }
}

pub(super) fn ids(page: &Page) -> Vec<JobId> {
    page.jobs.iter().map(|job| job.spec.id).collect()
}

impl QueueFixture {
    async fn page(&self, filter: &Filter) -> Page {
        self.queue.list(filter).await.unwrap()
    }

    /// All pages from here on.
    async fn pages(&self, mut filter: Filter) -> Vec<JobId> {
        let mut listed = Vec::new();
        for _ in 0..1_000 {
            let page = self.page(&filter).await;
            listed.extend(ids(&page));
            filter.cursor = page.cursor;
            if filter.cursor.is_none() {
                return listed;
            }
        }
        panic!("the listing has no end");
    }

    /// Plain jobs, each a moment after the other, the newest first.
    async fn some_newest_first(&self, count: usize) -> Vec<JobId> {
        let mut newest = Vec::new();
        for _ in 0..count {
            newest.insert(0, self.enqueue(a_job()).await);
            self.advance(MILLISECOND).await;
        }
        newest
    }
}

pub(super) async fn the_newest_jobs_come_first(q: QueueFixture) {
    let newest = q.some_newest_first(5).await;
    let page = q.page(&everything()).await;
    assert_eq!(ids(&page), newest);
    assert_eq!(page.cursor, None);
    let job = &page.jobs[0];
    assert_eq!((job.spec.id, job.state.name()), (newest[0], StateName::Queued));
}

pub(super) async fn pages_cover_every_job_once(q: QueueFixture) {
    let newest = q.some_newest_first(25).await;
    for limit in [1, 7, 25, 26] {
        assert_eq!(q.pages(Filter { limit, ..everything() }).await, newest, "by {limit}");
    }
}

pub(super) async fn jobs_that_come_and_go_do_not_disturb_a_listing(q: QueueFixture) {
    let newest = q.some_newest_first(9).await;
    let page = q.page(&Filter { limit: 3, ..everything() }).await;
    assert_eq!(ids(&page), newest[..3]);
    // Jobs that were listed go, jobs that weren't go, and new ones come.
    done(q.remove(newest[2]).await);
    done(q.remove(newest[4]).await);
    q.some_newest_first(3).await;
    let rest = q.pages(Filter { limit: 3, cursor: page.cursor, ..everything() }).await;
    assert_eq!(rest, [&newest[3..4], &newest[5..]].concat());
}

pub(super) async fn jobs_are_listed_by_state(q: QueueFixture) {
    let newest = q.some_newest_first(6).await;
    let scheduled = q.enqueue(a_job().delay(seconds(60))).await;
    let mut worker = q.worker();
    let leased = worker.lease(4).await;
    worker.end(complete(&leased[0])).await;
    worker.end(fail(&leased[1])).await;
    done(q.cancel(newest[0]).await);
    assert_eq!(q.pages(in_state(StateName::Scheduled)).await, [scheduled]);
    assert_eq!(q.pages(in_state(StateName::Queued)).await, [newest[1]]);
    assert_eq!(q.pages(in_state(StateName::Running)).await, [newest[2], newest[3]]);
    assert_eq!(q.pages(in_state(StateName::Completed)).await, [newest[5]]);
    assert_eq!(q.pages(in_state(StateName::Failed)).await, [newest[4]]);
    assert_eq!(q.pages(in_state(StateName::Cancelled)).await, [newest[0]]);
    assert_eq!(q.pages(everything()).await.len(), 7);
}

pub(super) async fn jobs_are_listed_by_plugin(q: QueueFixture) {
    let rare = q.enqueue(a_job().plugin("rare")).await;
    q.some_newest_first(60).await;
    let newer = q.enqueue(a_job().plugin("rare")).await;
    let filter = Filter { plugin: Some(PluginName::new("rare").unwrap()), ..everything() };
    assert_eq!(q.pages(Filter { limit: 2, ..filter.clone() }).await, [newer, rare]);
    let running = Filter { state: Some(StateName::Running), ..filter };
    assert_eq!(q.pages(running).await, []);
}

pub(super) async fn a_page_is_bounded(q: QueueFixture) {
    let q = q.with(|config| config.page_items_max = 4).await;
    let newest = q.some_newest_first(6).await;
    let page = q.page(&everything()).await;
    assert_eq!(ids(&page), newest[..4]);
    let page = q.page(&Filter { cursor: page.cursor, ..everything() }).await;
    assert_eq!(ids(&page), newest[4..]);
    assert_eq!(page.cursor, None);
}

pub(super) async fn a_foreign_cursor_is_refused(q: QueueFixture) {
    q.enqueue(a_job()).await;
    for text in ["", "next", "-1", "\u{0}"] {
        let filter = Filter { cursor: Some(Cursor(text.to_owned())), ..everything() };
        let error = q.queue.list(&filter).await.unwrap_err();
        assert!(matches!(error, Error::InvalidCursor), "{text:?}: {error}");
    }
}

pub(super) async fn an_unused_queue_lists_nothing(q: QueueFixture) {
    q.enqueue(a_job()).await;
    let page = q.page(&Filter { queue: a_queue("unused"), ..everything() }).await;
    assert!(page.jobs.is_empty() && page.cursor.is_none());
}
