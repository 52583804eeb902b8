//! What may be asked of a ledger, and the shape of the answers.

mod agents;
mod audit;
mod measure;
mod outlook;

pub use agents::{
    AgentHealth, AgentPage, AgentsQuery, COUNT_MAX, ENDED_MAX, Ended, HEARD_ROWS_MAX, Latest,
};
pub use audit::{Audit, Finding};
pub use measure::{Measure, MeasureKind, float};
pub use outlook::{Next, Outlook};

use crate::delegation::Delegation;
use crate::delegation::change::{EventKind, Role};
use crate::delegation::retention::Ties;
use crate::delegation::status::Status;
use crate::delegation::watch::{RowNum, Watch};
use crate::id::{AgentId, DelegationId, Seq};
use crate::payload::{Json, Payload};
use crate::time::Time;

/// Most items in one page.
pub const PAGE_MAX: usize = 1000;
/// Bytes of texts after which a page ends before its limit; its first item always fits.
pub const PAGE_BYTES_MAX: usize = 8 << 20;

/// Which delegations to list. Every field narrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By status.
    pub status: Option<StatusFilter>,
    /// Who asked.
    pub caller: Option<AgentId>,
    /// Who is asked.
    pub callee: Option<AgentId>,
    /// Created under this delegation.
    pub parent: Option<DelegationId>,
    /// Created at or after.
    pub created_after: Option<Time>,
    /// Created before.
    pub created_before: Option<Time>,
    /// Whose id begins so.
    pub id_prefix: Option<String>,
    /// Behind this place, from [`Page::next`].
    pub before: Option<Place>,
    /// At most so many, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// One status, or all that are in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusFilter {
    /// Exactly this one.
    Is(Status),
    /// Queued, dispatched, in progress or stuck.
    InFlight,
}

impl StatusFilter {
    /// The statuses that it lets through.
    pub fn statuses(self) -> impl Iterator<Item = Status> {
        Status::ALL.iter().copied().filter(move |status| match self {
            Self::Is(one) => one == *status,
            Self::InFlight => status.in_flight(),
        })
    }
}

/// A place in every list: they begin with what was created last, and of one moment with the greatest number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When the row there was created.
    pub created_at: Time,
    /// Its number.
    pub num: RowNum,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Place>,
}

/// A delegation as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The row.
    pub delegation: Delegation,
    /// The beginning of its task.
    pub task_preview: String,
    /// The beginning of its result.
    pub result_preview: Option<String>,
    /// The caller's own notes.
    pub metadata: Option<Json>,
    /// What was last sent as progress.
    pub progress: Option<Json>,
}

impl Entry {
    /// How many bytes its texts have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let json = |it: &Option<Json>| it.as_ref().map_or(0, |it| it.as_str().len());
        let result = self.result_preview.as_ref().map_or(0, String::len);
        self.task_preview.len() + result + json(&self.metadata) + json(&self.progress)
    }
}

/// Which events to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this delegation alone; `None`: of all.
    pub delegation_id: Option<DelegationId>,
    /// Behind this number.
    pub after: Seq,
    /// At most so many, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the one sequence.
    pub seq: Seq,
    /// Of which delegation.
    pub delegation_id: DelegationId,
    /// Its caller.
    pub caller_id: AgentId,
    /// Its callee, as it is when the event is read.
    pub callee_id: AgentId,
    /// What happened.
    pub kind: EventKind,
    /// In which attempt.
    pub attempt: u32,
    /// When.
    pub at: Time,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent, where it was one.
    pub actor_id: Option<String>,
    /// Where the delegation stood.
    pub from: Option<Status>,
    /// Where it stands since.
    pub to: Status,
    /// For people.
    pub reason: Option<String>,
    /// What else belongs to this kind.
    pub data: Option<Json>,
}

/// One page of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<Event>,
    /// The number to ask behind next, if there are more.
    pub next: Option<Seq>,
}

