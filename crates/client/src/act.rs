//! The verbs. Whatever makes an act repeatable is filled in here, so that an answer that was lost is asked for again.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Client;
use crate::body::{
    Accept, Beat, Cancel, Claim, Complete, Extend, Fail, NewDelegation, PruneItem, Release, Retry,
    SetAgent,
};
use crate::error::Error;
use crate::reply::Reply;
use crate::request::{IfLost, Request};
use crate::shape::{
    Accepted, Acknowledged, AgentRemoved, AgentSet, Answered, Changed, Claims, Delegated,
    PruneAnswer, Pulse, Swept,
};

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Acknowledge {
    through: i64,
}

#[derive(Serialize)]
struct Prune<'a> {
    delegations: &'a [PruneItem],
}

#[derive(Serialize)]
struct Sweep {
    dry_run: bool,
}

impl Client {
    /// Delegates, under an id that is made here if the request has none.
    pub async fn delegate(&self, asked: NewDelegation) -> Result<Reply<Delegated>, Error> {
        let delegation_id = Some(asked.delegation_id.unwrap_or_else(new_id));
        let asked = NewDelegation { delegation_id, ..asked };
        self.ask(&Request::post(&["v1", "delegations"], &asked)?).await
    }

    /// Takes a delegation, under a claim that is named here if the request names none.
    pub async fn accept(&self, id: &str, accept: Accept) -> Result<Reply<Accepted>, Error> {
        let accept = Accept { claim_id: Some(accept.claim_id.unwrap_or_else(new_id)) };
        self.act(id, "accept", &accept).await
    }

    /// Takes what waits for an agent, under a claim that is named here if the request names none, so that an answer
    /// that is lost is asked for again.
    pub async fn claim(&self, agent_id: &str, claim: Claim) -> Result<Reply<Claims>, Error> {
        let claim_id = Some(claim.claim_id.unwrap_or_else(new_id));
        let claim = Claim { claim_id, ..claim };
        let mut request = Request::post(&["v1", "agents", agent_id, "claim"], &claim)?;
        request.answer_within += Duration::from_secs(claim.wait_s.unwrap_or(0).into());
        self.ask(&request).await
    }

    /// Says that the callee is alive. Whoever is refused with [`stop`](crate::Problem::stop) ends the work.
    pub async fn heartbeat(&self, id: &str, beat: &Beat) -> Result<Reply<Pulse>, Error> {
        self.act(id, "heartbeat", beat).await
    }

    /// Gives the answer.
    pub async fn complete(&self, id: &str, complete: &Complete) -> Result<Reply<Answered>, Error> {
        self.act(id, "complete", complete).await
    }

    /// Gives up.
    pub async fn fail(&self, id: &str, fail: &Fail) -> Result<Reply<Answered>, Error> {
        self.act(id, "fail", fail).await
    }

    /// Gives the work back.
    pub async fn release(&self, id: &str, release: &Release) -> Result<Reply<Changed>, Error> {
        self.act(id, "release", release).await
    }

    /// Says that its caller has handed it out itself.
    pub async fn dispatch(&self, id: &str) -> Result<Reply<Changed>, Error> {
        self.act(id, "dispatch", &Nothing {}).await
    }

    /// Calls it off.
    pub async fn cancel(&self, id: &str, cancel: &Cancel) -> Result<Reply<Changed>, Error> {
        self.act(id, "cancel", cancel).await
    }

    /// Hands it out again.
    pub async fn retry(&self, id: &str, retry: &Retry) -> Result<Reply<Changed>, Error> {
        let request = Request::post(&["v1", "delegations", id, "retry"], retry)?;
        let if_lost = if retry.if_attempt.is_some() { IfLost::Repeat } else { IfLost::Tell };
        self.ask(&request.if_lost(if_lost)).await
    }

    /// Moves the deadline.
    pub async fn extend(&self, id: &str, extend: &Extend) -> Result<Reply<Changed>, Error> {
        self.act(id, "extend", extend).await
    }

    /// Writes an agent's record, whole.
    pub async fn set_agent(
        &self,
        agent_id: &str,
        record: &SetAgent,
    ) -> Result<Reply<AgentSet>, Error> {
        self.ask(&Request::put(&["v1", "agents", agent_id], record)?).await
    }

    /// Forgets an agent's record. Its work and its messages stay.
    pub async fn remove_agent(&self, agent_id: &str) -> Result<Reply<AgentRemoved>, Error> {
        self.ask(&Request::delete(&["v1", "agents", agent_id])).await
    }

    /// Says that an agent has dealt with its messages up to this number.
    pub async fn acknowledge(
        &self,
        agent_id: &str,
        through: i64,
    ) -> Result<Reply<Acknowledged>, Error> {
        let path = ["v1", "agents", agent_id, "inbox", "ack"];
        self.ask(&Request::post(&path, &Acknowledge { through })?).await
    }

    /// Removes exactly these, as far as the server's retention lets them go.
    pub async fn prune(&self, delegations: &[PruneItem]) -> Result<Reply<PruneAnswer>, Error> {
        self.ask(&Request::post(&["v1", "prune"], &Prune { delegations })?).await
    }

    /// Runs a pass of the sweeper now.
    pub async fn sweep(&self) -> Result<Reply<Swept>, Error> {
        self.ask(&Request::post(&["v1", "sweeps"], &Sweep { dry_run: false })?).await
    }

    /// What a pass would do now. Nothing changes.
    pub async fn dry_run(&self) -> Result<Reply<Swept>, Error> {
        self.ask(&Request::post(&["v1", "sweeps"], &Sweep { dry_run: true })?).await
    }

    async fn act<T: DeserializeOwned>(
        &self,
        id: &str,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<Reply<T>, Error> {
        self.ask(&Request::post(&["v1", "delegations", id, verb], body)?).await
    }
}

/// A new id, for a delegation or a claim. Of the ledger's own kind, so that neighbours in time are neighbours in its index.
#[expect(clippy::disallowed_methods, reason = "a client has no seed to be replayed from")]
#[must_use]
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}
