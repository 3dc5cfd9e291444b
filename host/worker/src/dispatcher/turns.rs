//! Which line comes first, and what may be changed of that while the worker works.
//!
//! By weights, the line comes first that had least of its share so far: each job counts for so much as
//! its line's weight is small. A line that had no jobs for a while doesn't get what it didn't want:
//! it goes on from where the hungriest of the others is.

use std::time::Duration;

use super::{Dispatcher, Line};
use crate::config::Order;
use crate::controls::Tuning;

/// What a job of a line with weight 1 counts for; as fine as weights are worth telling apart.
const JOB: u64 = 1 << 20;

impl Dispatcher {
    /// The lines, in the order in which they are to be served in the next round.
    pub(crate) fn turns(&mut self) -> Vec<usize> {
        let lines = self.lines.len();
        if self.config.order == Order::Strict {
            return (0..lines).collect();
        }
        // Of those that had as much, none is always last.
        let mut turns: Vec<usize> = (0..lines).map(|i| (self.next + i) % lines).collect();
        turns.sort_by_key(|line| self.lines[*line].had);
        self.next = (self.next + 1) % lines.max(1);
        turns
    }

    /// Whether a line has to wait for one that comes before it: a queue may give fewer jobs than were
    /// wanted although it has more.
    pub(super) fn is_behind(&self, line: usize) -> bool {
        let goes_first = |line: &Line| line.more && line.space() > 0 && line.unreachable.is_none();
        self.config.order == Order::Strict && self.lines[..line].iter().any(goes_first)
    }

    /// A line was given its turn: it had so many jobs, and has more or not.
    pub(super) fn note_turn(&mut self, line: usize, jobs: usize, more: bool) {
        let others = self.lines.iter().enumerate();
        let hungriest =
            others.filter(|(i, other)| *i != line && !other.is_empty).map(|(_, other)| other.had);
        let floor = hungriest.min().unwrap_or(0);
        let line = &mut self.lines[line];
        if jobs > 0 {
            if line.is_empty {
                line.had = line.had.max(floor);
            }
            line.had += jobs as u64 * JOB / u64::from(line.weight);
        }
        // A cycle that asked for nothing tells nothing of what there is.
        if jobs > 0 || more || line.cycle.want > 0 {
            line.is_empty = jobs == 0 && !more;
        }
    }

    /// Whether a line that said it has no jobs should be asked again, since others' are taken and nobody
    /// listens for hints.
    pub(crate) fn should_ask(&self, line: usize) -> bool {
        let other_has = |(i, other): (usize, &Line)| i != line && other.more;
        let others_have = self.lines.iter().enumerate().any(other_has);
        !self.lines[line].more && others_have && self.has_room(line)
    }

    /// How it is to work from now on. Executors and slots are as many as they were at the start.
    pub(crate) fn retune(&mut self, tuning: &Tuning) {
        self.config.concurrency = tuning.concurrency.clamp(1, self.executors);
        self.config.grace = tuning.grace;
        self.config.order = tuning.order;
        for line in &mut self.lines {
            if let Some(share) = tuning.queues.iter().find(|share| share.queue == line.queue) {
                line.weight = share.weight.max(1);
                line.concurrency = share.concurrency;
            }
        }
    }

    /// How many attempts may run at one time.
    pub(crate) fn slots(&self) -> usize {
        self.config.concurrency
    }

