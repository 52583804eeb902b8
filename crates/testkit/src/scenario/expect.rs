//! The right side of a line: what must be true.
//!
//! | right | |
//! |---|---|
//! | `changed`, `unchanged`, `replayed`, `kept as late`, `told stuck` | what the act was answered |
//! | `takes D1 D2`, `takes nothing` | what a claim got, in its order |
//! | `refused lease-void`, `refused already-terminal and kept` | that it was refused |
//! | `changed & refused lease-held` | the same for each act of a batch |
//! | `D1 stuck`, `D1 stuck: no heartbeat for 11m0s` | status, and error detail |
//! | `D1 attempt 2`, `D1 version 3`, `D1 callee bob`, `D1 deadline in 1h`, `D1 heard 5s ago`, `D1 never heard` | |
//! | `D1 reason silent`, `D1 failure reported`, `D1 waits`, `D1 does not wait` | |
//! | `D1 result "x"`, `D1 progress "x"`, `D1 keeps 2 late results` | |
//! | `D1 history created accepted`, `D1 retries D0`, `D1 is D0`, `D1 unknown` | |
//! | `alice has 2 messages`, `alice has no message` | |
//! | `nothing` | the pass did nothing worth a word, and no event happened |
//! | `pass: 1 stuck, 2 deadlines, 0 errors` | its report: also `requeued`, `examined`, `rearmed`, `held` |
//! | `stats: 1 queued, 2 failed` | the tallies; those that are not named are zero |

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::{FailureKind, Status, StuckReason};

use super::parse::length;

/// One thing that must be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// What each act of the line was answered.
    Answers(Vec<String>),
    /// Something about a delegation.
    Of(String, Claim),
    /// How many messages an agent has.
    Messages(String, u64),
    /// The pass changed nothing.
    Nothing,
    /// Numbers of the pass's report.
    Pass(Vec<(u64, String)>),
    /// The tallies.
    Stats([u64; Status::ALL.len()]),
}

/// What must be true of a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Its status, and its error detail where one is given.
    Is(Status, Option<String>),
    /// Its attempt.
    Attempt(u32),
    /// Its version.
    Version(u64),
    /// Its callee.
    Callee(String),
    /// Its deadline, in seconds from now.
    DeadlineIn(i64),
    /// Its last heartbeat, in seconds before now.
    HeardAgo(i64),
    /// It has no heartbeat in this attempt.
    NeverHeard,
    /// Its `stuck_reason`.
    Reason(StuckReason),
    /// Its `failure`.
    Failure(FailureKind),
    /// It waits.
    Waits,
    /// It does not wait.
    DoesNotWait,
    /// Its result, as text.
    Result(String),
    /// Its progress, a JSON string.
    Progress(String),
    /// How many late results it keeps.
    KeepsLate(usize),
    /// The kinds of all its events.
    History(Vec<EventKind>),
    /// Its `retry_of`.
    Retries(String),
    /// It is the same delegation as this one.
    SameAs(String),
    /// There is no such delegation.
    Unknown,
}

impl Expect {
    /// Reads the right side of a line.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        text.split(';').map(str::trim).filter(|text| !text.is_empty()).map(Self::parse).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let unreadable = || format!("{text:?} says nothing that can be checked");
        let first = text.split([' ', ':']).next().unwrap_or_default();
        match first {
            "changed" | "unchanged" | "replayed" | "kept" | "told" | "refused" | "takes" => {
                Ok(Self::Answers(text.split(" & ").map(ToOwned::to_owned).collect()))
            }
            "nothing" => Ok(Self::Nothing),
            "pass" => counts(text).map(Self::Pass).ok_or_else(unreadable),
            "stats" => counts(text).and_then(stats).map(Self::Stats).ok_or_else(unreadable),
            _ => {
                let rest = text[first.len()..].trim_start();
                let told = messages(rest).map(|count| Self::Messages(first.to_owned(), count));
                told.or_else(|| Claim::parse(rest).map(|claim| Self::Of(first.to_owned(), claim)))
                    .ok_or_else(unreadable)
            }
        }
    }
}

fn messages(text: &str) -> Option<u64> {
    let count = text.strip_prefix("has ")?;
    let count = count.strip_suffix(" messages").or(count.strip_suffix(" message"))?;
    if count == "no" { Some(0) } else { count.parse().ok() }
}

/// `pass: 1 stuck, 2 deadlines`
fn counts(text: &str) -> Option<Vec<(u64, String)>> {
    let (_, counts) = text.split_once(':')?;
    let count = |text: &str| {
        let (count, what) = text.trim().split_once(' ')?;
        Some((count.parse().ok()?, what.to_owned()))
    };
    counts.split(',').map(count).collect()
}

fn stats(counts: Vec<(u64, String)>) -> Option<[u64; Status::ALL.len()]> {
    let mut stats = [0; Status::ALL.len()];
    for (count, status) in counts {
        stats[Status::parse(&status)?.index()] = count;
    }
    Some(stats)
}

impl Claim {
    fn parse(text: &str) -> Option<Self> {
        let (status, detail) = match text.split_once(": ") {
            Some((status, detail)) => (status, Some(detail.to_owned())),
            None => (text, None),
        };
        if let Some(status) = Status::parse(status) {
            return Some(Self::Is(status, detail));
        }
        match text {
            "waits" => return Some(Self::Waits),
            "does not wait" => return Some(Self::DoesNotWait),
            "never heard" => return Some(Self::NeverHeard),
            "unknown" => return Some(Self::Unknown),
            _ => {}
        }
        let (what, value) = text.split_once(' ')?;
        Some(match what {
            "attempt" => Self::Attempt(value.parse().ok()?),
            "version" => Self::Version(value.parse().ok()?),
            "callee" => Self::Callee(value.to_owned()),
            "deadline" => Self::DeadlineIn(length(value.strip_prefix("in ")?)?),
            "heard" => Self::HeardAgo(length(value.strip_suffix(" ago")?)?),
            "reason" => Self::Reason(StuckReason::parse(value)?),
            "failure" => Self::Failure(FailureKind::parse(value)?),
            "result" => Self::Result(unquoted(value)?),
            "progress" => Self::Progress(unquoted(value)?),
            "keeps" => Self::KeepsLate(value.split(' ').next()?.parse().ok()?),
            "history" => {
                Self::History(value.split(' ').map(EventKind::parse).collect::<Option<_>>()?)
            }
            "retries" => Self::Retries(value.to_owned()),
            "is" => Self::SameAs(value.to_owned()),
            _ => return None,
        })
    }
}

fn unquoted(text: &str) -> Option<String> {
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}
