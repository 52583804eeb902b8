//! What a batch, a beat and a re-arming change.

use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{Event, Late, SweepReport};
use consign_ledger::{
    Append, BeatRow, Bodies, Cascade, DelegationId, Heard, LateKey, LateResult, NewBodies,
    NewEvent, ProgressWrite, Rearm, RowWrite, Seq, Time, Was,
};

use super::data::{Data, Kept};

/// Reports of passes that are kept.
const REPORTS_MAX: usize = 1000;

impl Data {
    /// A delegation of this batch that the database was told to reject.
    pub(super) fn refused_in(&self, append: &Append) -> Option<DelegationId> {
        let mut ids = append.rows.iter().map(|row| &row.delegation.delegation_id);
        ids.find(|id| self.refused.contains(*id)).cloned()
    }

    pub(super) fn write(&mut self, append: Append) {
        let now = append.now;
        append.keys_freed.iter().for_each(|key| drop(self.keys.remove(key)));
        let written: Vec<_> = append.rows.into_iter().map(|row| self.write_row(row)).collect();
        for (caller, key, row) in append.keys_taken {
            let earlier = self.keys.insert((caller, key), written[row].1.clone());
            assert!(earlier.is_none(), "a key has one holder");
        }
        let before = self.last_seq;
        for event in append.events {
            let id = written[event.row].1.clone();
            self.append_event(id, &event, now);
        }
        for message in append.messages {
            let event = Seq::try_from(message.event).expect("a batch is small");
            self.messages.push((message.agent_id, before + 1 + event));
        }
        for late in append.late {
            let delegation_id = written[late.row].1.clone();
            self.keep_late(delegation_id, late, now);
        }
        self.gaps.extend(append.gaps);
        let nums: Vec<RowNum> = written.iter().map(|(num, _)| *num).collect();
        for begun in append.cascades_begun {
            self.begin_cascade(&written[begun.row], begun.through(&nums));
        }
        for cascade in append.cascades_ended {
            self.cascades.retain(|_, kept| *kept != cascade);
        }
        for agent in append.agents {
            self.agents.insert(agent.agent_id.clone(), agent);
        }
        append.agents_removed.iter().for_each(|id| drop(self.agents.remove(id)));
        for (id, through) in append.acknowledged {
            let acked = self.acked.entry(id).or_default();
            *acked = through.max(*acked);
        }
        append.pruned.iter().for_each(|pruned| self.remove(pruned));
        self.tallies.iter_mut().zip(append.tallies).for_each(|(kept, change)| *kept += change);
    }

    fn write_row(&mut self, row: RowWrite) -> (RowNum, DelegationId) {
        let id = row.delegation.delegation_id.clone();
        let num = match &row.was {
            Was::New(bodies) => self.open_row(&row, bodies),
            Was::Known(num, version) => {
                assert_eq!(self.rows[num].delegation.version, *version, "the lock held");
                *num
            }
        };
        let kept = self.rows.get_mut(&num).expect("it was loaded or just opened");
        kept.bodies.result = row.result.or(kept.bodies.result.take());
        match row.progress {
            ProgressWrite::Keep => {}
            ProgressWrite::Put(progress) => kept.bodies.progress = Some(progress),
            ProgressWrite::Forget => kept.bodies.progress = None,
        }
        kept.watch = row.watch.map(|watch| Watch { num, ..watch });
        kept.delegation = row.delegation;
        (num, id)
    }

    fn open_row(&mut self, row: &RowWrite, bodies: &NewBodies) -> RowNum {
        let (task, metadata) = match bodies {
            NewBodies::Given(bodies) => (bodies.0.clone(), bodies.1.clone()),
            NewBodies::CopyOf(num) => {
                let old = &self.rows[num].bodies;
                (old.task.clone(), old.metadata.clone())
            }
        };
        self.last_num += 1;
        let num = self.last_num;
        let bodies = Bodies { task, result: None, metadata, progress: None };
        let delegation = row.delegation.clone();
        self.nums.insert(delegation.delegation_id.clone(), num);
        self.rows.insert(num, Kept { delegation, bodies, watch: None });
        num
    }

    fn append_event(&mut self, delegation_id: DelegationId, event: &NewEvent, at: Time) {
        self.last_seq += 1;
        let delegation = &self.rows[&self.nums[&delegation_id]].delegation;
        self.events.push(Event {
            seq: self.last_seq,
            caller_id: delegation.caller_id.clone(),
            callee_id: delegation.callee_id.clone(),
            delegation_id,
            kind: event.change.kind(),
            attempt: event.attempt,
            at,
            role: event.role,
            actor_id: event.actor_id.as_ref().map(ToString::to_string),
            from: event.from,
            to: event.to,
            reason: event.change.reason().map(ToOwned::to_owned),
            data: event.change.data(event.override_reason.as_deref()),
        });
    }

    fn keep_late(&mut self, delegation_id: DelegationId, late: LateResult, at: Time) {
        let key = LateKey { delegation_id, epoch: late.epoch, content: late.content };
        let late = Late {
            attempt: late.attempt,
            at,
            role: late.role,
            actor_id: late.actor_id.as_ref().map(ToString::to_string),
            why: late.why.to_owned(),
            status: late.status,
            result: late.result,
            error_detail: late.error_detail,
        };
        self.late.push((key, late));
    }

    fn begin_cascade(
        &mut self,
        (num, delegation_id): &(RowNum, DelegationId),
        through: Option<RowNum>,
    ) {
        let through = through.unwrap_or(self.last_num);
        if self.children_in_flight(delegation_id, through).next().is_some() {
            let cascade = Cascade { num: *num, delegation_id: delegation_id.clone(), through };
            self.cascades.insert(*num, cascade);
        }
    }

    /// A beat that matches its watch row.
    pub(super) fn hear(&mut self, beat: BeatRow, now: Time) -> Option<Heard> {
        let kept = self.nums.get(&beat.delegation_id).and_then(|num| self.rows.get_mut(num))?;
        let watch = kept.watch.as_mut().filter(|watch| watch.epoch == Some(beat.epoch))?;
        watch.alive_at = watch.alive_at.max(Some(now));
        if beat.progress.is_some() && beat.progress != kept.bodies.progress {
            watch.progress_at = Some(now);
            kept.bodies.progress = beat.progress;
        }
        kept.delegation.last_heartbeat = watch.alive_at;
        kept.delegation.progress_at = watch.progress_at;
        Some(Heard { attempt: watch.attempt, deadline: watch.deadline })
    }

    /// Whether the row still was what was seen.
    pub(super) fn rearm(&mut self, rearm: &Rearm) -> bool {
        let seen = (rearm.seen.epoch, rearm.seen.check_at, rearm.seen.deadline);
        let watch = self.rows.get_mut(&rearm.seen.num).and_then(|kept| kept.watch.as_mut());
        let same = watch.filter(|watch| (watch.epoch, watch.check_at, watch.deadline) == seen);
        same.is_some_and(|watch| {
            watch.check_at = rearm.check_at;
            true
        })
    }

    pub(super) fn keep_report(&mut self, report: SweepReport) {
        self.reports.push_back(report);
        if self.reports.len() > REPORTS_MAX {
            self.reports.pop_front();
        }
    }
}