    /// How long running attempts may go on at the end.
    pub(crate) fn grace(&self) -> Duration {
        self.config.grace
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gristmill_job::{NewJob, Payload, PluginName, Timestamp};
    use gristmill_queue::{CycleReply, Leased};

    use super::*;
    use crate::board::Board;
    use crate::config::{Config, Share};

    const NOW: Duration = Duration::from_secs(1_000);

    fn share(name: &str, weight: u32) -> Share {
        Share { weight, ..Share::from(name.parse::<gristmill_job::QueueName>().unwrap()) }
    }

    fn a_dispatcher(order: Order, queues: &[Share]) -> Dispatcher {
        let config =
            Config { queues: queues.to_vec(), order, concurrency: 1_000, ..Config::default() };
        Dispatcher::new(config, Arc::new(Board::new(Arc::new(()))))
    }

    fn jobs(count: usize) -> Vec<Leased> {
        let job = NewJob::new(PluginName::new("echo").unwrap(), Payload::none());
        let leased = |_| Leased {
            spec: Arc::new(NewJob { id: gristmill_job::JobId::random(), ..job.clone() }),
            attempt: 1,
            failures: 0,
            crashes: 0,
            enqueued_at: Timestamp::from_millis(0),
            checkpoint: None,
        };
        (0..count).map(leased).collect()
    }

    /// A turn of a line which is given this many jobs, and has more.
    fn turn(dispatcher: &mut Dispatcher, line: usize, count: usize) {
        dispatcher.plan(line);
        let reply = CycleReply { jobs: jobs(count), more: true, ..CycleReply::default() };
        dispatcher.apply(line, NOW, NOW, reply);
    }

    #[test]
    fn busy_lines_get_jobs_by_their_weights() {
        let mut dispatcher =
            a_dispatcher(Order::Weighted, &[share("a", 6), share("b", 3), share("c", 1)]);
        let mut had = [0; 3];
        for _ in 0..100 {
            let first = dispatcher.turns()[0];
            turn(&mut dispatcher, first, 1);
            had[first] += 1;
        }
        assert_eq!(had, [60, 30, 10]);
    }

    #[test]
    fn a_line_that_comes_back_is_not_given_what_it_did_not_want() {
        let mut dispatcher = a_dispatcher(Order::Weighted, &[share("a", 1), share("b", 1)]);
        dispatcher.plan(1);
        dispatcher.apply(1, NOW, NOW, CycleReply::default());
        turn(&mut dispatcher, 0, 100);
        let mut had = [0; 2];
        for _ in 0..10 {
            let first = dispatcher.turns()[0];
            turn(&mut dispatcher, first, 1);
            had[first] += 1;
        }
        assert_eq!(had, [5, 5], "a hundred jobs weren't waited for");
    }

    #[test]
    fn in_strict_order_the_first_line_is_first_whatever_it_had() {
        let mut dispatcher = a_dispatcher(Order::Strict, &[share("a", 1), share("b", 9)]);
        turn(&mut dispatcher, 0, 100);
        assert_eq!(dispatcher.turns(), [0, 1]);
        assert!(dispatcher.has_room(0) && !dispatcher.has_room(1), "the first one has more");
        dispatcher.lines[0].more = false;
        assert!(dispatcher.has_room(1));
        dispatcher.lines[0].more = true;
        dispatcher.unreachable(0, "refused".to_owned());
        assert!(dispatcher.has_room(1), "nobody waits for a queue that can't be reached");
    }

    #[test]
    fn a_line_holds_no_more_than_its_own_concurrency() {
        let bounded = Share { concurrency: Some(2), ..share("a", 1) };
        let mut dispatcher = a_dispatcher(Order::Weighted, &[bounded, share("b", 1)]);
        dispatcher.plan(0);
        assert_eq!(dispatcher.lines[0].cycle.want, 2);
        turn(&mut dispatcher, 0, 2);
        assert!(!dispatcher.has_room(0) && !dispatcher.wants_cycle(0));
        assert!(dispatcher.has_room(1));
    }

    #[test]
    fn a_quiet_dispatcher_wants_nothing_and_a_tuned_one_what_it_is_told() {
        let mut dispatcher = a_dispatcher(Order::Weighted, &[share("a", 1), share("b", 1)]);
        dispatcher.quiet = true;
        assert!(!dispatcher.has_room(0));
        dispatcher.quiet = false;
        let bounded = Share { concurrency: Some(1), ..share("b", 1) };
        let tuning = Tuning {
            concurrency: 7,
            grace: NOW,
            order: Order::Strict,
            queues: vec![bounded, share("new", 1)],
        };
        dispatcher.retune(&tuning);
        let wants = |dispatcher: &mut Dispatcher, line: usize| {
            dispatcher.lines[0].more = line == 0;
            dispatcher.plan(line);
            dispatcher.lines[line].cycle.want
        };
        assert_eq!((wants(&mut dispatcher, 0), wants(&mut dispatcher, 1)), (7, 1));
        assert_eq!((dispatcher.grace(), dispatcher.lines.len()), (NOW, 2));
        dispatcher.retune(&Tuning { concurrency: 5_000, ..tuning });
        assert_eq!(wants(&mut dispatcher, 0), 256.min(dispatcher.slots()));
        assert_eq!(dispatcher.slots(), 1_000, "executors are as many as at the start");
    }

    #[test]
    fn an_empty_line_is_asked_again_while_another_is_busy() {
        let mut dispatcher = a_dispatcher(Order::Strict, &[share("a", 1), share("b", 1)]);
        dispatcher.plan(0);
        dispatcher.apply(0, NOW, NOW, CycleReply::default());
        dispatcher.lines[1].more = false;
        assert!(!dispatcher.should_ask(0), "hints are listened to while nothing is taken");
        turn(&mut dispatcher, 1, 1);
        assert!(dispatcher.should_ask(0) && !dispatcher.should_ask(1));
    }
}
