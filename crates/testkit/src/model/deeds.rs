//! What somebody does to a delegation, verb by verb.

use std::cmp::Reverse;

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};
use consign_ledger::delegation::waiting::WaitFor;

use crate::scenario::{Answer, Beat, Claiming, Extension, Retrial, Setting, Verb, Wait};

use super::answer::Told;
use super::row::{By, Row, Waiting};
use super::{Meant, Model, Shown};

/// How long a wait lasts that is not for people, in milliseconds.
const WAIT_MS: i64 = 3_600_000;
/// Late results that are kept.
const LATE_MAX: usize = 10;

/// Why somebody may not act in the callee's place.
enum Unproven {
    /// They forgot to show the lease that was issued.
    Forgotten,
    /// They had none, and the work was handed out again.
    Over,
    /// They show one that does not hold.
    Void,
}

impl Unproven {
    fn name(&self) -> &'static str {
        match self {
            Self::Forgotten | Self::Over => "lease-required",
            Self::Void => "lease-void",
        }
    }
}

impl Model {
    /// Does one thing; the answer, and the row that it tells of.
    pub(super) fn deed(&mut self, meant: &Meant<'_>) -> (Told, Option<usize>) {
        if let Verb::Delegate(order) = &meant.act.verb {
            return self.delegate(meant, order);
        }
        if let Verb::Claim(claiming) = &meant.act.verb {
            return (self.claim(&meant.act.who, claiming), None);
        }
        let Some(row) = self.find(&meant.id) else {
            return (Told::refused_at_all("not-found"), None);
        };
        let told = match &meant.act.verb {
            Verb::Delegate(_) | Verb::Claim(_) => unreachable!("it was answered above"),
            Verb::Retry(retrial) => return self.retry(row, retrial, By::Caller),
            Verb::Dispatch => self.dispatch(row, By::Caller),
            Verb::Accept(claim) => self.accept(row, claim.as_ref()),
            Verb::Beat(beat) => self.beat(row, meant, beat),
            Verb::Complete(answer) => self.answer(row, Status::Completed, meant.shown, answer),
            Verb::Fail(answer) => self.answer(row, Status::Failed, meant.shown, answer),
            Verb::Release(_) => self.release(row, meant.shown),
            Verb::Cancel(why) => self.cancel(row, why.clone(), By::Caller),
            Verb::Extend(extension) => self.extend(row, extension),
            Verb::Set(setting) => self.set(row, meant.shown, setting),
        };
        (told, Some(row))
    }

    fn over(&self, row: usize) -> Option<Told> {
        let it = &self.rows[row];
        (!it.in_flight()).then(|| Told::refused("already-terminal", it.status))
    }

    /// Who acts in the callee's place, if they may.
    fn who_acts(&self, row: usize, shown: Shown, why: Option<&String>) -> Result<By, Unproven> {
        let it = &self.rows[row];
        let handed_back = [EventKind::Requeued, EventKind::Released];
        match shown {
            _ if why.is_some() => Ok(By::Operator),
            Shown::Nothing if it.history.iter().any(|kind| handed_back.contains(kind)) => {
                Err(Unproven::Over)
            }
            Shown::Nothing if it.was_held => Err(Unproven::Forgotten),
            Shown::Nothing => Ok(By::Callee),
            Shown::Epoch(epoch) if epoch == it.epoch && it.held => Ok(By::Callee),
            Shown::Epoch(_) | Shown::Outlived | Shown::Forgery => Err(Unproven::Void),
        }
    }

    fn dispatch(&mut self, row: usize, by: By) -> Told {
        let status = self.rows[row].status;
        match status {
            Status::Queued => {
                self.rows[row].status = Status::Dispatched;
                self.rows[row].dispatched = true;
                self.note(row, EventKind::Dispatched, by);
                Told::changed(Status::Dispatched)
            }
            Status::Dispatched => Told::unchanged(status),
            Status::InProgress | Status::Stuck => Told::refused("invalid-transition", status),
            _ => Told::refused("already-terminal", status),
        }
    }

