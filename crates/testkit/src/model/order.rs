//! Delegating, and delegating again what is over.

use consign_ledger::delegation::status::Status;

use crate::scenario::{Limit, Order, Retrial};

use super::answer::Told;
use super::row::{By, Presence, Row};
use super::{Meant, Model};

/// The default deadline: six hours.
const DEADLINE_S: u32 = 6 * 3600;
/// The farthest deadline: 366 days.
const DEADLINE_S_MAX: u32 = 366 * 24 * 3600;
/// How deep a tree may be.
const DEPTH_MAX: usize = 16;

impl Model {
    pub(super) fn delegate(&mut self, meant: &Meant<'_>, order: &Order) -> (Told, Option<usize>) {
        let (act, parent_id) = (meant.act, meant.other_id.clone());
        let max_attempts = order.attempts.unwrap_or(1);
        let task = order.task.clone().unwrap_or_else(|| act.id.clone());
        let sameness = (act.who.clone(), order.to.clone(), parent_id.clone(), task, max_attempts);
        let by_id = self.find(&meant.id).filter(|_| !order.unnamed);
        let key = order.key.as_ref().map(|key| (act.who.clone(), key.clone()));
        let by_key = key.as_ref().and_then(|key| self.keys.get(key).copied());
        if let Some(row) = by_id.or(by_key) {
            let keys_agree = by_key.is_none_or(|it| it == row) || self.rows[row].key == order.key;
            let same = self.rows[row].sameness == sameness && keys_agree;
            let conflict = if by_id.is_some() { "id-conflict" } else { "idempotency-conflict" };
            let status = self.rows[row].status;
            return if same {
                (Told::replayed(status), Some(row))
            } else {
                (Told::refused(conflict, status), None)
            };
        }
        // Nobody but the caller hands out what the caller hands out.
        if order.dispatched && max_attempts > 1 {
            return (Told::refused_at_all("invalid-request"), None);
        }
        let is_queued = |it: &&Row| it.callee == order.to && it.status == Status::Queued;
        let queued = self.rows.iter().filter(is_queued).count();
        if !order.dispatched && self.room(&order.to, |limit| limit.queued, queued) == 0 {
            return (Told::refused_at_all("queue-full"), None);
        }
        let Some(deadline) = self.deadline_in(order.deadline_s.unwrap_or(DEADLINE_S)) else {
            return (Told::refused_at_all("invalid-request"), None);
        };
        let row = Row {
            id: if order.unnamed { String::new() } else { meant.id.clone() },
            callee: order.to.clone(),
            terms: order.clone(),
            status: if order.dispatched { Status::Dispatched } else { Status::Queued },
            dispatched: order.dispatched,
            max_attempts,
            ..self.blank(act.who.clone(), sameness, deadline)
        };
        self.open(row, key.map(|key| key.1), parent_id.as_deref())
    }

    /// How much more an agent may have beside what it has.
    pub(super) fn room(&self, who: &str, max: impl Fn(&Limit) -> Option<u32>, has: usize) -> usize {
        let max = self.limits.get(who).and_then(max);
        max.map_or(usize::MAX, |max| (max as usize).saturating_sub(has))
    }

    /// The moment so many seconds from now, if it may be a deadline.
    pub(super) fn deadline_in(&self, seconds: u32) -> Option<i64> {
        let allowed = (1..=DEADLINE_S_MAX).contains(&seconds);
        allowed.then(|| self.now + i64::from(seconds) * 1000)
    }

