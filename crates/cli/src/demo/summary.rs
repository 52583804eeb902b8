//! What is told at the end: what each agent did, what the ledger concluded, when, and where to go next.

use serde_json::{Value, json};

use super::judge::{Outcome, Step};
use crate::print::{Paper, escaped, hue};

/// What both lines of an agent begin behind.
const MARGIN_CHARS: usize = 21;
/// How much stands behind it, so that a terminal of the usual width wraps no line; a comma at each end aside.
const PHRASES_CHARS_MAX: usize = 80 - MARGIN_CHARS - 2;

const NEXT: &str = "\
Now you, with `consign` for however you have started this one, and no other server running:
  DELEGATION_STUCK_THRESHOLD_S=5 consign serve &
  consign delegate --caller you --callee bob --task 'write the report' --id d1
  consign heartbeat d1; consign explain d1; consign watch d1";

const THROWN_AWAY: &str = "\
The ledger is gone. To keep it, and to look into it:
  consign demo --database-url sqlite:demo.db";

const KEPT: &str = "\
The ledger is kept. To look into it, serve it with `consign serve --database-url` and the same URL; then
  consign ls; consign events killed; consign late-results late; consign inbox alice";

/// Whether the ledger is still there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ledger {
    ThrownAway,
    Kept,
}

/// For people, or as one document.
pub(super) fn of(paper: &Paper, outcomes: &[Outcome], ledger: Ledger) -> String {
    if paper.json {
        return document(outcomes).to_string();
    }
    let agents: String = outcomes.iter().map(|it| of_one(paper, it)).collect();
    let after = match ledger {
        Ledger::ThrownAway => THROWN_AWAY,
        Ledger::Kept => KEPT,
    };
    format!("\n{agents}\n{}\n\n{NEXT}\n{after}", tally(outcomes))
}

fn document(outcomes: &[Outcome]) -> Value {
    let agents: Vec<Value> = outcomes.iter().map(agent).collect();
    json!({"as_expected": all_well(outcomes), "agents": agents})
}

fn agent(outcome: &Outcome) -> Value {
    let it = outcome.delegation.as_ref();
    let step =
        |step: &Step| json!({"at_s": step.at.as_secs_f64(), "kind": step.kind, "reason": step.why});
    json!({
        "agent": outcome.story.name,
        "did": outcome.deeds,
        "status": it.map(|it| it.status.as_str()),
        "failure": it.and_then(|it| it.failure.as_deref()),
        "attempt": it.map(|it| it.attempt),
        "history": outcome.history.iter().map(step).collect::<Vec<_>>(),
        "late_results": outcome.late.len(),
        "verdicts_in_inbox": outcome.verdicts,
        "wrong": outcome.wrong,
    })
}

fn all_well(outcomes: &[Outcome]) -> bool {
    outcomes.iter().all(|outcome| outcome.wrong.is_empty())
}

/// What it did, and below what the ledger concluded.
fn of_one(paper: &Paper, outcome: &Outcome) -> String {
    let status = outcome.delegation.as_ref().map(|it| it.status);
    let word = format!("{:9}", status.map_or("unknown", |status| status.as_str()));
    let word = match status.filter(|_| paper.color) {
        Some(status) => format!("\x1b[38;5;{}m{word}\x1b[0m", hue(status)),
        None => word,
    };
    let (dim, plain) = if paper.color { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    let did = folded(&outcome.deeds);
    let concluded = folded(&concluded(outcome));
    format!(
        "{:8}  {word}  {did}\n{:MARGIN_CHARS$}{dim}{concluded}{plain}\n",
        outcome.story.name, ""
    )
}

/// Every event but the first, and when.
fn concluded(outcome: &Outcome) -> Vec<String> {
    let step = |step: &Step| {
        let why = outcome.why(step).map(|why| format!(" ({why})"));
        let at = step.at.as_secs_f32();
        format!("{} {at:.1} s{}", step.kind.replace('_', " "), why.unwrap_or_default())
    };
    outcome.history.iter().skip(1).map(step).collect()
}

/// Phrases behind the margin, on as many lines as they take.
fn folded(phrases: &[String]) -> String {
    let mut lines: Vec<String> = vec![];
    for phrase in phrases.iter().map(|phrase| escaped(phrase)) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + phrase.chars().count() < PHRASES_CHARS_MAX => {
                *line = format!("{line}, {phrase}");
            }
            _ => lines.push(phrase),
        }
    }
    lines.join(&format!(",\n{:MARGIN_CHARS$}", ""))
}

fn tally(outcomes: &[Outcome]) -> String {
    let last = outcomes.iter().filter_map(|it| it.history.last()).map(|step| step.at).max();
    let took_s = last.unwrap_or_default().as_secs_f32();
    let (agents, verdicts) = (outcomes.len(), outcomes.iter().map(|it| it.verdicts).sum::<usize>());
    let so = if all_well(outcomes) { "each as it must be" } else { "NOT all as they must be" };
    format!(
        "{agents} agents, {verdicts} verdicts in {took_s:.0} s, {so}: one message for each in its caller's inbox."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_folded_behind_the_margin() {
        let phrases: Vec<String> = (0..12).map(|number| format!("phrase {number}")).collect();
        let folded = folded(&phrases);
        let lines: Vec<&str> = folded.lines().collect();
        assert_eq!(lines.len(), 3, "{folded}");
        assert!(lines[1..].iter().all(|line| line.starts_with(&format!("{:21}phrase", ""))));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{folded}");
        assert_eq!(folded.split_whitespace().filter(|word| *word == "phrase").count(), 12);
    }
}
