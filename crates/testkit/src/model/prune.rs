//! What is over goes, once nothing names it any more.

use super::Model;
use super::row::Presence;

impl Model {
    pub(super) fn prune(&mut self) {
        self.listen();
        while let Some(row) = (0..self.rows.len()).find(|row| self.may_go(*row)) {
            self.rows[row].presence = Presence::Gone;
            self.keys.retain(|_, holder| *holder != row);
            let told = self.messages.entry(self.rows[row].caller.clone()).or_default();
            *told -= self.rows[row].told;
        }
    }

    fn may_go(&self, row: usize) -> bool {
        let it = &self.rows[row];
        let points_here = |other: &super::Row| {
            !other.gone() && (other.parent == Some(row) || other.retry_of == Some(row))
        };
        let is_named = self.rows.iter().any(points_here);
        !it.gone() && it.ended_at.is_some_and(|at| at < self.now) && !is_named
    }
}
