//! Compares what the ledger concluded with what the stories say must be so.

use std::time::Duration;

use consign_client::{Delegation, LateResult};

use super::board::{Board, Known, Row};
use super::house::House;
use super::story::{Played, Story};
use crate::error::CliError;

/// How one story ended.
pub(super) struct Outcome {
    pub(super) story: &'static Story,
    /// Absent: it was never delegated.
    pub(super) delegation: Option<Delegation>,
    /// What happened according to the ledger.
    pub(super) history: Vec<Step>,
    pub(super) deeds: Vec<String>,
    pub(super) late: Vec<LateResult>,
    /// How many verdicts its caller found in the inbox.
    pub(super) verdicts: usize,
    /// What is not as it must be.
    pub(super) wrong: Vec<String>,
}

/// One event.
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) kind: String,
    pub(super) why: Option<String>,
}

/// Every story's outcome, in their order. A scene without an end ran out of time.
pub(super) async fn judge(
    house: &House,
    board: &Board,
    ends: &[Played],
) -> Result<Vec<Outcome>, CliError> {
    let mut outcomes = found(&board.seen().borrow());
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        if let Some(it) = &outcome.delegation {
            outcome.late = late_results(house, it).await?;
            outcome.verdicts = verdicts(house, it).await?;
        }
        outcome.wrong = outcome.compared();
        match ends.get(index) {
            Some(Ok(())) => {}
            Some(Err(error)) => outcome.wrong.push(error.to_string()),
            None => outcome.wrong.push("its story did not come to its end in time".to_owned()),
        }
    }
    Ok(outcomes)
}

fn found(known: &Known) -> Vec<Outcome> {
    known.rows.iter().map(|row| of(row, known)).collect()
}

fn of(row: &Row, known: &Known) -> Outcome {
    let steps = row.events.iter().map(|event| Step {
        at: known.since_zero(event.at),
        kind: event.kind.clone(),
        why: event.reason.clone(),
    });
    Outcome {
        story: row.story,
        delegation: row.delegation.clone(),
        history: steps.collect(),
        deeds: row.deeds.clone(),
        late: vec![],
        verdicts: 0,
        wrong: vec![],
    }
}

async fn late_results(house: &House, it: &Delegation) -> Result<Vec<LateResult>, CliError> {
    let answer = house.client.late_results(&it.delegation_id).await;
    Ok(house.heard(answer)?.value.late_results)
}

/// How many verdicts on this delegation its caller finds in the inbox.
async fn verdicts(house: &House, it: &Delegation) -> Result<usize, CliError> {
    let inbox = house.heard(house.client.inbox(&it.caller_id, Some(0), Some(1000)).await)?.value;
    let verdicts = inbox
        .messages
        .iter()
        .filter(|message| message.kind == "verdict" && message.delegation_id == it.delegation_id);
    Ok(verdicts.count())
}

impl Outcome {
    /// What is wrong, with the agent's name.
    pub(super) fn complaints(&self) -> impl Iterator<Item = String> {
        self.wrong.iter().map(|wrong| format!("{}: {wrong}", self.story.name))
    }

    /// Why a step was taken; of a verdict without an answer its kind, which is shorter than its sentence.
    pub(super) fn why<'a>(&'a self, step: &'a Step) -> Option<&'a str> {
        let it = self.delegation.as_ref()?;
        let kind = it.failure.as_deref().filter(|_| step.kind == it.status.as_str());
        kind.or(step.why.as_deref())
    }

    fn compared(&self) -> Vec<String> {
        let Some(it) = &self.delegation else {
            return vec!["the ledger does not know it".to_owned()];
        };
        let ending = &self.story.ending;
        let failure = |failure: Option<&str>| failure.unwrap_or("none").to_owned();
        let kinds: Vec<&str> = self.history.iter().map(|step| step.kind.as_str()).collect();
        let late: Vec<&str> = self.late.iter().map(|late| late.why.as_str()).collect();
        [
            differs("its status", it.status.as_str(), ending.status.as_str()),
            differs("its failure", &failure(it.failure.as_deref()), &failure(ending.failure)),
            differs("its history", &kinds.join(", "), &ending.history.join(", ")),
            differs("late answers", &late.join(", "), &ending.late.join(", ")),
            differs("verdicts in its caller's inbox", &self.verdicts.to_string(), "1"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn differs(what: &str, is: &str, must_be: &str) -> Option<String> {
    (is != must_be).then(|| format!("{what}: {is:?}, and it must be {must_be:?}"))
}
