//! What an audit of a store says.

/// What an audit saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many delegations were looked at.
    pub delegations: u64,
    /// How many events.
    pub events: u64,
    /// How many different things were asked.
    pub checks: usize,
    /// What is wrong; of each kind at most a hundred.
    pub findings: Vec<Finding>,
}

/// Something that cannot be, and is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it.
    pub check: &'static str,
    /// Where: a delegation's id, or a place in the ledger.
    pub place: String,
    /// What is wrong.
    pub told: String,
}
