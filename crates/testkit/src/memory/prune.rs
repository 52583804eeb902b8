//! What may go, and what goes with it.

use consign_ledger::delegation::retention::Ties;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Prunable, PrunePage, PruneQuery};
use consign_ledger::{DelegationId, Pruned, Time};

use super::data::Data;

impl Data {
    pub(super) fn prunable(&self, query: &PruneQuery) -> PrunePage {
        let rows = self.rows.iter();
        let ended = rows.filter_map(|(num, kept)| Some((kept.delegation.finished_at?, *num)));
        let mut places: Vec<_> = ended.filter(|place| Some(*place) > query.after).collect();
        places.sort_unstable();
        places.truncate(query.limit);
        let next = places.last().copied().filter(|_| places.len() == query.limit);
        let found = |(finished_at, num): &(Time, RowNum)| {
            let delegation = &self.rows[num].delegation;
            let ties = self.ties(&delegation.delegation_id)?;
            let prunable = Prunable {
                delegation_id: delegation.delegation_id.clone(),
                version: delegation.version,
                status: delegation.status,
                finished_at: *finished_at,
                acknowledged: ties.acknowledged,
            };
            query.lets_go(&prunable, ties).then_some(prunable)
        };
        let prunable = places.iter().filter_map(found).collect();
        PrunePage { prunable, next }
    }

    pub(super) fn ties(&self, id: &DelegationId) -> Option<Ties> {
        let delegation = &self.named(id)?.delegation;
        let acked_through = self.inbox_state(&delegation.caller_id).acked_through;
        let verdict = self.events.iter().find(|event| {
            event.delegation_id == *id && event.kind.to_string() == delegation.status.to_string()
        })?;
        let mut others = self.rows.values().map(|kept| &kept.delegation);
        let named =
            others.any(|it| it.parent_id.as_ref() == Some(id) || it.retry_of.as_ref() == Some(id));
        Some(Ties { acknowledged: verdict.seq <= acked_through, named })
    }

    pub(super) fn remove(&mut self, pruned: &Pruned) {
        let id = &pruned.delegation_id;
        let kept = self.rows.remove(&pruned.num).expect("it was loaded");
        assert_eq!(kept.delegation.version, pruned.version, "the lock held");
        self.nums.remove(id);
        self.keys.retain(|_, holder| holder != id);
        let gone: Vec<_> =
            self.events.iter().filter(|it| it.delegation_id == *id).map(|it| it.seq).collect();
        self.messages.retain(|(_, seq)| !gone.contains(seq));
        self.events.retain(|event| event.delegation_id != *id);
        self.late.retain(|(key, _)| key.delegation_id != *id);
    }
}
