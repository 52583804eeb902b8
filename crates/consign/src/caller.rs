//! The caller's side: delegate, wait, call off, hand out again.

use std::time::Duration;

use consign_delivery::Until;
use consign_ledger::command::{Cancel, Command, Dispatch, Extend, Outcome, Retry};
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::{DelegationId, Reader as _, Refusal};

use crate::asked::NewDelegation;
use crate::checked;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::record::Record;

/// How long one wait of the follower lasts, before it looks again.
pub(crate) const WAIT: Duration = Duration::from_hours(1);

impl Ledger {
    /// Delegates. The record is on the disk when this returns; the same request again finds it
    /// ([`Outcome::replayed`]).
    pub async fn delegate(&self, asked: &NewDelegation) -> Result<Outcome, Error> {
        self.act(Command::Create(Box::new(asked.command()?))).await
    }

    /// The delegation as soon as it is what is waited for: its verdict, or, with [`Until::Stuck`], the warning that it
    /// went silent.
    ///
    /// It comes, because every delegation has a deadline. To wait no longer than you like, put it under
    /// `tokio::time::timeout`; nothing is lost by dropping it.
    pub async fn wait(&self, id: impl AsRef<str>, until: Until) -> Result<Record, Error> {
        let id = named(id)?;
        loop {
            let core = self.core()?;
            let found = core.follower.wait(&id, until, WAIT).await?;
            let record = Record::of(found, &id)?;
            if until.is_met_by(record.delegation.status) {
                return Ok(record);
            }
        }
    }

    /// The whole of one delegation, as it is now.
    pub async fn show(&self, id: impl AsRef<str>) -> Result<Record, Error> {
        let id = named(id)?;
        Record::of(self.core()?.ledger.reader().find(&id).await?, &id)
    }

    /// Calls it off; its children in flight go with it. Its callee is told with its next heartbeat.
    pub async fn cancel(&self, id: impl AsRef<str>, reason: &str) -> Result<Outcome, Error> {
        let reason = Some(checked::text("reason", reason)?);
        self.act(Command::Cancel(Cancel { id: named(id)?, reason })).await
    }

    /// Hands it out again: in flight the same delegation, one attempt further; after a verdict a new one, whose
    /// `retry_of` names it. `if_attempt` is the attempt that you looked at, so that a repeat is not done twice.
    pub async fn retry(&self, id: impl AsRef<str>, if_attempt: u32) -> Result<Outcome, Error> {
        let if_attempt = Some(if_attempt);
        self.act(Command::Retry(Retry {
            id: named(id)?,
            deadline_s: None,
            callee_id: None,
            if_attempt,
        }))
        .await
    }

    /// Moves the hard end to so many seconds from now. `if_version` is the version that you looked at.
    pub async fn extend(
        &self,
        id: impl AsRef<str>,
        deadline_s: u32,
        if_version: u64,
    ) -> Result<Outcome, Error> {
        let (deadline, if_version) = (DeadlineRequest::In(deadline_s), Some(if_version));
        self.act(Command::Extend(Extend { id: named(id)?, deadline, if_version })).await
    }

    /// Says that you have handed it out yourself: nobody else may claim it.
    pub async fn dispatch(&self, id: impl AsRef<str>) -> Result<Outcome, Error> {
        self.act(Command::Dispatch(Dispatch { id: named(id)? })).await
    }
}

pub(crate) fn named(id: impl AsRef<str>) -> Result<DelegationId, Error> {
    checked::id("delegation_id", id.as_ref(), DelegationId::new)
}

impl Record {
    fn of(
        found: Option<(consign_ledger::delegation::Delegation, consign_ledger::Bodies)>,
        id: &DelegationId,
    ) -> Result<Self, Error> {
        let found = found.ok_or_else(|| Refusal::NotFound(id.to_string()))?;
        Ok(found.into())
    }
}