    fn blank(&self, caller: String, sameness: super::row::Sameness, deadline: i64) -> Row {
        Row {
            id: String::new(),
            caller,
            callee: String::new(),
            terms: Order::default(),
            sameness,
            key: None,
            parent: None,
            retry_of: None,
            depth: 1,
            created: self.now,
            status: Status::Queued,
            attempt: 1,
            max_attempts: 1,
            deadline,
            epoch: 0,
            held: false,
            was_held: false,
            dispatched: false,
            claim: None,
            error: None,
            failure: None,
            stuck: None,
            waiting: None,
            wait_wish: 0,
            queued_at: self.now,
            clocks_from: None,
            heard: None,
            progress: None,
            progressed: None,
            result: None,
            late: vec![],
            history: vec![],
            last_by: By::Caller,
            last_at: self.now,
            ended_at: None,
            told: 0,
            presence: Presence::There,
            look_at: None,
        }
    }

    /// Checks what holds for every new delegation, and adds it.
    fn open(
        &mut self,
        mut row: Row,
        key: Option<String>,
        parent_id: Option<&str>,
    ) -> (Told, Option<usize>) {
        if row.caller == row.callee {
            return (Told::refused_at_all("self-delegation"), None);
        }
        if let Some(parent_id) = parent_id {
            let parent = match self.parent(&row, parent_id) {
                Ok(parent) => parent,
                Err(told) => return (told, None),
            };
            row.parent = Some(parent);
            row.depth = self.rows[parent].depth + 1;
            row.deadline = row.deadline.min(self.rows[parent].deadline);
        }
        let status = row.status;
        let (caller, number) = (row.caller.clone(), self.rows.len());
        row.key.clone_from(&key);
        self.rows.push(row);
        if let Some(key) = key {
            self.keys.insert((caller, key), number);
        }
        self.note(number, consign_ledger::delegation::change::EventKind::Created, By::Caller);
        (Told::changed(status), Some(number))
    }

    /// The parent, if this may be its child.
    fn parent(&self, child: &Row, parent_id: &str) -> Result<usize, Told> {
        let number = self.find(parent_id).ok_or(Told::refused_at_all("not-found"))?;
        let parent = &self.rows[number];
        if !parent.in_flight() {
            return Err(Told::refused("already-terminal", parent.status));
        }
        if parent.callee != child.caller {
            return Err(Told::refused("not-yours", parent.status));
        }
        if parent.depth == DEPTH_MAX {
            return Err(Told::refused_at_all("too-deep"));
        }
        if self.would_wait_for_itself(&child.callee, Some(number)) {
            return Err(Told::refused_at_all("cycle"));
        }
        Ok(number)
    }

    /// Whether this agent is the caller of an ancestor.
    fn would_wait_for_itself(&self, callee: &str, mut above: Option<usize>) -> bool {
        while let Some(row) = above {
            if self.rows[row].caller == callee {
                return true;
            }
            above = self.rows[row].parent;
        }
        false
    }

    pub(super) fn retry(&mut self, row: usize, retrial: &Retrial, by: By) -> (Told, Option<usize>) {
        if self.rows[row].in_flight() {
            (self.again(row, retrial, by), Some(row))
        } else {
            self.anew(row, retrial)
        }
    }

    /// Who is asked now, where a retry may ask them.
    fn new_callee(&self, row: usize, retrial: &Retrial) -> Result<String, Told> {
        let it = &self.rows[row];
        let Some(to) = &retrial.to else { return Ok(it.callee.clone()) };
        if *to == it.caller {
            return Err(Told::refused("self-delegation", it.status));
        }
        if self.would_wait_for_itself(to, it.parent) {
            Err(Told::refused_at_all("cycle"))
        } else {
            Ok(to.clone())
        }
    }

    /// The deadline that a retry brings, clipped, where it brings one.
    fn new_deadline(&self, row: usize, retrial: &Retrial) -> Result<Option<i64>, Told> {
        let Some(seconds) = retrial.deadline_s else { return Ok(None) };
        let refused = Told::refused("invalid-request", self.rows[row].status);
        let deadline = self.deadline_in(seconds).ok_or(refused)?;
        Ok(Some(self.clipped(row, deadline)))
    }

