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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::board::{Board, tests::delegation};
    use crate::demo::story::STORIES;

    type Spoil = fn(&mut Outcome);

    fn as_it_must_be() -> Outcome {
        let late = STORIES.iter().find(|story| story.name == "late").unwrap();
        let kinds = late.ending.history.iter();
        let history =
            kinds.map(|kind| Step { at: Duration::ZERO, kind: (*kind).to_owned(), why: None });
        let mut outcome = Outcome { history: history.collect(), verdicts: 1, ..blank(late) };
        let answer = r#"{"attempt": 1, "at": "2026-01-01T00:00:00Z", "actor": {"role": "callee", "id": "late"},
            "why": "already-terminal", "status": "completed", "result": "rain", "error_detail": null}"#;
        outcome.late.push(serde_json::from_str(answer).unwrap());
        outcome.delegation = Some(Delegation {
            failure: Some("deadline_exceeded".to_owned()),
            ..delegation("late", "failed")
        });
        outcome
    }

    fn blank(story: &'static Story) -> Outcome {
        let board = Board::new();
        let seen = board.seen();
        let known = seen.borrow();
        of(known.of(story), &known)
    }

    #[test]
    fn whatever_is_not_as_it_must_be_is_told() {
        assert_eq!(as_it_must_be().compared(), [""; 0]);
        let spoils: [(Spoil, &str); 7] = [
            (|it| it.delegation = None, "does not know it"),
            (|it| it.delegation = Some(delegation("late", "stuck")), r#"status: "stuck""#),
            (|it| it.delegation.as_mut().unwrap().failure = None, r#"failure: "none""#),
            (|it| it.history.truncate(2), r#"history: "created, started""#),
            (|it| it.late.clear(), "late answers"),
            (|it| it.verdicts = 0, "inbox: \"0\""),
            (|it| it.verdicts = 2, "inbox: \"2\""),
        ];
        for (spoil, told) in spoils {
            let mut outcome = as_it_must_be();
            spoil(&mut outcome);
            let wrong = outcome.compared();
            assert!(wrong.iter().any(|it| it.contains(told)), "{told}: {wrong:?}");
        }
    }
}
