//! The callee's side: take work, beat while it lasts, answer.

use std::future::Future;
use std::time::Duration;

use consign_delivery::Topic;
use consign_ledger::command::{
    Accept, Claim, Command, Complete, Fail, Heartbeat, Outcome, Pulse, Release, Taken, WaitChange,
};
use consign_ledger::delegation::waiting::{WaitFor, WaitRequest};
use consign_ledger::{ClaimId, DelegationId, Json, PROGRESS_BYTES_MAX, Payload, Refusal};
use tokio::time::{MissedTickBehavior, interval};

use crate::agents::agent;
use crate::caller::{WAIT, named};
use crate::checked;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::record::Record;

impl Ledger {
    /// The next piece of work for this agent, as soon as there is one: the highest priority first, then what has waited
    /// longest. The first sign of life: it is in progress from here on, and nobody else is given it.
    ///
    /// `claim_id` is your name for this act, such as the worker's own: the same one again gives what is still held under
    /// it, so an answer that was lost, or a worker that was restarted, costs nothing. Two workers must not share one.
    pub async fn claim(
        &self,
        agent_id: impl AsRef<str>,
        claim_id: impl AsRef<str>,
    ) -> Result<Work, Error> {
        let claim = claimed(agent_id, claim_id)?;
        loop {
            let core = self.core()?;
            let topic = Topic::Work(claim.callee_id.clone());
            let look = || async { Ok::<_, Error>(core.ledger.claim(claim.clone()).await?) };
            let taken =
                core.follower.wait_for(topic, WAIT, look, |taken| !taken.is_empty()).await?;
            if let Some(taken) = taken.into_iter().next() {
                return Ok(self.taken(taken));
            }
        }
    }

    /// The next piece of work for this agent, if there is one now.
    pub async fn try_claim(
        &self,
        agent_id: impl AsRef<str>,
        claim_id: impl AsRef<str>,
    ) -> Result<Option<Work>, Error> {
        let taken = self.core()?.ledger.claim(claimed(agent_id, claim_id)?).await?;
        Ok(taken.into_iter().next().map(|taken| self.taken(taken)))
    }

    fn taken(&self, Taken { delegation, lease }: Taken) -> Work {
        Work { ledger: self.clone(), id: delegation.delegation_id, lease: Some(lease) }
    }

    /// Takes a delegation by its id, for a lease, under a `claim_id` as [`Ledger::claim`] does.
    pub async fn accept(
        &self,
        id: impl AsRef<str>,
        claim_id: impl AsRef<str>,
    ) -> Result<Work, Error> {
        let claim_id = checked::id("claim_id", claim_id.as_ref(), ClaimId::new)?;
        let accept = Accept { id: named(id)?, claim_id: Some(claim_id) };
        let outcome = self.act(Command::Accept(accept)).await?;
        Ok(Work {
            ledger: self.clone(),
            id: outcome.delegation.delegation_id,
            lease: outcome.lease,
        })
    }

    /// The callee's side of a delegation that needs no lease, because nobody accepted it: of one that its caller hands
    /// out itself.
    pub fn work(&self, id: impl AsRef<str>) -> Result<Work, Error> {
        Ok(Work { ledger: self.clone(), id: named(id)?, lease: None })
    }
}

fn claimed(agent_id: impl AsRef<str>, claim_id: impl AsRef<str>) -> Result<Claim, Error> {
    let callee_id = agent(agent_id)?;
    let claim_id = Some(checked::id("claim_id", claim_id.as_ref(), ClaimId::new)?);
    Ok(Claim { callee_id, max: 1, claim_id })
}

/// Work that somebody is at. Dropping it says nothing to anybody: what is silent from then on becomes stuck.
#[derive(Clone)]
pub struct Work {
    ledger: Ledger,
    id: DelegationId,
    lease: Option<String>,
}

impl Work {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &DelegationId {
        &self.id
    }

    /// The whole of it: what is asked, and by when.
    pub async fn show(&self) -> Result<Record, Error> {
        self.ledger.show(&self.id).await
    }