    /// Whether a retry at that moment would have asked for nothing but what is.
    fn asks_for_the_same(&self, row: usize, at: i64, retrial: &Retrial) -> bool {
        let it = &self.rows[row];
        let callee = retrial.to.as_ref().is_none_or(|to| *to == it.callee);
        callee && retrial.deadline_s.is_none_or(|seconds| self.is_deadline_of(row, at, seconds))
    }

    /// Whether its deadline is what so many seconds from that moment come to.
    pub(super) fn is_deadline_of(&self, row: usize, at: i64, seconds: u32) -> bool {
        let allowed = (1..=DEADLINE_S_MAX).contains(&seconds);
        allowed && self.clipped(row, at + i64::from(seconds) * 1000) == self.rows[row].deadline
    }

    /// No later than the deadline of a parent in flight.
    pub(super) fn clipped(&self, row: usize, deadline: i64) -> i64 {
        let parent = self.rows[row].parent.map(|parent| &self.rows[parent]);
        parent.filter(|it| it.in_flight()).map_or(deadline, |it| deadline.min(it.deadline))
    }

    fn again(&mut self, row: usize, retrial: &Retrial, by: By) -> Told {
        use consign_ledger::delegation::change::EventKind::Requeued;
        let it = &self.rows[row];
        let mine = it.history.last() == Some(&Requeued)
            && it.last_by == by
            && self.asks_for_the_same(row, it.last_at, retrial);
        match retrial.if_attempt {
            Some(seen) if seen == it.attempt => {}
            Some(seen) if mine && seen + 1 == it.attempt => return Told::replayed(it.status),
            Some(_) => return Told::refused("changed-meanwhile", it.status),
            None if mine => return Told::replayed(it.status),
            None => {}
        }
        match (self.new_callee(row, retrial), self.new_deadline(row, retrial)) {
            (Err(refused), _) | (_, Err(refused)) => refused,
            (Ok(callee), Ok(deadline)) => {
                let it = &mut self.rows[row];
                let deadline = deadline.unwrap_or(it.deadline);
                // What waits in the queue already is handed out anew only if that makes a difference.
                if it.status == Status::Queued && it.callee == callee && it.deadline == deadline {
                    return Told::unchanged(Status::Queued);
                }
                (it.callee, it.deadline) = (callee, deadline);
                self.requeued(row, by);
                Told::changed(Status::Queued)
            }
        }
    }

    /// What is over is not opened again: one new delegation takes its place.
    fn anew(&mut self, row: usize, retrial: &Retrial) -> (Told, Option<usize>) {
        let old = self.rows[row].clone();
        if retrial.if_attempt.is_some_and(|seen| seen != old.attempt) {
            return (Told::refused("changed-meanwhile", old.status), None);
        }
        if let Some(earlier) =
            self.rows.iter().position(|it| it.retry_of == Some(row) && !it.gone())
        {
            let it = &self.rows[earlier];
            return if self.asks_for_the_same(earlier, it.created, retrial) {
                (Told::replayed(it.status), Some(earlier))
            } else {
                (Told::refused("changed-meanwhile", it.status), None)
            };
        }
        let (callee, deadline) =
            match (self.new_callee(row, retrial), self.new_deadline(row, retrial)) {
                (Err(refused), _) | (_, Err(refused)) => return (refused, None),
                (Ok(callee), Ok(deadline)) => (callee, deadline),
            };
        let as_long = (old.deadline - old.created).clamp(0, i64::from(DEADLINE_S_MAX) * 1000);
        let as_long = self.now + as_long;
        let new = Row {
            callee,
            terms: old.terms.clone(),
            retry_of: Some(row),
            max_attempts: old.max_attempts,
            ..self.blank(old.caller.clone(), old.sameness.clone(), deadline.unwrap_or(as_long))
        };
        let is_free = |key: &String| !self.keys.contains_key(&(old.caller.clone(), key.clone()));
        let key = old.key.clone().filter(is_free);
        let parent_id = old.parent.map(|parent| self.rows[parent].id.clone());
        self.open(new, key, parent_id.as_deref())
    }
}
