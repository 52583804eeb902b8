//! An agent: what its process can do. It knows the server's address and its delegation, and speaks the API like any
//! other; what it does it also says on standard output, a line for each deed.

use std::io::{self, Write as _};
use std::time::Duration;

use consign_client::{
    Accept, Beat, Client, Complete, Error as ClientError, Fail, NewDelegation, Wait, WaitChange,
    json_text,
};
use tokio::time::sleep;

use super::lifeline::Lifeline;
use super::story::{Played, Story};
use crate::error::CliError;

/// From one heartbeat to the next.
const BEAT: Duration = Duration::from_millis(500);
/// How long it goes on trying where no server answers.
const RETRY_FOR: Duration = Duration::from_secs(30);

/// One process.
pub(super) struct Agent {
    client: Client,
    /// Its name, and its delegation's.
    name: &'static str,
    turn: u32,
    lease: Option<String>,
    lifeline: Lifeline,
}

/// What a heartbeat is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    GoOn,
    Stop,
}

impl Agent {
    /// The worker who is the `turn`-th to play the story.
    pub(super) fn new(client: Client, story: &Story, turn: u32, lifeline: Lifeline) -> Self {
        let client = client.retrying_for(RETRY_FOR);
        Self { client, name: story.name, turn, lease: None, lifeline }
    }

    pub(super) const fn is_second(&self) -> bool {
        self.turn == 2
    }

    /// Takes the work, for a lease.
    pub(super) async fn accepts(&mut self) -> Played {
        let accepted = self.heard(self.client.accept(self.name, Accept::default()).await)?;
        self.lease = Some(accepted.value.lease);
        says("accepts");
        Ok(())
    }

    /// So many steps, a heartbeat for each.
    pub(super) async fn works(&mut self, steps: u32) -> Played {
        says("works");
        for step in 1..=steps {
            self.steps(&format!("step {step} of {steps}")).await?;
            sleep(BEAT).await;
        }
        Ok(())
    }

    /// Step by step, until somebody calls.
    pub(super) async fn works_until_called(&mut self) -> Played {
        says("works");
        for step in 1_u32.. {
            self.steps(&format!("step {step}")).await?;
            tokio::select! {
                () = sleep(BEAT) => {}
                _ = self.lifeline.hears() => break,
            }
        }
        Ok(())
    }

    /// Step by step, until the ledger tells it to stop.
    pub(super) async fn works_until_told_to_stop(&mut self) -> Played {
        says("works");
        self.beats_until_told_to_stop(|beat| format!("step {beat}")).await?;
        says("is told to stop");
        Ok(())
    }

    /// Always the same step, until the ledger tells it to stop.
    pub(super) async fn goes_in_circles(&mut self) -> Played {
        says("beats, gets nowhere");
        self.beats_until_told_to_stop(|_| "once more from the top".to_owned()).await?;
        says("is told to stop");
        Ok(())
    }

    /// Declares a wait, and beats no more until there is an answer.
    pub(super) async fn asks_a_human(&mut self, question: &str) -> Played {
        let wait = Wait {
            r#for: Some("human".to_owned()),
            note: Some(question.to_owned()),
            ..Wait::default()
        };
        self.changes_its_wait(WaitChange::For(wait)).await?;
        says("asks a human");
        let answer = self.lifeline.hears().await;
        says(&format!("hears {answer:?}"));
        self.changes_its_wait(WaitChange::End).await
    }

    /// Says nothing to the ledger, until somebody calls.
    pub(super) async fn is_cut_off(&mut self) -> Played {
        says("is cut off");
        self.lifeline.hears().await;
        says("is back");
        Ok(())
    }

    /// Never gets as far as the ledger.
    pub(super) async fn hangs(&mut self) -> Played {
        says("hangs at its start");
        self.lifeline.hears().await;
        Ok(())
    }

    /// Asks another agent to do a part.
    pub(super) async fn entrusts_a_part(&mut self, to: &Story) -> Played {
        let part = NewDelegation {
            delegation_id: Some(to.name.to_owned()),
            parent_id: Some(self.name.to_owned()),
            ..NewDelegation::new(self.name, to.name, to.task)
        };
        self.heard(self.client.delegate(part).await)?;
        says(&format!("asks {}", to.name));
        Ok(())
    }

