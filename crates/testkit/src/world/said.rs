//! What an act was answered, in the few words that scenarios and the model compare.

use std::fmt;

use consign_ledger::command::{Outcome, Pulse, Taken};
use consign_ledger::delegation::status::Status;
use consign_ledger::{DelegationId, Error};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The refusal's or the failure's name, where it was not accepted.
    pub refused: Option<String>,
    /// Whether anything changed; `None` where a heartbeat does not tell.
    pub changed: Option<bool>,
    /// Whether the same request had been answered before.
    pub replayed: bool,
    /// Whether the answer was kept as a late result.
    pub kept_as_late: bool,
    /// What a claim took.
    pub taken: Option<Vec<DelegationId>>,
    /// Where the delegation stands.
    pub status: Option<Status>,
    /// Its attempt.
    pub attempt: Option<u32>,
    /// The sentence that came with it.
    pub why: Option<String>,
}

impl Said {
    /// What a command was answered.
    #[must_use]
    pub fn of(outcome: &Result<Outcome, Error>) -> Self {
        match outcome {
            Ok(outcome) => Self {
                refused: None,
                changed: Some(outcome.changed),
                replayed: outcome.replayed,
                kept_as_late: outcome.kept_as_late,
                taken: None,
                status: Some(outcome.delegation.status),
                attempt: Some(outcome.delegation.attempt),
                why: outcome.why.clone(),
            },
            Err(error) => Self::refusal(error),
        }
    }

    /// What a heartbeat was answered.
    #[must_use]
    pub fn of_beat(pulse: &Result<Pulse, Error>) -> Self {
        match pulse {
            Ok(pulse) => Self {
                refused: None,
                changed: None,
                replayed: false,
                kept_as_late: false,
                taken: None,
                status: Some(pulse.current_status),
                attempt: Some(pulse.attempt),
                why: pulse.why.clone(),
            },
            Err(error) => Self::refusal(error),
        }
    }

    /// What a claim was answered.
    #[must_use]
    pub fn of_claim(taken: &Result<Vec<Taken>, Error>) -> Self {
        let id = |taken: &Taken| taken.delegation.delegation_id.clone();
        match taken {
            Ok(taken) => Self {
                refused: None,
                changed: None,
                replayed: false,
                kept_as_late: false,
                taken: Some(taken.iter().map(id).collect()),
                status: None,
                attempt: None,
                why: None,
            },
            Err(error) => Self::refusal(error),
        }
    }

    fn refusal(error: &Error) -> Self {
        let (name, kept_as_late, state) = match error {
            Error::Refused(refused) => {
                (refused.refusal.name(), refused.kept_as_late, refused.state.as_ref())
            }
            Error::Contended => ("contended", false, None),
            Error::Unavailable => ("unavailable", false, None),
            Error::Internal => ("internal", false, None),
        };
        Self {
            refused: Some(name.to_owned()),
            changed: None,
            replayed: false,
            kept_as_late,
            taken: None,
            status: state.map(|state| state.status),
            attempt: state.map(|state| state.attempt),
            why: Some(error.to_string()),
        }
    }

    /// Whether these words describe it.
    pub(super) fn matches(&self, words: &str) -> bool {
        let accepted = self.refused.is_none();
        match words {
            "changed" => self.changed == Some(true),
            "unchanged" => accepted && self.changed == Some(false) && !self.replayed,
            "replayed" => accepted && self.replayed,
            "kept as late" => accepted && self.kept_as_late,
            _ => {
                let told = words.strip_prefix("told ");
                let told = told.is_some_and(|told| self.status == Status::parse(told));
                self.to_string() == words || accepted && told
            }
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(taken) = &self.taken {
            return takes(f, taken.iter().map(DelegationId::as_str));
        }
        let kept = if self.kept_as_late { " and kept" } else { "" };
        match (&self.refused, self.changed, self.status) {
            (Some(name), ..) => write!(f, "refused {name}{kept}"),
            (None, Some(true), _) => f.write_str("changed"),
            (None, Some(false), _) if self.replayed => f.write_str("replayed"),
            (None, Some(false), _) if self.kept_as_late => f.write_str("kept as late"),
            (None, Some(false), _) => f.write_str("unchanged"),
            (None, None, Some(status)) => write!(f, "told {status}"),
            (None, None, None) => f.write_str("told nothing"),
        }
    }
}

/// `takes D1 D2`, `takes nothing`
pub(crate) fn takes<'a>(
    f: &mut impl fmt::Write,
    ids: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let mut ids = ids.peekable();
    f.write_str(if ids.peek().is_some() { "takes" } else { "takes nothing" })?;
    ids.try_for_each(|id| write!(f, " {id}"))
}
