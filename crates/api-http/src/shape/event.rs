//! A fact in the history of a delegation.

use consign_ledger::delegation::change::Role as LedgerRole;
use consign_ledger::query::Event as Fact;
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::{DelegationId, EventKind, Moment, RawJson, Role, Status, Wire};

/// One event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event<'a> {
    /// Its place in the one sequence.
    seq: i64,
    delegation_id: DelegationId,
    kind: EventKind,
    /// The attempt that it belongs to.
    attempt: u32,
    at: Moment,
    actor: Actor<'a>,
    /// Where the delegation stood.
    from: Option<Status>,
    /// Where it stands since.
    to: Status,
    /// For people.
    reason: Option<&'a str>,
    /// What else belongs to this kind.
    #[schema(value_type = Option<std::collections::BTreeMap<String, crate::wire::Metadata>>)]
    data: Option<RawJson<'a>>,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Actor<'a> {
    role: Role,
    /// Which agent, where it was one.
    id: Option<&'a str>,
}

impl<'a> Actor<'a> {
    pub(crate) fn new(role: LedgerRole, id: Option<&'a str>) -> Self {
        Self { role: Wire(role), id }
    }
}

impl<'a> From<&'a Fact> for Event<'a> {
    fn from(fact: &'a Fact) -> Self {
        Self {
            seq: fact.seq,
            delegation_id: Wire(fact.delegation_id.clone()),
            kind: Wire(fact.kind),
            attempt: fact.attempt,
            at: Wire(fact.at),
            actor: Actor::new(fact.role, fact.actor_id.as_deref()),
            from: fact.from.map(Wire),
            to: Wire(fact.to),
            reason: fact.reason.as_deref(),
            data: fact.data.as_ref().map(Into::into),
        }
    }
}
