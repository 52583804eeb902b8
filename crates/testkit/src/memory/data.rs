//! What is kept, and what a batch is told of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use consign_ledger::command::CLAIM_MAX;
use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::listening::{Gap, Listening};
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{Event, Late, SweepReport};
use consign_ledger::{
    Agent, AgentId, BadRow, BatchId, Bodies, Cascade, ClaimId, DelegationId, IdempotencyKey,
    LateKey, Load, Loaded, Questions, Row, Seq, Steady, Time,
};

use super::corrupt;

#[derive(Default)]
pub(super) struct Data {
    pub(super) steady: Steady,
    pub(super) batches: HashMap<BatchId, Time>,
    pub(super) rows: BTreeMap<RowNum, Kept>,
    pub(super) nums: HashMap<DelegationId, RowNum>,
    pub(super) keys: HashMap<(AgentId, IdempotencyKey), DelegationId>,
    pub(super) events: Vec<Event>,
    /// Each with the number of its event.
    pub(super) messages: Vec<(AgentId, Seq)>,
    /// The last numbers that were handed out; never again, also after pruning.
    pub(super) last_seq: Seq,
    pub(super) last_num: RowNum,
    pub(super) late: Vec<(LateKey, Late)>,
    pub(super) heard_until: Option<Time>,
    pub(super) gaps: Vec<Gap>,
    pub(super) cascades: BTreeMap<RowNum, Cascade>,
    pub(super) agents: BTreeMap<AgentId, Agent>,
    pub(super) acked: BTreeMap<AgentId, Seq>,
    pub(super) tallies: [i64; Status::ALL.len()],
    pub(super) reports: VecDeque<SweepReport>,
    pub(super) poisoned: HashSet<DelegationId>,
    pub(super) refused: HashSet<DelegationId>,
}

/// A delegation with everything beside it.
pub(super) struct Kept {
    pub(super) delegation: Delegation,
    pub(super) bodies: Bodies,
    pub(super) watch: Option<Watch>,
}

impl Kept {
    /// Its watch row, if this threshold alone would have it looked at earlier.
    pub(super) fn armed_beyond(&self, threshold_s: u32) -> Option<Watch> {
        let (watch, d) = (self.watch?, &self.delegation);
        let from = match d.status {
            _ if watch.epoch.is_some() => watch.alive_at.max(watch.clocks_from)?,
            Status::Stuck if d.terms.stuck_grace_s.is_none() && d.max_attempts > 1 => d.stuck_at?,
            _ => return None,
        };
        let at = from.plus_s(threshold_s);
        let later = watch.check_at.is_none_or(|check_at| check_at > at) && at < watch.deadline;
        (watch.threshold_s.is_none() && later).then_some(watch)
    }
}

impl Data {
    /// A new process only knows the time that was written down.
    pub(super) fn forget_time(&mut self) {
        let latest_event = self.events.last().map(|event| event.at);
        self.steady = Steady::after(self.heard_until.max(latest_event).unwrap_or_default());
    }

    pub(super) fn named(&self, id: &DelegationId) -> Option<&Kept> {
        self.nums.get(id).map(|num| &self.rows[num])
    }

    pub(super) fn watches(&self) -> impl Iterator<Item = Watch> {
        self.rows.values().filter_map(|kept| kept.watch)
    }

    pub(super) fn children_in_flight(
        &self,
        parent: &DelegationId,
        through: RowNum,
    ) -> impl Iterator<Item = &Kept> {
        let rows = self.rows.range(..=through).map(|(_, kept)| kept);
        rows.filter(move |kept| kept.delegation.parent_id.as_ref() == Some(parent))
            .filter(|kept| kept.delegation.in_flight())
    }

    pub(super) fn listening(&self, since: Time) -> Listening {
        let gaps = self.gaps.iter().filter(|gap| gap.to > since).copied();
        let mut gaps: Vec<Gap> = gaps.collect();
        gaps.sort_by_key(|gap| gap.from);
        Listening::new(self.heard_until, gaps)
    }

