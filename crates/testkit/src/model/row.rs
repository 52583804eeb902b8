//! One delegation of the model, and what the facts make of it.

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};

use crate::scenario::Order;

use super::Model;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Caller,
    Callee,
    Operator,
    Sweeper,
    Ledger,
}

/// Until when it waits, and for which child.
pub(super) type Waiting = (i64, Option<String>);

/// What makes two requests to delegate the same: caller, callee, parent, task, attempts.
pub(super) type Sameness = (String, String, Option<String>, String, u32);

/// Whether a row is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    /// It was pruned.
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Empty until the ledger has told the id that it made.
    pub(super) id: String,
    pub(super) caller: String,
    pub(super) callee: String,
    pub(super) terms: Order,
    pub(super) sameness: Sameness,
    pub(super) key: Option<String>,
    pub(super) parent: Option<usize>,
    pub(super) retry_of: Option<usize>,
    pub(super) depth: usize,
    pub(super) created: i64,
    pub(super) status: Status,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) deadline: i64,
    /// How often the work changed hands.
    pub(super) epoch: u32,
    /// Somebody holds a lease over this epoch.
    pub(super) held: bool,
    /// A lease was issued in this attempt.
    pub(super) was_held: bool,
    /// Its caller hands this attempt out itself.
    pub(super) dispatched: bool,
    pub(super) claim: Option<String>,
    pub(super) error: Option<String>,
    pub(super) failure: Option<FailureKind>,
    pub(super) stuck: Option<(StuckReason, i64)>,
    pub(super) waiting: Option<Waiting>,
    /// Until when it would wait if there were no deadline.
    pub(super) wait_wish: i64,
    pub(super) queued_at: i64,
    pub(super) clocks_from: Option<i64>,
    pub(super) heard: Option<i64>,
    pub(super) progress: Option<String>,
    pub(super) progressed: Option<i64>,
    pub(super) result: Option<String>,
    pub(super) late: Vec<(u32, Status, Option<String>)>,
    pub(super) history: Vec<EventKind>,
    pub(super) last_by: By,
    pub(super) last_at: i64,
    /// When its verdict came.
    pub(super) ended_at: Option<i64>,
    /// How many messages its caller has of it.
    pub(super) told: usize,
    pub(super) presence: Presence,
    /// When a pass looks at it, the deadline aside.
    pub(super) look_at: Option<i64>,
}

impl Row {
    pub(super) fn gone(&self) -> bool {
        self.presence == Presence::Gone
    }

    pub(super) fn in_flight(&self) -> bool {
        !matches!(self.status, Status::Completed | Status::Failed | Status::Cancelled)
    }

    pub(super) fn threshold_ms(&self, threshold_s: u32) -> i64 {
        i64::from(self.terms.threshold_s.unwrap_or(threshold_s)) * 1000
    }

    /// How long it may stay stuck, where that has an end before the deadline.
    pub(super) fn grace_ms(&self, threshold_s: u32) -> Option<i64> {
        match self.terms.grace_s {
            Some(seconds) => Some(i64::from(seconds) * 1000),
            None if self.max_attempts > 1 => Some(self.threshold_ms(threshold_s)),
            None => None,
        }
    }

    /// Whether the ledger's own threshold alone would have it looked at earlier than it is going to be.
    pub(super) fn looked_at_too_late(&self, threshold_s: u32) -> bool {
        let since = match (self.status, self.stuck) {
            (Status::InProgress, _) if self.waiting.is_none() => self.silent_since(),
            (Status::Stuck, Some((_, since)))
                if self.terms.grace_s.is_none() && self.max_attempts > 1 =>
            {
                since
            }
            _ => return false,
        };
        let wanted = since + i64::from(threshold_s) * 1000;
        let planned = self.look_at.unwrap_or(self.deadline).min(self.deadline);
        self.terms.threshold_s.is_none() && wanted < planned
    }

    pub(super) fn silent_since(&self) -> i64 {
        self.heard.max(self.clocks_from).expect("what is in progress was heard")
    }

    /// Since when progress is missing, where it must come.
    pub(super) fn idle_since(&self) -> Option<(i64, i64)> {
        let within_ms = i64::from(self.terms.progress_within_s?) * 1000;
        Some((self.progressed.max(self.clocks_from)?, within_ms))
    }

    /// Every step to a status takes with it what described the last one.
    fn enter(&mut self, status: Status) {
        self.status = status;
        (self.error, self.stuck, self.waiting) = (None, None, None);
    }

    fn back_to_the_queue(&mut self, now: i64) {
        self.enter(Status::Queued);
        self.epoch += 1;
        self.held = false;
        self.dispatched = false;
        self.claim = None;
        self.queued_at = now;
        (self.heard, self.clocks_from, self.progress, self.progressed) = (None, None, None, None);
    }
}

// Facts, each with all that follows from it.
impl Model {
    /// Writes a fact into the history.
    pub(super) fn note(&mut self, row: usize, kind: EventKind, by: By) {
        self.rows[row].history.push(kind);
        (self.rows[row].last_by, self.rows[row].last_at) = (by, self.now);
        self.written = self.now;
        self.plan_a_look(row);
    }

