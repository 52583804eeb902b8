//! The wire form of a problem, and what it tells of its delegation.

use consign_ledger as ledger;
use consign_ledger::Refusal;
use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::refusal::StateNow;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Matter, Problem};
use crate::wire::{DelegationId, Moment, Status, Wire};

/// What all names of problems begin with.
const TYPE_PREFIX: &str = "urn:consign:problem:";

/// What a problem about a delegation tells of it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Told {
    /// Which; `null` where there is none.
    pub(crate) delegation_id: Option<DelegationId>,
    /// Where it stands.
    pub(crate) current_status: Option<Status>,
    /// The present attempt.
    pub(crate) attempt: Option<u32>,
    /// The hard end.
    pub(crate) deadline: Option<Moment>,
    /// `true` tells the callee to end the work.
    pub(crate) stop: bool,
    /// Why.
    pub(crate) why: String,
}

/// Why a request was refused, as RFC 9457 has it. What does not apply is left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// Stable: ends in the problem's name.
    #[schema(value_type = String, examples("urn:consign:problem:lease-void"))]
    r#type: Type,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here, and what to do next.
    detail: &'a str,
    /// Which field or parameter is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// What is true of the delegation, in every problem that is about one.
    #[serde(flatten)]
    #[schema(ignore)]
    told: Option<&'a Told>,
    /// The refused answer was stored beside the delegation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    kept_as_late: bool,
}

#[derive(Debug)]
struct Type(&'static str);

impl Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{TYPE_PREFIX}{}", self.0))
    }
}

impl Problem {
    /// What a client gets to read.
    pub(crate) fn document(&self) -> Document<'_> {
        let Matter { kind, detail, field, told, kept_as_late } = &*self.0;
        Document {
            r#type: Type(kind.name()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail,
            field: field.as_deref(),
            told: told.as_ref(),
            kept_as_late: *kept_as_late,
        }
    }
}

impl Told {
    pub(super) fn of(state: StateNow, refusal: &Refusal) -> Self {
        Self {
            delegation_id: Some(Wire(state.delegation_id)),
            current_status: Some(Wire(state.status)),
            attempt: Some(state.attempt),
            deadline: Some(Wire(state.deadline)),
            stop: refusal.says_stop(),
            why: refusal.to_string(),
        }
    }

    pub(super) fn unknown(id: &str, refusal: &Refusal) -> Self {
        let delegation_id = ledger::DelegationId::new(id).ok().map(Wire);
        Self { delegation_id, why: refusal.to_string(), ..Self::default() }
    }

    /// What is true of a delegation whose row was not looked at for the refusal itself.
    ///
    /// Its callee is told to stop only by a verdict: a lease that was not read may hold.
    pub(super) fn beside(
        detail: &str,
        id: &ledger::DelegationId,
        row: Option<&Delegation>,
    ) -> Self {
        let verdict = row.map(|row| row.status).filter(|status| !status.in_flight());
        Self {
            delegation_id: Some(Wire(id.clone())),
            current_status: row.map(|row| Wire(row.status)),
            attempt: row.map(|row| row.attempt),
            deadline: row.map(|row| Wire(row.deadline)),
            stop: verdict.is_some(),
            why: verdict.map_or_else(
                || detail.to_owned(),
                |status| Refusal::AlreadyTerminal(status).to_string(),
            ),
        }
    }
}
