//! Children follow their parents: level by level, in bounded batches, durable since the parent's own end.

use std::collections::HashSet;

use consign_ledger::command::{Sweep, Swept};
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::{Cascade, DelegationId, Error, Failure, Reader, SWEEP_BATCH_MAX, Store};

use crate::pass::{Broken, Pass};

/// Most cascades that are carried on in one round.
const CASCADES_MAX: usize = 100;
/// Most children of one cascade that are read in one round.
const CHILDREN_MAX: usize = 200;
/// Most steps in one pass; the next one begins at once.
const STEPS_MAX: usize = 10_000;

/// A step, and the number of the parent that it is taken for.
type Step = (RowNum, Sweep);

impl<S: Store> Pass<S> {
    /// Cancels children until none is left. A child's own children are the next round's.
    pub(crate) async fn cascades(&mut self) -> Result<(), Broken> {
        let mut taken = 0;
        while taken < STEPS_MAX {
            let steps = self.round().await?;
            if steps.is_empty() {
                return Ok(());
            }
            taken += steps.len();
            self.take(steps).await?;
            self.deadlines_meanwhile().await;
        }
        Ok(())
    }

    /// What is to be done next for each cascade that is not put off.
    async fn round(&self) -> Result<Vec<Step>, Failure> {
        let reader = self.ledger().reader();
        let put_off = self.memory().cascades.len();
        let mut steps = vec![];
        for cascade in reader.cascades(CASCADES_MAX + put_off).await? {
            if self.memory().cascades.skips(cascade.num, self.now) {
                continue;
            }
            let children = reader.children_in_flight(&cascade, CHILDREN_MAX).await?;
            steps.extend(steps_for(cascade, children));
        }
        Ok(steps)
    }

    /// Takes the steps, each with its own outcome.
    async fn take(&mut self, steps: Vec<Step>) -> Result<(), Broken> {
        let mut round = Round::default();
        for chunk in steps.chunks(SWEEP_BATCH_MAX) {
            let asked = chunk.iter().map(|(_, step)| step.clone()).collect();
            let answers = self.ledger().sweep(asked).await;
            let goes_on = self.count_failed_transaction(&answers);
            for ((parent, _), answer) in chunk.iter().zip(answers) {
                self.note_step(*parent, answer, &mut round);
            }
            goes_on?;
        }
        self.put_off_failing(&round);
        round.ours.map_or(Ok(()), |error| Err(error.into()))
    }

    fn note_step(&mut self, parent: RowNum, answer: Result<Swept, Error>, round: &mut Round) {
        match answer {
            Ok(swept) => {
                self.tally().note(swept);
                round.advanced.insert(parent);
            }
            Err(error) if self.count_error(&error) => {
                tracing::warn!(parent, %error, "a child could not be cancelled; its parent's others go on");
                round.failed.insert(parent);
            }
            Err(error) => round.ours = Some(error),
        }
    }

    /// A cascade with a failing step is put off, for longer and longer only while nothing else advances it.
    fn put_off_failing(&mut self, round: &Round) {
        let now = self.now;
        let mut memory = self.memory();
        round.advanced.iter().for_each(|parent| memory.cascades.forget(*parent));
        let full = round
            .failed
            .iter()
            .filter(|parent| memory.cascades.put_off(**parent, now).is_err())
            .count();
        drop(memory);
        self.tally().troubled |= full > 0;
    }
}

/// What came of one round.
#[derive(Default)]
struct Round {
    advanced: HashSet<RowNum>,
    failed: HashSet<RowNum>,
    /// The store's or the door's error: another round would be in vain.
    ours: Option<Error>,
}

fn steps_for(cascade: Cascade, children: Vec<DelegationId>) -> Vec<Step> {
    let num = cascade.num;
    if children.is_empty() {
        return vec![(num, Sweep::EndCascade(cascade))];
    }
    children.into_iter().map(|child| (num, Sweep::CancelChild(child))).collect()
}
