//! How agents do: what each has in flight, what it has not read, and how it ended what it ended last.

use crate::agent::Agent;
use crate::delegation::status::Status;
use crate::id::{AgentId, Seq};
use crate::time::Time;

/// Counts end here: this many means as many or more.
pub const COUNT_MAX: u64 = 10_000;
/// Of how many that ended last the rates and times are told.
pub const ENDED_MAX: usize = 1000;
/// How many delegations are asked when an agent was heard last: of those it holds, and of its newest.
pub const HEARD_ROWS_MAX: usize = 100;

/// Which agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentsQuery {
    /// Behind this id, by its bytes.
    pub after: Option<AgentId>,
    /// At most so many, 1 to [`PAGE_MAX`](super::PAGE_MAX).
    pub limit: usize,
}

/// One page of agents, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentPage {
    /// The agents.
    pub agents: Vec<AgentHealth>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// How one agent does. What is counted is counted up to [`COUNT_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentHealth {
    /// Who.
    pub agent_id: AgentId,
    /// Its record, where it is registered.
    pub record: Option<Agent>,
    /// How much waits for it.
    pub queued: u64,
    /// How much of what it is asked for is in flight, the queued and the stuck included.
    pub in_flight: u64,
    /// How much of that is stuck.
    pub stuck: u64,
    /// Up to where it has acknowledged its messages.
    pub acked_through: Seq,
    /// How many messages it has behind that.
    pub unread: u64,
    /// When the oldest of these happened.
    pub oldest_unread_at: Option<Time>,
    /// Its last sign of life, as far as its work tells: of [`HEARD_ROWS_MAX`] that it holds, and of as many of
    /// its newest.
    pub last_heard: Option<Time>,
}

/// A delegation that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub status: Status,
    /// When it was delegated.
    pub created_at: Time,
    /// When it ended.
    pub finished_at: Time,
}

/// How an agent ended what it ended last.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latest {
    /// How many were completed.
    pub completed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many were called off, which is nobody's failure.
    pub cancelled: u64,
    /// Of those completed or failed, the share that failed.
    pub failure_rate: Option<f64>,
    /// From creation to completion, in milliseconds: half were no slower, then 95 and 99 of a hundred.
    pub percentiles_ms: Option<[i64; 3]>,
}

impl Latest {
    /// What these come to.
    #[must_use]
    pub fn of(ended: &[Ended]) -> Self {
        let count = |status| ended.iter().filter(|it| it.status == status).count() as u64;
        let (completed, failed) = (count(Status::Completed), count(Status::Failed));
        let answered = completed + failed;
        #[expect(clippy::cast_precision_loss, reason = "they are a thousand at most")]
        let failure_rate = (answered > 0).then(|| failed as f64 / answered as f64);
        let completed_ms = ended.iter().filter(|it| it.status == Status::Completed);
        let mut times_ms: Vec<i64> =
            completed_ms.map(|it| it.finished_at.since_ms(it.created_at)).collect();
        times_ms.sort_unstable();
        let percentiles_ms = (!times_ms.is_empty())
            .then(|| [50, 95, 99].map(|percent| times_ms[rank(times_ms.len(), percent)]));
        let cancelled = count(Status::Cancelled);
        Self { completed, failed, cancelled, failure_rate, percentiles_ms }
    }
}

/// The place of the smallest that so many of a hundred do not exceed, in a sorted list.
fn rank(length: usize, percent: usize) -> usize {
    (length * percent).div_ceil(100).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(status: Status, took_ms: i64) -> Ended {
        Ended { status, created_at: Time(7), finished_at: Time(7 + took_ms) }
    }

    #[test]
    fn of_a_hundred_the_fiftieth_the_95th_and_the_99th_are_told() {
        let hundred: Vec<_> = (1..=100).rev().map(|ms| ended(Status::Completed, ms)).collect();
        assert_eq!(Latest::of(&hundred).percentiles_ms, Some([50, 95, 99]));
        assert_eq!(Latest::of(&hundred[..1]).percentiles_ms, Some([100, 100, 100]));
    }

    #[test]
    fn what_was_called_off_is_no_failure_and_what_failed_has_no_time() {
        let latest = Latest::of(&[
            ended(Status::Completed, 10),
            ended(Status::Failed, 90_000),
            ended(Status::Cancelled, 70_000),
            ended(Status::Completed, 30),
            ended(Status::Completed, 20),
        ]);
        assert_eq!((latest.completed, latest.failed, latest.cancelled), (3, 1, 1));
        assert_eq!(latest.failure_rate, Some(0.25));
        assert_eq!(latest.percentiles_ms, Some([20, 30, 30]));
    }

    #[test]
    fn of_nothing_nothing_is_told() {
        assert_eq!(Latest::of(&[]), Latest::default());
    }
}