    /// Answers, and it is the verdict.
    pub(super) async fn answers(&mut self, result: &str) -> Played {
        let answered = self.heard(self.client.complete(self.name, &self.answer(result)).await)?;
        says("answers");
        expect(answered.value.changed, "its answer is the verdict")
    }

    /// The same answer once more, as after a lost connection.
    pub(super) async fn answers_the_same(&mut self, result: &str) -> Played {
        let answered = self.heard(self.client.complete(self.name, &self.answer(result)).await)?;
        says("repeats it");
        let replayed = !answered.value.changed && !answered.value.kept_as_late;
        expect(replayed, "the same answer again changes nothing")
    }

    /// Another answer, beside the one that is the verdict.
    pub(super) async fn answers_otherwise(&mut self, result: &str) -> Played {
        let answered = self.heard(self.client.complete(self.name, &self.answer(result)).await)?;
        says("answers otherwise");
        let kept = !answered.value.changed && answered.value.kept_as_late;
        expect(kept, "another answer is kept beside the verdict")
    }

    /// Answers in vain: it is refused by this name, and kept.
    pub(super) async fn answers_too_late(&mut self, result: &str, refusal: &str) -> Played {
        match self.client.complete(self.name, &self.answer(result)).await {
            Err(ClientError::Refused(problem)) => {
                says(&format!("refused: {}", problem.name()));
                expect(problem.name() == refusal && problem.kept_as_late, "it is refused and kept")
            }
            answer => {
                self.heard(answer)?;
                expect(false, "its answer comes too late")
            }
        }
    }

    pub(super) async fn gives_up(&mut self, why: &str) -> Played {
        let given_up = Fail { lease: self.lease.clone(), ..Fail::because(why) };
        self.heard(self.client.fail(self.name, &given_up).await)?;
        says("gives up");
        Ok(())
    }

    /// A step that the ledger hears of. Nobody should tell it to stop here.
    async fn steps(&self, progress: &str) -> Played {
        let told = self.beats(Some(progress), None).await?;
        expect(told == Told::GoOn, "nobody tells it to stop")
    }

    async fn beats_until_told_to_stop(&self, progress: impl Fn(u32) -> String) -> Played {
        for beat in 1.. {
            if self.beats(Some(&progress(beat)), None).await? == Told::Stop {
                break;
            }
            sleep(BEAT).await;
        }
        Ok(())
    }

    async fn changes_its_wait(&self, waiting: WaitChange) -> Played {
        let told = self.beats(None, Some(waiting)).await?;
        expect(told == Told::GoOn, "nobody tells it to stop")
    }

    async fn beats(
        &self,
        progress: Option<&str>,
        waiting: Option<WaitChange>,
    ) -> Result<Told, CliError> {
        let progress = progress.map(json_text);
        let beat = Beat { lease: self.lease.clone(), progress, waiting };
        match self.client.heartbeat(self.name, &beat).await {
            Ok(reply) if !reply.value.stop => Ok(Told::GoOn),
            Ok(_) => Ok(Told::Stop),
            Err(ClientError::Refused(problem)) if problem.stop => Ok(Told::Stop),
            Err(error) => self.heard(Err(error)),
        }
    }

    fn answer(&self, result: &str) -> Complete {
        Complete { lease: self.lease.clone(), ..Complete::text(result) }
    }

    fn heard<T>(&self, answer: Result<T, ClientError>) -> Result<T, CliError> {
        answer.map_err(|error| CliError::Server { error, address: self.client.address().clone() })
    }
}

/// A deed. Nobody needs to hear of it: the demo may be gone.
fn says(deed: &str) {
    drop(writeln!(io::stdout(), "{deed}"));
}

/// What the story says must be so.
fn expect(so: bool, what: &str) -> Played {
    if so { Ok(()) } else { Err(CliError::Demo(format!("by its story {what}, and it is not so"))) }
}