/// A stored late result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The attempt at the time.
    pub attempt: u32,
    /// When it came.
    pub at: Time,
    /// The part that its actor played.
    pub role: Role,
    /// Which agent.
    pub actor_id: Option<String>,
    /// Why it was refused.
    pub why: String,
    /// The status that it would have brought.
    pub status: Status,
    /// The result.
    pub result: Option<Payload>,
    /// The error detail.
    pub error_detail: Option<String>,
}

/// Which messages to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxQuery {
    /// Whose.
    pub agent_id: AgentId,
    /// Behind this number; `None`: behind the acknowledged point.
    pub after: Option<Seq>,
    /// At most so many, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// One page of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// The messages.
    pub messages: Vec<Message>,
    /// Up to where the agent has acknowledged.
    pub acked_through: Seq,
    /// How many it has behind that, counted up to [`COUNT_MAX`].
    pub unread: u64,
    /// When the oldest of these happened.
    pub oldest_unread_at: Option<Time>,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place; the number of its event.
    pub seq: Seq,
    /// The event it tells of: a verdict, or a warning.
    pub kind: EventKind,
    /// Whose news.
    pub delegation_id: DelegationId,
    /// The status that the event brought.
    pub status: Status,
    /// The result, where it brought one.
    pub result: Option<Payload>,
    /// Why it is stuck or failed.
    pub error_detail: Option<String>,
    /// When.
    pub at: Time,
}

/// How many delegations have each status, in the order of [`Status::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats(pub [u64; Status::ALL.len()]);

impl Stats {
    /// How many have this status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        self.0[status.index()]
    }

    /// How many are in flight.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        StatusFilter::InFlight.statuses().map(|status| self.of(status)).sum()
    }
}

/// Which index a pass walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The hard ends.
    Deadline,
    /// Everything else.
    Check,
}

/// A watch row whose moment is past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The moment, in its lane.
    pub at: Time,
    /// The row.
    pub watch: Watch,
}

/// What may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruneQuery {
    /// What ended before this may go, acknowledged or not.
    pub any_before: Option<Time>,
    /// What ended before this may go if it was acknowledged.
    pub acknowledged_before: Option<Time>,
    /// Behind this end and number.
    pub after: Option<(Time, RowNum)>,
    /// Of how many that ended, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

impl PruneQuery {
    /// Whether this one may go, by what is seen of it here. The ledger decides on it once more.
    #[must_use]
    pub fn lets_go(&self, it: &Prunable, ties: Ties) -> bool {
        let acknowledged = self.acknowledged_before.filter(|_| ties.acknowledged);
        let before = self.any_before.max(acknowledged);
        !ties.named && before.is_some_and(|before| it.finished_at < before)
    }
}

/// Some of what may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrunePage {
    /// The delegations, by their end.
    pub prunable: Vec<Prunable>,
    /// Where the next page begins, if there is one.
    pub next: Option<(Time, RowNum)>,
}

/// A delegation that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prunable {
    /// Which.
    pub delegation_id: DelegationId,
    /// As it was looked at.
    pub version: u64,
    /// How it ended.
    pub status: Status,
    /// When.
    pub finished_at: Time,
    /// Whether its caller has acknowledged it.
    pub acknowledged: bool,
}

/// What one pass saw and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Delegations failed because their deadline had passed.
    pub deadline_failures: u64,
    /// Delegations marked stuck.
    pub stuck_marked: u64,
    /// Delegations, or whole steps of the pass, that failed.
    pub errors: u64,
    /// Delegations handed out again.
    pub requeued: u64,
    /// Delegations looked at whole.
    pub examined: u64,
    /// Delegations to be looked at again later.
    pub rearmed: u64,
    /// Silence verdicts that the brake held back.
    pub held: u64,
    /// When the pass began.
    pub started_at: Time,
    /// How long it took.
    pub duration_ms: u64,
}

impl SweepReport {
    /// Whether the pass is worth a line in the log.
    #[must_use]
    pub fn is_news(&self) -> bool {
        self.deadline_failures + self.stuck_marked + self.errors + self.requeued + self.held > 0
    }
}
