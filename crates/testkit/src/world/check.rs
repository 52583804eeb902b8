//! Whether what must be true is true.

use std::fmt::Debug;

use consign_ledger::query::SweepReport;
use consign_ledger::{Reader as _, Time};

use crate::Backend;
use crate::scenario::{Claim, Expect, Line};

use super::{Happened, Seen, World};

/// What is the case instead.
type Instead = Result<(), String>;

impl<B: Backend> World<B> {
    pub(super) async fn check(&self, line: &Line, seen: &Seen) -> Instead {
        let answers_expected = line.expects.iter().any(|it| matches!(it, Expect::Answers(_)));
        if !answers_expected {
            unrefused(seen)?;
        }
        for expect in &line.expects {
            match expect {
                Expect::Answers(words) => answers(words, seen)?,
                Expect::Of(name, claim) => self.check_claim(name, claim).await?,
                Expect::Messages(agent, count) => self.check_messages(agent, *count).await?,
                Expect::Nothing => nothing(seen)?,
                Expect::Pass(counts) => pass(counts, seen)?,
                Expect::Stats(stats) => {
                    let actual = self.reader().stats().await.expect("a reader that answers");
                    same("the tallies", actual.0, *stats)?;
                }
            }
        }
        Ok(())
    }

    async fn check_messages(&self, agent: &str, count: u64) -> Instead {
        let inbox = self.inbox(agent).await;
        same(&format!("the number of {agent}'s messages"), inbox.messages.len() as u64, count)
    }

    async fn check_claim(&self, name: &str, claim: &Claim) -> Instead {
        let Some((delegation, bodies)) = self.find(name).await else {
            return match claim {
                Claim::Unknown => Ok(()),
                _ => Err(format!("there is no {name}")),
            };
        };
        let now = self.reader().reading().await.expect("a reader that answers").now;
        let is = |what: &str| format!("{name}'s {what}");
        let seconds = |from: Time, to: Time| (to.0 - from.0) / 1000;
        match claim {
            Claim::Is(status, None) => same(&is("status"), delegation.status, *status),
            Claim::Is(status, detail) => same(
                &is("status"),
                (delegation.status, delegation.error_detail),
                (*status, detail.clone()),
            ),
            Claim::Attempt(attempt) => same(&is("attempt"), delegation.attempt, *attempt),
            Claim::Version(version) => same(&is("version"), delegation.version, *version),
            Claim::Callee(callee) => same(&is("callee"), delegation.callee_id.as_str(), callee),
            Claim::DeadlineIn(s) => same(&is("deadline"), seconds(now, delegation.deadline), *s),
            Claim::HeardAgo(s) => {
                let ago = delegation.last_heartbeat.map(|at| seconds(at, now));
                same(&is("silence"), ago, Some(*s))
            }
            Claim::NeverHeard => same(&is("heartbeat"), delegation.last_heartbeat, None),
            Claim::Reason(reason) => same(&is("reason"), delegation.stuck_reason, Some(*reason)),
            Claim::Failure(kind) => same(&is("failure"), delegation.failure, Some(*kind)),
            Claim::Waits => same(&is("waiting"), delegation.waiting.is_some(), true),
            Claim::DoesNotWait => same(&is("waiting"), delegation.waiting, None),
            Claim::Result(text) => {
                let result = bodies.result.as_ref().map(consign_ledger::Payload::as_str);
                same(&is("result"), result, Some(text.as_str()))
            }
            Claim::Progress(text) => {
                let progress = bodies.progress.as_ref().map(consign_ledger::Json::as_str);
                same(&is("progress"), progress, Some(format!("\"{text}\"").as_str()))
            }
            Claim::KeepsLate(count) => {
                let late = self.reader().late_results(&delegation.delegation_id).await;
                same(&is("late results"), late.expect("a reader that answers").len(), *count)
            }
            Claim::History(kinds) => same(&is("history"), self.history(name).await, kinds.clone()),
            Claim::Retries(old) => same(&is("retry_of"), delegation.retry_of, Some(self.id(old))),
            Claim::SameAs(other) => same(&is("id"), delegation.delegation_id, self.id(other)),
            Claim::Unknown => Err(format!("there is a {name}")),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it reads as an assertion does")]
fn same<T: PartialEq<U> + Debug, U: Debug>(what: &str, is: T, must_be: U) -> Instead {
    if is == must_be { Ok(()) } else { Err(format!("{what} is {is:?}, not {must_be:?}")) }
}

fn unrefused(seen: &Seen) -> Instead {
    let Seen::Said(said) = seen else { return Ok(()) };
    match said.iter().find(|said| said.refused.is_some()) {
        None => Ok(()),
        Some(said) => Err(format!("it was {said}: {}", said.why.as_deref().unwrap_or_default())),
    }
}

fn answers(words: &[String], seen: &Seen) -> Instead {
    let Seen::Said(said) = seen else { return Err("nobody was answered".to_owned()) };
    let fits = said.len() == words.len()
        && said.iter().zip(words).all(|(said, words)| said.matches(words));
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    if fits { Ok(()) } else { Err(format!("the answer was: {}", said.join(" & "))) }
}

fn nothing(seen: &Seen) -> Instead {
    match seen {
        Seen::Pass(report, Happened::Nothing) if !report.is_news() => Ok(()),
        other => Err(format!("it was {other:?}")),
    }
}

fn pass(counts: &[(u64, String)], seen: &Seen) -> Instead {
    let Seen::Pass(report, _) = seen else { return Err("nothing was swept".to_owned()) };
    for (count, what) in counts {
        let actual = counted(report, what).ok_or(format!("a report has no {what:?}"))?;
        same(&format!("the number of {what}"), actual, *count)?;
    }
    Ok(())
}

fn counted(report: &SweepReport, what: &str) -> Option<u64> {
    Some(match what {
        "stuck" => report.stuck_marked,
        "deadlines" => report.deadline_failures,
        "errors" => report.errors,
        "requeued" => report.requeued,
        "examined" => report.examined,
        "rearmed" => report.rearmed,
        "held" => report.held,
        _ => return None,
    })
}