    pub(super) fn load(&self, questions: &Questions, now: Time) -> Loaded {
        let mut keys = questions.keys.clone();
        keys.extend(questions.retries_of.iter().filter_map(|old| self.key_of(old)));
        let keys = keys.iter().filter_map(|key| self.keys.get_key_value(key));
        let keys: Vec<_> = keys.map(|(key, id)| (key.clone(), id.clone())).collect();
        let retries: Vec<_> = questions.retries_of.iter().filter_map(|id| self.retry(id)).collect();
        let mut ids: Vec<DelegationId> = questions.ids.clone();
        ids.extend(keys.iter().map(|(_, id)| id.clone()));
        ids.extend(retries.iter().map(|(_, id)| id.clone()));
        ids.extend(questions.nums.iter().filter_map(|num| self.id_of(*num)));
        ids.extend(questions.lineages.iter().flat_map(|id| self.lineage(id)));
        let held = questions.held_under.iter();
        ids.extend(held.flat_map(|(callee, claim)| self.held_under(callee, claim)));
        ids.extend(ids.iter().filter_map(|id| self.parent(id)).collect::<Vec<_>>());
        let claims = questions.claims.iter();
        let asked = ids.clone();
        ids.extend(claims.flat_map(|(callee, wanted)| {
            let queue = self.claimable(callee, now).filter(|id| !asked.contains(id));
            queue.take(*wanted).collect::<Vec<_>>()
        }));
        ids.sort_unstable();
        ids.dedup();
        let (bad, good): (Vec<_>, Vec<_>) =
            ids.into_iter().partition(|id| self.poisoned.contains(id));
        let rows: Vec<Row> = good.iter().filter_map(|id| self.row(id)).collect();
        let late = self.late.iter().map(|(key, _)| key);
        let late = late.filter(|key| good.contains(&key.delegation_id)).cloned().collect();
        // All gaps: the brake looks farther back than any row.
        let listening = questions.listening.then(|| self.listening(Time(i64::MIN)));
        let corrupt = bad.iter().filter_map(|id| self.bad_row(id)).collect();
        let listening = listening.unwrap_or_default();
        let agents =
            questions.agents.iter().filter_map(|id| self.agents.get(id)).cloned().collect();
        let state = |id: &AgentId| (id.clone(), self.inbox_state(id));
        let inboxes = questions.inboxes.iter().map(state).collect();
        let loads = questions.loads.iter().map(|id| (id.clone(), self.load_of(id))).collect();
        let ties =
            questions.ties.iter().filter_map(|id| Some((id.clone(), self.ties(id)?))).collect();
        Loaded { now, rows, corrupt, keys, retries, late, agents, loads, inboxes, ties, listening }
    }

    /// The event with this number.
    pub(super) fn event(&self, seq: Seq) -> &Event {
        let place = self.events.binary_search_by_key(&seq, |event| event.seq);
        &self.events[place.expect("a message has its event")]
    }

    fn held_under(&self, callee: &AgentId, claim: &ClaimId) -> Vec<DelegationId> {
        let held =
            |it: &&Delegation| it.callee_id == *callee && it.in_flight() && it.is_held_under(claim);
        self.delegations().filter(held).take(CLAIM_MAX).map(named).collect()
    }

    fn claimable(&self, callee: &AgentId, now: Time) -> impl Iterator<Item = DelegationId> {
        let may = |it: &&Delegation| it.callee_id == *callee && it.claimable(now);
        let mut queue: Vec<_> = self.delegations().filter(may).collect();
        // Stable, and the rows come in the order of their numbers.
        queue.sort_by_key(|it| (Reverse(it.terms.priority), it.queued_at));
        queue.into_iter().map(named).filter(|id| !self.poisoned.contains(id))
    }

    fn load_of(&self, callee: &AgentId) -> Load {
        let count = |fits: fn(&Delegation) -> bool| {
            let mine = self.delegations().filter(|it| it.callee_id == *callee && fits(it));
            u32::try_from(mine.count()).unwrap_or(u32::MAX)
        };
        Load {
            held: count(|it| it.in_flight() && it.held),
            queued: count(|it| it.status == Status::Queued),
        }
    }

    fn delegations(&self) -> impl Iterator<Item = &Delegation> {
        self.rows.values().map(|kept| &kept.delegation)
    }

    fn id_of(&self, num: RowNum) -> Option<DelegationId> {
        self.rows.get(&num).map(|kept| kept.delegation.delegation_id.clone())
    }

    fn parent(&self, id: &DelegationId) -> Option<DelegationId> {
        self.named(id)?.delegation.parent_id.clone()
    }

    fn lineage(&self, id: &DelegationId) -> Vec<DelegationId> {
        std::iter::successors(Some(id.clone()), |id| self.parent(id)).collect()
    }

    fn key_of(&self, id: &DelegationId) -> Option<(AgentId, IdempotencyKey)> {
        let delegation = &self.named(id)?.delegation;
        Some((delegation.caller_id.clone(), delegation.idempotency_key.clone()?))
    }

    fn retry(&self, of: &DelegationId) -> Option<(DelegationId, DelegationId)> {
        let retry =
            self.delegations().find(|delegation| delegation.retry_of.as_ref() == Some(of))?;
        Some((of.clone(), retry.delegation_id.clone()))
    }

    fn row(&self, id: &DelegationId) -> Option<Row> {
        let kept = self.named(id)?;
        let (delegation, progress) = (kept.delegation.clone(), kept.bodies.progress.clone());
        Some(Row { num: self.nums[id], delegation, progress })
    }

    fn bad_row(&self, id: &DelegationId) -> Option<BadRow> {
        let num = *self.nums.get(id)?;
        Some(BadRow { num, delegation_id: Some(id.clone()), why: corrupt(id) })
    }
}

fn named(delegation: &Delegation) -> DelegationId {
    delegation.delegation_id.clone()
}
