//! A pass over the model: deadlines first, then children of what ended, then every clock that ran out.

use consign_ledger::Span;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};

use super::Model;
use super::row::By;

/// A row is not looked at again sooner than this, in milliseconds.
const LOOK_MS_MIN: i64 = 250;

/// What a look finds.
enum Finding {
    Resume(i64),
    Stuck(StuckReason, &'static str, i64),
    NotStarted(i64),
    StuckTooLong(i64),
    /// Nothing; look again then.
    Later(i64),
    /// Nothing before the deadline.
    Nothing,
}

impl Model {
    pub(super) fn pass(&mut self) {
        self.look_at_the_clock();
        self.fail_the_overdue();
        self.ears.listen(self.now);
        self.carry_on_cascades();
        self.look_for_a_lowered_threshold();
        let due: Vec<usize> = self.looked_at_by(|look_at, _| look_at);
        let due = due.into_iter().filter(|row| self.rows[*row].look_at < Some(self.now)).collect();
        self.look(due);
    }

    /// The rows in flight that want a look at all, by the given order.
    fn looked_at_by(&self, order: impl Fn(i64, usize) -> i64) -> Vec<usize> {
        let wants = |row: &usize| self.rows[*row].in_flight() && self.rows[*row].look_at.is_some();
        let mut rows: Vec<usize> = (0..self.rows.len()).filter(wants).collect();
        rows.sort_by_key(|row| order(self.rows[*row].look_at.unwrap_or_default(), *row));
        rows
    }

    fn fail_the_overdue(&mut self) {
        let overdue = |row: &usize| {
            let it = &self.rows[*row];
            it.in_flight() && self.now > it.deadline
        };
        let mut rows: Vec<usize> = (0..self.rows.len()).filter(overdue).collect();
        rows.sort_by_key(|row| self.rows[*row].deadline);
        for row in rows {
            self.fail_overdue(row);
        }
    }

    fn fail_overdue(&mut self, row: usize) {
        let detail = Some("deadline exceeded by sweeper".to_owned());
        self.ended(row, Status::Failed, Some(FailureKind::DeadlineExceeded), detail, By::Sweeper);
    }

    fn carry_on_cascades(&mut self) {
        while !self.cascades.is_empty() {
            for (parent, through) in std::mem::take(&mut self.cascades) {
                let of_parent = |row: &usize| self.rows[*row].parent == Some(parent);
                let children: Vec<usize> = (0..=through).filter(of_parent).collect();
                for child in children {
                    if self.rows[child].in_flight() {
                        let why = format!("its parent {} ended", self.rows[parent].id);
                        let kind = Some(FailureKind::ParentCancelled);
                        self.ended(child, Status::Cancelled, kind, Some(why), By::Ledger);
                    }
                }
            }
        }
    }

    /// A new process, perhaps with a lower threshold, looks at what would else be looked at too late.
    fn look_for_a_lowered_threshold(&mut self) {
        if self.looked_for_lowered_threshold {
            return;
        }
        self.looked_for_lowered_threshold = true;
        let late =
            (0..self.rows.len()).filter(|row| self.rows[*row].looked_at_too_late(self.threshold_s));
        self.look(late.collect());
    }

    /// A glance shows the living; each of the others is looked at for itself.
    fn look(&mut self, rows: Vec<usize>) {
        let found: Vec<bool> = rows.iter().map(|row| self.lives(*row)).collect();
        for (row, lives) in rows.iter().zip(&found) {
            if *lives && let Finding::Later(at) = self.examine(*row) {
                self.rows[*row].look_at = Some(at);
            }
        }
        for (row, _) in rows.into_iter().zip(found).filter(|(_, lives)| !lives) {
            self.act_on(row);
        }
    }

    fn lives(&self, row: usize) -> bool {
        let it = &self.rows[row];
        let beats = it.status == Status::InProgress && it.waiting.is_none();
        beats && self.now <= it.deadline && matches!(self.examine(row), Finding::Later(_))
    }

    fn act_on(&mut self, row: usize) {
        if !self.rows[row].in_flight() {
            return;
        }
        if self.now > self.rows[row].deadline {
            return self.fail_overdue(row);
        }
        match self.examine(row) {
            Finding::Resume(until) => self.resumed(row, until, By::Sweeper),
            Finding::Stuck(reason, what, ms) => {
                let detail = Some(format!("{what} for {}", Span(ms)));
                self.became_stuck(row, reason, detail, By::Sweeper);
            }
            Finding::NotStarted(ms) => {
                let detail = Some(format!("not started for {}", Span(ms)));
                if self.rows[row].terms.fail_unless_started {
                    let kind = Some(FailureKind::NotStarted);
                    self.ended(row, Status::Failed, kind, detail, By::Sweeper);
                } else {
                    self.became_stuck(row, StuckReason::NotStarted, detail, By::Sweeper);
                }
            }
            Finding::StuckTooLong(_) if self.rows[row].attempt < self.rows[row].max_attempts => {
                self.requeued(row, By::Sweeper);
            }
            Finding::StuckTooLong(ms) => {
                let detail = Some(format!("stuck for {}, and no attempt is left", Span(ms)));
                let kind = Some(FailureKind::AttemptsExhausted);
                self.ended(row, Status::Failed, kind, detail, By::Sweeper);
            }
            Finding::Later(at) => {
                self.rows[row].look_at = (at <= self.rows[row].deadline).then_some(at);
            }
            Finding::Nothing => self.rows[row].look_at = None,
        }
    }

    /// Looks at one row in flight that is not past its deadline.
    fn examine(&self, row: usize) -> Finding {
        let it = &self.rows[row];
        match it.status {
            Status::Stuck => {
                let since = it.stuck.expect("a stuck row knows since when").1;
                let grace = it.grace_ms(self.threshold_s);
                grace.map_or(Finding::Nothing, |ms| self.clock(since, ms, Finding::StuckTooLong))
            }
            Status::Queued | Status::Dispatched => {
                let within = it.terms.start_within_s.map(|seconds| i64::from(seconds) * 1000);
                within.map_or(Finding::Nothing, |ms| {
                    self.clock(it.queued_at, ms, Finding::NotStarted)
                })
            }
            _ => match &it.waiting {
                Some((until, _)) if self.now > *until => Finding::Resume(*until),
                Some((until, _)) => Finding::Later(*until),
                None => self.listen_for(row),
            },
        }
    }

    /// Silence first, then missing progress.
    fn listen_for(&self, row: usize) -> Finding {
        let it = &self.rows[row];
        let silent = |ms| Finding::Stuck(StuckReason::Silent, "no heartbeat", ms);
        let silence = self.clock(it.silent_since(), it.threshold_ms(self.threshold_s), silent);
        let Some((since, within)) = it.idle_since() else { return silence };
        let idle = |ms| Finding::Stuck(StuckReason::NoProgress, "no progress", ms);
        match (silence, self.clock(since, within, idle)) {
            (Finding::Later(one), Finding::Later(other)) => Finding::Later(one.min(other)),
            (Finding::Later(_), idle) => idle,
            (silence, _) => silence,
        }
    }

    /// A clock of listening time: what it means once it is past its limit.
    fn clock(&self, from: i64, limit_ms: i64, past: impl Fn(i64) -> Finding) -> Finding {
        let ran_ms = self.ears.listened_ms(from, self.now);
        if ran_ms > limit_ms {
            return past(ran_ms);
        }
        Finding::Later(self.now + (limit_ms - ran_ms).max(LOOK_MS_MIN))
    }
}
