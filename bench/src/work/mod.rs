//! Work and news over HTTP, the same on both stores: what waits, what is claimed, what is delegated and completed.

mod claims;
mod pairs;
mod waits;

use crate::Outcome;
use crate::args::{Part, Plan};
use crate::child::Server;
use crate::fleet::PATIENT_S;
use crate::line::Line;

/// What is measured here, each part on a ledger of its own.
pub(crate) const PARTS: [Part; 3] = [Part::Waits, Part::Claims, Part::Pairs];

/// A ledger in which nothing is yet.
pub(crate) struct Ledger {
    pub(crate) url: String,
    pub(crate) store: &'static str,
    /// With how many servers each is measured.
    pub(crate) servers: &'static [usize],
}

pub(crate) fn measure(plan: &Plan, part: Part, ledger: &Ledger) -> Outcome<Vec<Line>> {
    match part {
        Part::Waits => waits::measure(plan, ledger),
        Part::Claims => claims::measure(plan, ledger),
        Part::Pairs => pairs::measure(plan, ledger),
        _ => Ok(vec![]),
    }
}

impl Ledger {
    fn start(&self, servers: usize) -> Outcome<Vec<Server>> {
        (0..servers).map(|_| Server::consign_at(&self.url, PATIENT_S)).collect()
    }

    /// What was measured, and where.
    fn name(&self, what: &str, servers: usize) -> String {
        format!("{}: {what}, servers: {servers}", self.store)
    }
}