    /// When to look at it: at the first moment at which a clock of it could run out.
    pub(super) fn plan_a_look(&mut self, row: usize) {
        let (it, s) = (&self.rows[row], |seconds: u32| i64::from(seconds) * 1000);
        let at = match it.status {
            Status::Queued | Status::Dispatched => {
                it.terms.start_within_s.map(|within| it.queued_at + s(within))
            }
            Status::Stuck => {
                let since = it.stuck.expect("a stuck row knows since when").1;
                it.grace_ms(self.threshold_s).map(|grace| since + grace)
            }
            Status::InProgress if it.waiting.is_some() => it.waiting.as_ref().map(|wait| wait.0),
            Status::InProgress => {
                let silence = it.silent_since() + it.threshold_ms(self.threshold_s);
                let idle = it.idle_since().map_or(i64::MAX, |(since, within)| since + within);
                Some(silence.min(idle))
            }
            Status::Completed | Status::Failed | Status::Cancelled => None,
        };
        self.rows[row].look_at = at;
    }

    pub(super) fn started(&mut self, row: usize, by: By) {
        let now = self.now;
        let it = &mut self.rows[row];
        it.enter(Status::InProgress);
        (it.heard, it.clocks_from) = (Some(now), Some(now));
        self.note(row, EventKind::Started, by);
    }

    /// Somebody takes it, by its id or from the queue.
    pub(super) fn taken(&mut self, row: usize, kind: EventKind, claim: Option<String>) {
        let now = self.now;
        let it = &mut self.rows[row];
        let recovers = it.status == Status::Stuck && it.terms.notify_recovered;
        it.enter(Status::InProgress);
        (it.heard, it.clocks_from) = (Some(now), Some(now));
        it.epoch += 1;
        (it.held, it.was_held, it.claim) = (true, true, claim);
        self.note(row, kind, By::Callee);
        if recovers {
            self.tell_caller(row);
        }
    }

    pub(super) fn became_stuck(
        &mut self,
        row: usize,
        reason: StuckReason,
        detail: Option<String>,
        by: By,
    ) {
        let now = self.now;
        let it = &mut self.rows[row];
        if let Some((until, _)) = it.waiting {
            it.clocks_from = Some(now.min(until));
        }
        it.enter(Status::Stuck);
        it.stuck = Some((reason, now));
        it.error = detail;
        self.note(row, EventKind::Stuck, by);
        if self.rows[row].terms.notify_stuck {
            self.tell_caller(row);
        }
    }

    pub(super) fn recovered(&mut self, row: usize, by: By) {
        let now = self.now;
        let it = &mut self.rows[row];
        it.enter(Status::InProgress);
        it.heard = Some(now);
        it.clocks_from = it.clocks_from.or(Some(now));
        self.note(row, EventKind::Recovered, by);
        if self.rows[row].terms.notify_recovered {
            self.tell_caller(row);
        }
    }

    /// Its clocks run again, from this moment.
    pub(super) fn resumed(&mut self, row: usize, from: i64, by: By) {
        self.rows[row].waiting = None;
        self.rows[row].clocks_from = Some(from);
        self.note(row, EventKind::Resumed, by);
    }

    pub(super) fn released(&mut self, row: usize) {
        let now = self.now;
        self.rows[row].back_to_the_queue(now);
        self.note(row, EventKind::Released, By::Callee);
    }

    pub(super) fn requeued(&mut self, row: usize, by: By) {
        let now = self.now;
        let it = &mut self.rows[row];
        it.back_to_the_queue(now);
        it.attempt += 1;
        it.was_held = false;
        self.note(row, EventKind::Requeued, by);
        if self.rows[row].terms.cancel_children {
            self.begin_cascade(row);
        }
    }

    /// The verdict: its message, its key, its children, and its parent's wait.
    pub(super) fn ended(
        &mut self,
        row: usize,
        status: Status,
        failure: Option<FailureKind>,
        detail: Option<String>,
        by: By,
    ) {
        let it = &mut self.rows[row];
        it.enter(status);
        it.ended_at = Some(self.now);
        (it.failure, it.error) = (failure, detail);
        let (caller, key) = (it.caller.clone(), it.key.clone());
        let (id, parent, takes_children) = (it.id.clone(), it.parent, it.terms.cancel_children);
        let kind = match status {
            Status::Completed => EventKind::Completed,
            Status::Cancelled => EventKind::Cancelled,
            _ => EventKind::Failed,
        };
        self.note(row, kind, by);
        if status == Status::Cancelled || takes_children {
            self.begin_cascade(row);
        }
        self.tell_caller(row);
        if let (Some(key), true) = (key, status != Status::Completed) {
            self.keys.remove(&(caller, key));
        }
        if let Some(parent) = parent {
            let waits = self.rows[parent].waiting.as_ref();
            if waits.is_some_and(|(_, child)| child.as_ref() == Some(&id)) {
                self.resumed(parent, self.now, By::Ledger);
            }
        }
    }

    fn begin_cascade(&mut self, row: usize) {
        if self.rows.iter().any(|it| it.parent == Some(row) && !it.gone()) {
            self.cascades.insert(row, self.rows.len() - 1);
        }
    }

    fn tell_caller(&mut self, row: usize) {
        self.rows[row].told += 1;
        *self.messages.entry(self.rows[row].caller.clone()).or_default() += 1;
    }
}
