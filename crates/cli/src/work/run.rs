//! One delegation, from its lease to its answer: the program, and the heartbeat beside it.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use consign_client::Accepted;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Shop;
use super::answer::Answer;
use super::beat::{Beating, pass_on_the_last, too_seldom};
use super::give::Giving;
use super::process::{Halt, Process, Remains};
use super::said::Said;

/// How long a program that was ended as machines end programs waits for the same to happen to us.
const SHUTDOWN_FOLLOWS_WITHIN: Duration = Duration::from_secs(1);

/// How it went, for the worker.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was begun and is over, one way or the other.
    Over,
    /// It was given back: not now.
    NotNow,
    /// It was given back: there is nothing that could be started.
    NotStarted(io::Error),
}

/// A delegation that was taken.
pub(crate) struct Run<'a> {
    shop: &'a Shop,
    work: &'a Accepted,
    giving: Giving<'a>,
}

impl<'a> Run<'a> {
    pub(crate) fn of(shop: &'a Shop, work: &'a Accepted) -> Self {
        Self { shop, work, giving: Giving::of(shop, work) }
    }

    /// Runs the program and tells the ledger how it ended.
    pub(crate) async fn run(&self) -> Ended {
        let (shop, work) = (self.shop, self.work);
        self.tell_taken();
        if shop.stop.is_asked() {
            return self.answer(Answer::ending()).await;
        }
        let said = Rc::new(Said::default());
        let address = shop.client.address();
        let process = match Process::start(&shop.program, work, address, &said, self.prefix()) {
            Ok(process) => process,
            Err(why) => return self.not_started(why).await,
        };
        let every = shop.program.heartbeat;
        let mut beating = Beating::of(work, &shop.client, &said, &shop.journal, every);
        let (tell, told) = oneshot::channel();
        let beats = async {
            // Where the program ended meanwhile, nobody needs to be told.
            drop(tell.send(beating.until_told().await));
            std::future::pending::<Ended>().await
        };
        // Until the answer is given, the ledger must hear that somebody is there to give it.
        let end = self.to_the_end(process, told, &said);
        tokio::select! { ended = end => ended, ended = beats => ended }
    }

    async fn to_the_end(
        &self,
        process: Process,
        told: oneshot::Receiver<String>,
        said: &Said,
    ) -> Ended {
        let stop = &self.shop.stop;
        let halt = async {
            tokio::select! {
                Ok(why) = told => Halt::Told(why),
                () = stop.asked() => Halt::Stopping,
            }
        };
        let remains = self.settle(process.end(halt, stop).await).await;
        let answer = remains.answer(self.shop.program.result_json);
        if matches!(answer, Answer::Complete(_) | Answer::Fail(_)) {
            pass_on_the_last(said, self.work, &self.shop.client, &self.shop.journal).await;
        }
        self.answer(answer).await
    }

    /// Service managers and terminals end a program and its worker together: then it did not fail.
    async fn settle(&self, remains: Remains) -> Remains {
        let stop = &self.shop.stop;
        let ending = remains.looks_like_shutdown()
            && timeout(SHUTDOWN_FOLLOWS_WITHIN, stop.asked()).await.is_ok();
        if ending { Remains { halt: Some(Halt::Stopping), ..remains } } else { remains }
    }

    async fn answer(&self, answer: Answer) -> Ended {
        let ended = if matches!(answer, Answer::Release(_)) { Ended::NotNow } else { Ended::Over };
        self.giving.give(answer).await;
        ended
    }

    async fn not_started(&self, why: io::Error) -> Ended {
        let told = self.shop.program.not_started(&why);
        self.giving.give(Answer::Release(told)).await;
        Ended::NotStarted(why)
    }

    fn tell_taken(&self) {
        let (journal, it) = (&self.shop.journal, &self.work.delegation);
        let attempt = format!("attempt {} of {}", it.attempt, it.max_attempts);
        let (caller, deadline) = (&it.caller_id, it.deadline);
        let told = format!("{attempt}, from {caller}, deadline {deadline:.3}");
        journal.tell("claimed", self.work, told);
        let every = self.shop.program.heartbeat;
        if let Some(warning) = every.and_then(|every| too_seldom(it, every)) {
            journal.tell("warning", self.work, warning);
        }
    }

    /// Whose words these are, where several speak at once.
    fn prefix(&self) -> Option<String> {
        let id = &self.work.delegation.delegation_id;
        (self.shop.jobs > 1).then(|| crate::print::escaped(id))
    }
}
