//! The end of a batch: the book becomes what is written down.

use std::collections::HashMap;

use crate::delegation::watch::Watch;
use crate::id::DelegationId;
use crate::store::{Append, RowWrite, Was};

use super::{Book, Key, Leaf, Rearmed};

impl Book {
    /// Everything that the batch decided, as one transaction's worth of writes.
    pub(crate) fn close(self) -> Append {
        let Self { leaves, keys, mut append, threshold_s, .. } = self;
        let mut places = vec![0; leaves.len()];
        for (slot, leaf) in leaves.into_iter().enumerate().filter(|(_, leaf)| leaf.touched) {
            let place = append.rows.len();
            places[slot] = place;
            append
                .keys_taken
                .extend(leaf.taken_key(&keys).map(|(caller, key)| (caller, key, place)));
            leaf.count(&mut append);
            append.rows.push(leaf.written(threshold_s));
        }
        append.events.iter_mut().for_each(|event| event.row = places[event.row]);
        append.late.iter_mut().for_each(|late| late.row = places[late.row]);
        for begun in &mut append.cascades_begun {
            begun.row = places[begun.row];
            begun.before = begun.before.and_then(|slot| places.get(slot)).copied();
        }
        append
    }
}

impl Leaf {
    /// The key that a new delegation took and still has at the end of its batch.
    fn taken_key(&self, keys: &HashMap<Key, DelegationId>) -> Option<Key> {
        let delegation = &self.delegation;
        let key = (delegation.caller_id.clone(), delegation.idempotency_key.clone()?);
        let holds = keys.get(&key) == Some(&delegation.delegation_id);
        (matches!(self.was, Was::New(_)) && holds).then_some(key)
    }

    /// The net effect on the counts.
    fn count(&self, append: &mut Append) {
        let is = (&self.delegation.callee_id, self.delegation.status);
        let was = self.before.as_ref().map(|(callee_id, status)| (callee_id, *status));
        if was != Some(is) {
            append.count(is, 1);
            if let Some(was) = was {
                append.count(was, -1);
            }
        }
    }

    fn written(self, threshold_s: u32) -> RowWrite {
        let num = match self.was {
            Was::New(_) => 0,
            Was::Known(num, _) => num,
        };
        let in_flight = self.delegation.in_flight();
        let by_the_rules = Watch::of(num, &self.delegation, threshold_s);
        let check_at = match self.rearmed {
            Rearmed::ByTheRules => by_the_rules.check_at,
            Rearmed::At(at) => at,
        };
        let watch = Watch { check_at, ..by_the_rules };
        RowWrite {
            watch: in_flight.then_some(watch),
            delegation: self.delegation,
            was: self.was,
            result: self.result,
            progress: self.progress_write,
        }
    }
}