    fn accept(&mut self, row: usize, claim: Option<&String>) -> Told {
        if let Some(over) = self.over(row) {
            return over;
        }
        let it = &self.rows[row];
        if it.held {
            let mine = claim.is_some() && it.claim.as_ref() == claim;
            return if mine {
                Told::replayed(it.status).with_lease(it.epoch)
            } else {
                Told::refused("lease-held", it.status)
            };
        }
        self.taken(row, EventKind::Accepted, claim.cloned());
        Told::changed(Status::InProgress).with_lease(self.rows[row].epoch)
    }

    /// What the callee holds under that name, or else what waits in its queue.
    fn claim(&mut self, who: &str, Claiming { max, name }: &Claiming) -> Told {
        let now = self.now;
        let is_held = |it: &Row| it.in_flight() && it.held && name.is_some() && it.claim == *name;
        let waits = |it: &Row| {
            let is_there = matches!(it.status, Status::Queued | Status::Stuck);
            is_there && !it.held && !it.dispatched && now <= it.deadline
        };
        let mut rows = self.in_turn(who, is_held);
        if rows.is_empty() {
            rows = self.in_turn(who, waits);
            let held = self.rows.iter().filter(|it| it.callee == who && it.in_flight() && it.held);
            rows.truncate((*max).min(self.room(who, |limit| limit.in_flight, held.count())));
            for row in &rows {
                self.taken(*row, EventKind::Claimed, name.clone());
            }
        }
        Told::took(rows.into_iter().map(|row| (row, self.rows[row].epoch)).collect())
    }

    fn in_turn(&self, callee: &str, fits: impl Fn(&Row) -> bool) -> Vec<usize> {
        let mine = |row: &usize| self.rows[*row].callee == callee && fits(&self.rows[*row]);
        let mut rows: Vec<usize> = (0..self.rows.len()).filter(mine).collect();
        rows.sort_by_key(|row| {
            (Reverse(self.rows[*row].terms.priority), self.rows[*row].queued_at)
        });
        rows
    }

    fn release(&mut self, row: usize, shown: Shown) -> Told {
        if let Some(over) = self.over(row) {
            return over;
        }
        let it = &self.rows[row];
        let just_released = it.history.last() == Some(&EventKind::Released)
            && matches!(shown, Shown::Epoch(epoch) if epoch + 1 == it.epoch);
        if just_released {
            return Told::replayed(it.status);
        }
        if !matches!(shown, Shown::Epoch(epoch) if epoch == it.epoch && it.held) {
            return Told::refused("lease-void", it.status);
        }
        self.released(row);
        Told::changed(Status::Queued)
    }

    fn cancel(&mut self, row: usize, why: Option<String>, by: By) -> Told {
        if self.rows[row].status == Status::Cancelled {
            return Told::replayed(Status::Cancelled);
        }
        if let Some(over) = self.over(row) {
            return over;
        }
        self.ended(row, Status::Cancelled, None, why, by);
        Told::changed(Status::Cancelled)
    }

    fn extend(&mut self, row: usize, extension: &Extension) -> Told {
        if let Some(over) = self.over(row) {
            return over;
        }
        let it = &self.rows[row];
        let version = it.history.len() as u64;
        if let Some(seen) = extension.if_version
            && seen != version
        {
            let mine = seen + 1 == version
                && it.history.last() == Some(&EventKind::Extended)
                && it.last_by == By::Caller
                && self.is_deadline_of(row, it.last_at, extension.deadline_s);
            return if mine {
                Told::replayed(it.status)
            } else {
                Told::refused("changed-meanwhile", it.status)
            };
        }
        let Some(deadline) = self.deadline_in(extension.deadline_s) else {
            return Told::refused("invalid-request", it.status);
        };
        let (status, deadline) = (it.status, self.clipped(row, deadline));
        if deadline == it.deadline {
            return Told::unchanged(status);
        }
        let it = &mut self.rows[row];
        it.deadline = deadline;
        // A wait to the deadline goes where the deadline goes.
        let wish = it.wait_wish;
        it.waiting.iter_mut().for_each(|wait| wait.0 = wish.min(deadline));
        self.note(row, EventKind::Extended, By::Caller);
        Told::changed(status)
    }

