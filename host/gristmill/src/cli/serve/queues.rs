//! The flags for the queues that a daemon works on.

use clap::{Args, ValueEnum};
use gristmill::{Order, QueueName, Share};

use super::super::args::parse_pair;
use super::super::error::Error;

/// The queues that a daemon works on.
#[derive(Args)]
pub(crate) struct QueuesArgs {
    /// A queue to take jobs from, with its weight among others if it isn't 1; may be repeated [default: default]
    #[arg(
        long = "queue",
        value_name = "NAME[=WEIGHT]",
        env = "GRISTMILL_QUEUE",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse_queue
    )]
    named: Vec<(QueueName, u32)>,
    /// Which queue comes first: by weights, or always the one that is named first
    #[arg(
        long = "queue-order",
        value_name = "ORDER",
        env = "GRISTMILL_QUEUE_ORDER",
        hide_env_values = true,
        default_value = "weighted"
    )]
    pub(super) order: OrderName,
    /// How many jobs of a queue run at one time; may be repeated [default: as many as there run at all]
    #[arg(
        long = "queue-concurrency",
        value_name = "NAME=N",
        env = "GRISTMILL_QUEUE_CONCURRENCY",
        hide_env_values = true,
        value_delimiter = ',',
        value_parser = parse_concurrency
    )]
    bounds: Vec<(QueueName, usize)>,
}

/// The largest weight: beyond it a queue of weight 1 would have less than a job in a thousand.
const WEIGHT_MAX: u32 = 1_000;

/// Which queue comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderName {
    /// All of them get on, by their weights
    Weighted,
    /// The one that is named first
    Strict,
}

impl From<OrderName> for Order {
    fn from(name: OrderName) -> Self {
        match name {
            OrderName::Weighted => Self::Weighted,
            OrderName::Strict => Self::Strict,
        }
    }
}

fn parse_queue(text: &str) -> Result<(QueueName, u32), String> {
    let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
    let name = QueueName::new(name).map_err(|error| error.to_string())?;
    match weight.parse() {
        Ok(weight @ 1..=WEIGHT_MAX) => Ok((name, weight)),
        _ => Err(format!("{weight:?} is no weight from 1 to {WEIGHT_MAX}")),
    }
}

fn parse_concurrency(text: &str) -> Result<(QueueName, usize), String> {
    let (name, most) = parse_pair(text)?;
    let name = QueueName::new(&name).map_err(|error| error.to_string())?;
    match most.parse() {
        Ok(most @ 1..) => Ok((name, most)),
        _ => Err(format!("{most:?} is no number from 1 on")),
    }
}

impl QueuesArgs {
    /// The queues with what each is given.
    pub(super) fn shares(&self) -> Result<Vec<Share>, Error> {
        let mut shares: Vec<Share> = Vec::new();
        for (queue, weight) in &self.named {
            if shares.iter().any(|share| share.queue == *queue) {
                return Err(Error::Usage(format!("--queue {queue} is given twice")));
            }
            shares.push(Share { weight: *weight, ..Share::from(queue.clone()) });
        }
        if shares.is_empty() {
            shares.push(QueueName::default().into());
        }
        for (queue, most) in &self.bounds {
            let share = shares.iter_mut().find(|share| share.queue == *queue);
            let Some(share) = share else {
                return Err(Error::Usage(format!(
                    "--queue-concurrency: no jobs are taken from queue {queue}"
                )));
            };
            if share.concurrency.replace(*most).is_some() {
                return Err(Error::Usage(format!("--queue-concurrency {queue} is given twice")));
            }
        }
        Ok(shares)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        queues: QueuesArgs,
    }

    fn shares(line: &str) -> Result<Vec<Share>, String> {
        let words = std::iter::once("serve").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.queues.shares().map_err(|error| error.to_string())
    }

    #[test]
    fn queues_have_weights_and_bounds_of_their_own() {
        let shares = shares("--queue critical=6,bulk --queue-concurrency bulk=2").unwrap();
        let of = |share: &Share| (share.queue.to_string(), share.weight, share.concurrency);
        let all: Vec<_> = shares.iter().map(of).collect();
        assert_eq!(all, [("critical".to_owned(), 6, None), ("bulk".to_owned(), 1, Some(2))]);
    }

    #[test]
    fn without_a_queue_it_is_the_default_one() {
        assert_eq!(shares("").unwrap(), [Share::from(QueueName::default())]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused = |line, says: &str| {
            let error = shares(line).unwrap_err();
            assert!(error.contains(says), "{error}");
        };
        refused("--queue a=0", "is no weight from 1 to 1000");
        refused("--queue a=heavy", "is no weight");
        refused("--queue a --queue a=2", "is given twice");
        refused("--queue a --queue-concurrency b=1", "no jobs are taken from queue b");
        refused("--queue a --queue-concurrency a=1,a=2", "is given twice");
        refused("--queue a --queue-concurrency a=0", "is no number from 1 on");
        refused("--queue-order random", "possible values: weighted, strict");
    }
}