    /// Does the work, and beats meanwhile. Where a heartbeat is told to stop, the work is dropped at once and the error
    /// says why ([`Error::stop`]): its attempt is over, or the verdict is in.
    ///
    /// It ends at its next `.await`: work that blocks its thread cannot be ended, nor beat. Let `every` be a third of the
    /// threshold, or less.
    pub async fn beating<T>(
        &self,
        every: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            done = work => Ok(done),
            told = self.beat_until_told(every) => Err(told),
        }
    }

    /// Beats until there is no use in it any more; why.
    async fn beat_until_told(&self, every: Duration) -> Error {
        let mut ticks = interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.beat().await {
                Ok(_) => {}
                // The next one may be heard; what could not be heard is not counted as silence.
                Err(error) if error.is_passing() => {
                    tracing::warn!(id = %self.id, %error, "a heartbeat was not heard");
                }
                Err(told) => return told,
            }
        }
    }

    /// Says that the callee is alive. [`Error::stop`] tells it to end the work.
    pub async fn beat(&self) -> Result<Pulse, Error> {
        self.say(None, None).await
    }

    /// Says that the callee is alive, and what advanced: any JSON, of at most 4096 bytes. It counts as progress where
    /// it differs from the last.
    pub async fn progress(&self, progress: impl Into<Json>) -> Result<Pulse, Error> {
        let progress = progress.into();
        checked::json("progress", &progress, PROGRESS_BYTES_MAX)?;
        self.say(Some(progress), None).await
    }

    /// Says that the callee is blocked on something that is not its own work: until then silence and progress are not
    /// counted.
    pub async fn waiting(&self, wait: WaitRequest) -> Result<Pulse, Error> {
        check(&wait)?;
        self.say(None, Some(WaitChange::For(wait))).await
    }

    /// Says that the wait is over.
    pub async fn resumed(&self) -> Result<Pulse, Error> {
        self.say(None, Some(WaitChange::End)).await
    }

    /// Gives the answer: text, or JSON. The first one is the verdict. The same again does no harm; one that comes too
    /// late is kept beside the verdict.
    pub async fn complete(&self, result: impl Into<Payload>) -> Result<Outcome, Error> {
        let result = result.into();
        checked::payload("result", &result)?;
        let (id, lease) = (self.id.clone(), self.lease.clone());
        let complete = Complete { id, result: Some(result), lease, override_reason: None };
        self.ledger.act(Command::Complete(complete)).await
    }

    /// Gives up, and says why: a verdict, too.
    pub async fn fail(&self, error_detail: &str) -> Result<Outcome, Error> {
        let error_detail = Some(checked::text("error_detail", error_detail)?);
        let (id, lease) = (self.id.clone(), self.lease.clone());
        self.ledger
            .act(Command::Fail(Fail { id, error_detail, lease, override_reason: None }))
            .await
    }

    /// Gives the work back before the callee stops: somebody else may take it, and no attempt is used up. Only what was
    /// accepted can be given back.
    pub async fn release(&self, reason: &str) -> Result<Outcome, Error> {
        let reason = Some(checked::text("reason", reason)?);
        let lease = self.lease.clone().ok_or(Refusal::LeaseRequired)?;
        self.ledger.act(Command::Release(Release { id: self.id.clone(), lease, reason })).await
    }

    async fn say(
        &self,
        progress: Option<Json>,
        waiting: Option<WaitChange>,
    ) -> Result<Pulse, Error> {
        let (id, lease) = (self.id.clone(), self.lease.clone());
        let beat = Heartbeat { id, lease, progress, waiting, override_reason: None };
        let mut pulses = self.ledger.core()?.ledger.heartbeats(vec![beat]).await;
        Ok(pulses.pop().ok_or(Error::Internal)??)
    }
}

fn check(wait: &WaitRequest) -> Result<(), Error> {
    if (wait.wait_for == WaitFor::Child) != wait.child_id.is_some() {
        return Err(Error::invalid("child_id", "is needed to wait for a child, and only then"));
    }
    if let Some(note) = &wait.note {
        checked::text("note", note)?;
    }
    checked::seconds("for_s", wait.for_s)
}
