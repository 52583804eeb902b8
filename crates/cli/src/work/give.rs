//! Giving the answer: it is repeated until the ledger has taken, kept or refused it, and written down where it has not.

use std::time::Duration;

use consign_client::{
    Accepted, Answered, Client, Complete, Error as ClientError, Fail, Release, Reply,
};
use serde::Serialize;
use tokio::time::Instant;

use super::Shop;
use super::answer::Answer;
use super::insist::{Insisting, Unheard};
use super::kept::keep;

/// How long an answer is repeated at least where nobody takes it; longer where the deadline is farther away.
const ANSWER_FOR_MIN: Duration = Duration::from_hours(1);

/// The way from one work to the ledger.
pub(crate) struct Giving<'a> {
    shop: &'a Shop,
    work: &'a Accepted,
    /// When an answer is not waited for any more.
    until: Instant,
}

impl<'a> Giving<'a> {
    pub(crate) fn of(shop: &'a Shop, work: &'a Accepted) -> Self {
        let it = &work.delegation;
        // By the ledger's clock: our own need not agree.
        let left = it.last_heartbeat.map(|now| it.deadline.duration_since(now));
        let left: Duration = left.and_then(|left| left.try_into().ok()).unwrap_or_default();
        Self { shop, work, until: Instant::now() + left.max(ANSWER_FOR_MIN) }
    }

    /// Gives it, and tells what came of it.
    pub(crate) async fn give(&self, answer: Answer) {
        let lease = Some(self.work.lease.clone());
        match answer {
            Answer::Complete(result) => {
                self.complete(Complete { result: Some(result), lease }).await;
            }
            Answer::Fail(why) => self.fail(&why).await,
            Answer::Release(why) => self.release(&why).await,
            Answer::None(why) => self.shop.journal.tell("stopped", self.work, why),
        }
    }

    async fn complete(&self, complete: Complete) {
        let ask = async |client: &Client| client.complete(self.id(), &complete).await;
        match self.insist(ask).await {
            Ok(reply) => self.answered("completed", &reply, "exit code 0"),
            // The result itself is what the ledger does not take: what it says is the reason of a failure.
            Err(Unheard::Refused(problem)) if [400, 413].contains(&problem.status) => {
                self.fail(&format!("the result was refused: {problem}")).await;
            }
            Err(unheard) => self.unheard("complete", unheard, &complete),
        }
    }

    async fn fail(&self, why: &str) {
        let fail = Fail { lease: Some(self.work.lease.clone()), ..Fail::because(why) };
        match self.insist(async |client| client.fail(self.id(), &fail).await).await {
            Ok(reply) => self.answered("failed", &reply, why),
            Err(unheard) => self.unheard("fail", unheard, &fail),
        }
    }

    async fn release(&self, why: &str) {
        let lease = Some(self.work.lease.clone());
        let release = Release { lease, reason: Some(why.to_owned()) };
        let journal = &self.shop.journal;
        match self.insist(async |client| client.release(self.id(), &release).await).await {
            Ok(_) => journal.tell("released", self.work, why),
            Err(Unheard::Refused(problem)) => journal.tell("refused", self.work, problem),
            Err(Unheard::GaveUp(error)) => {
                let told =
                    format!("{error}; it was not given back, and its silence will be noticed");
                journal.tell("lost", self.work, told);
            }
        }
    }

    async fn insist<T>(
        &self,
        ask: impl AsyncFn(&Client) -> Result<T, ClientError>,
    ) -> Result<T, Unheard> {
        let insisting = Insisting {
            client: &self.shop.client,
            until: self.until,
            stop: &self.shop.stop,
            grace: self.shop.program.kill_after,
        };
        let away = |error: &str| {
            let told = format!("{error}; it is repeated until it is taken");
            self.shop.journal.tell("not-answered", self.work, told);
        };
        insisting.ask(ask, away).await
    }

    fn id(&self) -> &str {
        &self.work.delegation.delegation_id
    }

    fn answered(&self, event: &str, reply: &Reply<Answered>, detail: &str) {
        if reply.value.kept_as_late {
            let told = "another answer was given before; this one was kept beside it";
            self.shop.journal.tell("kept-as-late", self.work, told);
        } else {
            self.shop.journal.tell(event, self.work, detail);
        }
    }

    /// An answer that the ledger has not taken. What it has not even kept is kept here.
    fn unheard(&self, verb: &str, unheard: Unheard, body: &impl Serialize) {
        let journal = &self.shop.journal;
        let why = match unheard {
            Unheard::Refused(problem) if problem.kept_as_late => {
                let told = format!("{problem}; the answer was kept beside it");
                return journal.tell("kept-as-late", self.work, told);
            }
            Unheard::Refused(problem) => problem.to_string(),
            Unheard::GaveUp(error) => error,
        };
        let kept = match keep(body) {
            Ok(path) => format!(
                "the answer is kept in {}: send it with `curl URL/v1/delegations/ID/{verb} --json @FILE`",
                path.display()
            ),
            Err(error) => format!("the answer is lost, because no file can be written: {error}"),
        };
        journal.tell("lost", self.work, format!("{why}; {kept}"));
    }
}