    fn beat(&mut self, row: usize, meant: &Meant<'_>, beat: &Beat) -> Told {
        if let Some(over) = self.over(row) {
            return over;
        }
        let status = self.rows[row].status;
        let by = match self.who_acts(row, meant.shown, beat.override_reason.as_ref()) {
            Ok(by) => by,
            Err(unproven) => return Told::refused(unproven.name(), status),
        };
        let wait = match self.wait(row, meant, beat) {
            Ok(wait) => wait,
            Err(refused) => return refused,
        };
        let events_before = self.rows[row].history.len();
        let advanced = self.hear(row, beat);
        match (self.rows[row].status, self.rows[row].stuck) {
            (Status::Queued | Status::Dispatched, _) => self.started(row, by),
            (Status::Stuck, Some((StuckReason::NoProgress, _))) if !advanced => {
                self.plan_a_look(row);
                return Told::unchanged(Status::Stuck);
            }
            (Status::Stuck, _) => self.recovered(row, by),
            _ => self.plan_a_look(row),
        }
        match wait {
            Some(None) if self.rows[row].waiting.is_some() => self.resumed(row, self.now, by),
            Some(Some((wish, child))) => {
                let it = &mut self.rows[row];
                it.wait_wish = wish;
                it.waiting = Some((wish.min(it.deadline), child));
                self.note(row, EventKind::Waiting, by);
            }
            _ => {}
        }
        if self.rows[row].history.len() > events_before {
            Told::changed(Status::InProgress)
        } else {
            Told::unchanged(Status::InProgress)
        }
    }

    /// A sign of life. Whether it is progress.
    fn hear(&mut self, row: usize, beat: &Beat) -> bool {
        if let Some((until, _)) = self.rows[row].waiting
            && self.now > until
        {
            self.resumed(row, until, By::Ledger);
        }
        let now = self.now;
        let it = &mut self.rows[row];
        it.heard = Some(now);
        let advanced = beat.progress.is_some() && beat.progress != it.progress;
        if advanced {
            it.progress.clone_from(&beat.progress);
            it.progressed = Some(now);
        }
        advanced
    }

    /// What a beat makes of waiting: nothing, an end, or a wait to the moment that is wished for.
    #[expect(clippy::option_option, reason = "three cases, used once")]
    fn wait(
        &self,
        row: usize,
        meant: &Meant<'_>,
        beat: &Beat,
    ) -> Result<Option<Option<Waiting>>, Told> {
        let it = &self.rows[row];
        let (what, for_s) = match &beat.waiting {
            None => return Ok(None),
            Some(Wait::Over) => return Ok(Some(None)),
            Some(Wait::For { what, for_s, .. }) => (*what, *for_s),
        };
        if let Some(child_id) = &meant.other_id {
            let child = self.find(child_id).ok_or(Told::refused_at_all("not-found"))?;
            if self.rows[child].parent != Some(row) {
                return Err(Told::refused("not-yours", it.status));
            }
            if !self.rows[child].in_flight() {
                return Ok(Some(None));
            }
        }
        let until = match (for_s, what) {
            (Some(seconds), _) => self.now + i64::from(seconds) * 1000,
            (None, WaitFor::Human | WaitFor::Auth) => i64::MAX,
            (None, _) => self.now + WAIT_MS,
        };
        Ok(Some(Some((until, meant.other_id.clone()))))
    }

    fn answer(&mut self, row: usize, status: Status, shown: Shown, answer: &Answer) -> Told {
        let stands = self.rows[row].status;
        let may = self.who_acts(row, shown, answer.override_reason.as_ref());
        let text = answer.with.clone();
        match (self.rows[row].in_flight(), may) {
            (true, Ok(by)) => {
                let completed = status == Status::Completed;
                self.rows[row].result = text.clone().filter(|_| completed);
                let detail = text.filter(|_| !completed);
                let failure = (!completed).then_some(FailureKind::Reported);
                self.ended(row, status, failure, detail, by);
                Told::changed(status)
            }
            (true, Err(unproven @ Unproven::Forgotten)) => Told::refused(unproven.name(), stands),
            (true, Err(unproven)) => self.too_late(row, unproven.name(), status, shown, text),
            (false, Ok(by)) if stands == status => self.once_more(row, status, shown, text, by),
            (false, Err(Unproven::Forgotten)) => Told::refused("already-terminal", stands),
            (false, _) => self.too_late(row, "already-terminal", status, shown, text),
        }
    }

    /// The verdict has this status already.
    fn once_more(
        &mut self,
        row: usize,
        status: Status,
        shown: Shown,
        text: Option<String>,
        by: By,
    ) -> Told {
        let it = &mut self.rows[row];
        let known = if status == Status::Completed { &mut it.result } else { &mut it.error };
        match (&text, &known) {
            (None, _) => Told::replayed(status),
            (Some(text), Some(known)) if text == known => Told::replayed(status),
            (Some(_), None) => {
                *known = text;
                self.note(row, EventKind::LateResult, by);
                Told::changed(status)
            }
            (Some(_), Some(_)) => {
                if self.keep_late(row, status, shown, text) {
                    Told::kept_as_late(status)
                } else {
                    Told::refused("late-results-full", status)
                }
            }
        }
    }

    /// Refused, and kept beside the delegation if its lease was ever one of ours.
    fn too_late(
        &mut self,
        row: usize,
        refusal: &'static str,
        status: Status,
        shown: Shown,
        text: Option<String>,
    ) -> Told {
        let stands = self.rows[row].status;
        if matches!(shown, Shown::Outlived | Shown::Forgery) {
            return Told::refused(refusal, stands);
        }
        if self.keep_late(row, status, shown, text) {
            Told::refused_and_kept(refusal, stands)
        } else {
            Told::refused("late-results-full", stands)
        }
    }

    /// Whether it is kept: one per epoch and content, and not more than ten.
    fn keep_late(
        &mut self,
        row: usize,
        status: Status,
        shown: Shown,
        text: Option<String>,
    ) -> bool {
        let epoch = if let Shown::Epoch(epoch) = shown { epoch } else { 0 };
        let late = (epoch, status, text);
        if self.rows[row].late.contains(&late) {
            return true;
        }
        if self.rows[row].late.len() == LATE_MAX {
            return false;
        }
        self.rows[row].late.push(late);
        self.note(row, EventKind::LateResult, By::Callee);
        true
    }

    /// Setting a status is the verb that leads to it, done by whose verb that is.
    fn set(&mut self, row: usize, shown: Shown, setting: &Setting) -> Told {
        let Setting { status, with, override_reason, .. } = setting.clone();
        let by = if override_reason.is_some() { By::Operator } else { By::Caller };
        let may = self.who_acts(row, shown, override_reason.as_ref());
        let stands = self.rows[row].status;
        let answer = Answer { with: with.clone(), override_reason, ..Answer::default() };
        match status {
            Status::Queued => match self.over(row) {
                Some(over) => over,
                None => self.retry(row, &Retrial::default(), by).0,
            },
            Status::Dispatched => self.dispatch(row, by),
            Status::InProgress => {
                let override_reason = answer.override_reason;
                let beat = Beat { override_reason, ..Beat::default() };
                let act = crate::scenario::Act {
                    who: String::new(),
                    id: String::new(),
                    verb: Verb::Beat(beat.clone()),
                };
                let id = String::new();
                let meant = Meant { act: &act, id, shown, other_id: None };
                self.beat(row, &meant, &beat)
            }
            Status::Stuck => match (self.over(row), may) {
                (Some(over), _) => over,
                (None, _) if stands == Status::Stuck => Told::unchanged(stands),
                (None, Err(unproven)) => Told::refused(unproven.name(), stands),
                (None, Ok(by)) => {
                    self.became_stuck(row, StuckReason::Reported, with, by);
                    Told::changed(Status::Stuck)
                }
            },
            Status::Completed | Status::Failed => self.answer(row, status, shown, &answer),
            Status::Cancelled => self.cancel(row, with, by),
        }
    }
}
