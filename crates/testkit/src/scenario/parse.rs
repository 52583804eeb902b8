//! Lines of a script as steps and expectations.

use std::collections::VecDeque;
use std::fmt;

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::waiting::WaitFor;

use super::expect::Expect;
use super::print::names_child;
use super::step::{
    Act, Answer, Beat, Claiming, Cut, Extension, Limit, Order, Retrial, Setting, ShownLease, Step,
    Verb, Wait,
};

/// An indentation from which on a line only has a right side.
const INDENT_OF_RIGHT_SIDE: usize = 4;

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As it was written, without its indentation.
    pub text: String,
    /// What happens.
    pub step: Step,
    /// What must be true then.
    pub expects: Vec<Expect>,
}

/// A line that cannot be read.
#[derive(Debug)]
pub struct Misread {
    line: String,
    why: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {:?}: {}", self.line, self.why)
    }
}

impl std::error::Error for Misread {}

/// Reads a script.
pub fn parse(script: &str) -> Result<Vec<Line>, Misread> {
    let written = || script.lines().map(uncommented).filter(|line| !line.trim().is_empty());
    let margin = written().map(indentation).min().unwrap_or(0);
    let mut lines: Vec<Line> = vec![];
    for line in written() {
        let text = line.trim();
        let misread = |why| Misread { line: text.to_owned(), why };
        match lines.last_mut() {
            Some(before) if indentation(line) >= margin + INDENT_OF_RIGHT_SIDE => {
                before.expects.extend(Expect::parse_all(text).map_err(misread)?);
                before.text.push_str("; ");
                before.text.push_str(text);
            }
            _ => {
                let (left, right) = divided(text);
                let step = Step::parse(left).map_err(misread)?;
                let expects = Expect::parse_all(right).map_err(misread)?;
                lines.push(Line { text: text.to_owned(), step, expects });
            }
        }
    }
    Ok(lines)
}

fn uncommented(line: &str) -> &str {
    line.split_once('#').map_or(line, |(line, _)| line)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Both sides of a line: the first two spaces outside quotes divide them.
fn divided(text: &str) -> (&str, &str) {
    let mut in_quotes = false;
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        in_quotes ^= pair[0] == b'"';
        if !in_quotes && pair == b"  " {
            return (&text[..at], text[at..].trim());
        }
    }
    (text, "")
}

impl Step {
    /// Reads the left side of a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = &mut Words::of(text);
        let step = match words.0.front().map(String::as_str) {
            Some("wait") => Self::Wait(words.skip()?.length()?),
            Some("serve") => Self::Serve(words.skip()?.length()?),
            Some("freeze") => Self::Freeze(words.skip()?.length()?),
            Some("down") => Self::Down(words.skip()?.length()?),
            Some("restart") => {
                words.skip()?;
                let threshold = words.eat("with threshold").then(|| words.length());
                Self::Restart(threshold.transpose()?)
            }
            Some("clock") => Self::ClockBy(words.skip()?.expect("by")?.signed_length()?),
            Some("cut") => Self::Cut(cut(words.skip()?)?),
            Some("listen") => words.skip().map(|_| Self::Listen)?,
            Some("prune") => words.skip().map(|_| Self::Prune)?,
            Some("limit") => Self::Limit(limit(words.skip()?)?),
            Some("sweep") => words.skip().map(|_| Self::Sweep)?,
            _ => {
                let mut acts = vec![act(words)?];
                while words.eat("&") {
                    acts.push(act(words)?);
                }
                Self::Acts(acts)
            }
        };
        words.end().map(|()| step)
    }
}

fn cut(words: &mut Words) -> Result<Cut, String> {
    let cut = if words.eat("before") {
        Cut::Before
    } else {
        words.expect("after").map(|_| Cut::After)?
    };
    words.expect("commit").map(|_| cut)
}

fn limit(words: &mut Words) -> Result<Limit, String> {
    let mut limit = Limit { who: words.word()?, ..Limit::default() };
    while words.eat(",") {
        if words.eat("in flight") {
            limit.in_flight = Some(words.number()?);
        } else {
            limit.queued = Some(words.expect("queued")?.number()?);
        }
    }
    Ok(limit)
}

fn act(words: &mut Words) -> Result<Act, String> {
    let (who, verb) = (words.word()?, words.word()?);
    if verb == "claims" {
        let verb = Verb::Claim(claiming(words)?);
        return Ok(Act { who, id: String::new(), verb });
    }
    let id = words.word()?;
    let verb = match verb.as_str() {
        "delegates" => Verb::Delegate(Box::new(order(words)?)),
        "dispatches" => Verb::Dispatch,
        "accepts" => Verb::Accept(words.eat("as").then(|| words.word()).transpose()?),
        "beats" => Verb::Beat(beat(words)?),
        "completes" => Verb::Complete(answer(words)?),
        "fails" => Verb::Fail(answer(words)?),
        "releases" => Verb::Release(answer(words)?),
        "cancels" => Verb::Cancel(with(words)?),
        "retries" => Verb::Retry(retrial(words)?),
        "extends" => Verb::Extend(extension(words)?),
        "sets" => Verb::Set(setting(words)?),
        other => return Err(format!("nobody {other:?} anything here")),
    };
    Ok(Act { who, id, verb })
}

fn order(words: &mut Words) -> Result<Order, String> {
    let mut order = Order { to: words.expect("to")?.word()?, ..Order::default() };
    while words.eat(",") {
        match words.word()?.as_str() {
            "key" => order.key = Some(words.word()?),
            "under" => order.under = Some(words.word()?),
            "attempts" => order.attempts = Some(words.number()?),
            "threshold" => order.threshold_s = Some(words.length()?),
            "grace" => order.grace_s = Some(words.length()?),
            "start" => order.start_within_s = Some(words.expect("within")?.length()?),
            "fail" => {
                words.expect("unless started")?;
                order.fail_unless_started = true;
            }
            "progress" => order.progress_within_s = Some(words.expect("within")?.length()?),
            "deadline" => order.deadline_s = Some(words.length()?),
            "priority" => order.priority = words.number()?,
            "dispatched" => order.dispatched = true,
            "cancel" => {
                words.expect("children")?;
                order.cancel_children = true;
            }
            "notify" => match words.word()?.as_str() {
                "stuck" => order.notify_stuck = true,
                "recovered" => order.notify_recovered = true,
                other => return Err(format!("{other:?} is no news")),
            },
            "task" => order.task = Some(words.quoted()?),
            "unnamed" => order.unnamed = true,
            other => return Err(format!("{other:?} is no term of a delegation")),
        }
    }
    Ok(order)
}

fn claiming(words: &mut Words) -> Result<Claiming, String> {
    let counted = words.0.front().is_some_and(|next| next.parse::<usize>().is_ok());
    let max = if counted { words.number()? } else { 1 };
    let name = words.eat("as").then(|| words.word()).transpose()?;
    Ok(Claiming { max, name })
}

fn beat(words: &mut Words) -> Result<Beat, String> {
    let mut beat = Beat::default();
    while words.eat(",") {
        if words.eat("progress") {
            beat.progress = Some(words.quoted()?);
        } else if words.eat("waiting for") {
            beat.waiting = Some(wait(words)?);
        } else if words.eat("not waiting") {
            beat.waiting = Some(Wait::Over);
        } else {
            whose(words, &mut beat.lease, &mut beat.override_reason)?;
        }
    }
    Ok(beat)
}

fn wait(words: &mut Words) -> Result<Wait, String> {
    let what = words.word()?;
    let what = WaitFor::parse(&what).ok_or(format!("nobody can wait for {what:?}"))?;
    let is_named = names_child(what) && words.0.front().is_some_and(|next| next != "for");
    let child = is_named.then(|| words.word()).transpose()?;
    let for_s = words.eat("for").then(|| words.length()).transpose()?;
    Ok(Wait::For { what, child, for_s })
}

fn answer(words: &mut Words) -> Result<Answer, String> {
    let mut answer = Answer { with: with(words)?, ..Answer::default() };
    while words.eat(",") {
        whose(words, &mut answer.lease, &mut answer.override_reason)?;
    }
    Ok(answer)
}

fn whose(
    words: &mut Words,
    lease: &mut ShownLease,
    override_reason: &mut Option<String>,
) -> Result<(), String> {
    if words.eat("no lease") {
        *lease = ShownLease::None;
    } else if words.eat("a forged lease") {
        *lease = ShownLease::Forged;
    } else if words.eat("override") {
        *override_reason = Some(words.quoted()?);
    } else {
        let owner = words.word()?;
        let owner = owner.strip_suffix("'s").ok_or(format!("{owner:?} is no clause"))?;
        words.expect("lease")?;
        *lease = ShownLease::Of(owner.to_owned());
    }
    Ok(())
}

fn retrial(words: &mut Words) -> Result<Retrial, String> {
    let new_name = words.eat("as").then(|| words.word()).transpose()?;
    let mut retrial = Retrial { new_name, ..Retrial::default() };
    while words.eat(",") {
        match words.word()?.as_str() {
            "to" => retrial.to = Some(words.word()?),
            "deadline" => retrial.deadline_s = Some(words.length()?),
            "if" => retrial.if_attempt = Some(words.expect("attempt")?.number()?),
            other => return Err(format!("{other:?} is no term of a retry")),
        }
    }
    Ok(retrial)
}

fn extension(words: &mut Words) -> Result<Extension, String> {
    let deadline_s = words.expect("to")?.length()?;
    let if_version = words.eat(", if version").then(|| words.number()).transpose()?;
    Ok(Extension { deadline_s, if_version })
}

fn setting(words: &mut Words) -> Result<Setting, String> {
    let status = words.expect("to")?.word()?;
    let status = Status::parse(&status).ok_or(format!("{status:?} is no status"))?;
    let Answer { with, lease, override_reason } = answer(words)?;
    Ok(Setting { status, with, lease, override_reason })
}

fn with(words: &mut Words) -> Result<Option<String>, String> {
    words.eat("with").then(|| words.quoted()).transpose()
}

/// A line taken apart: words, commas, and quoted texts with their opening quote.
struct Words(VecDeque<String>);

impl Words {
    fn of(text: &str) -> Self {
        let mut words = VecDeque::new();
        for (nth, piece) in text.split('"').enumerate() {
            if nth % 2 == 1 {
                words.push_back(format!("\"{piece}"));
                continue;
            }
            let spaced = piece.replace(',', " , ");
            words.extend(spaced.split_whitespace().map(ToOwned::to_owned));
        }
        Self(words)
    }

    /// Takes these words, if they are next.
    fn eat(&mut self, phrase: &str) -> bool {
        let count = phrase.split(' ').count();
        let next = self.0.len() >= count && self.0.iter().take(count).eq(phrase.split(' '));
        if next {
            self.0.drain(..count);
        }
        next
    }

    fn expect(&mut self, phrase: &str) -> Result<&mut Self, String> {
        if self.eat(phrase) {
            return Ok(self);
        }
        Err(format!("here {phrase:?} must follow, not {:?}", self.0.front()))
    }

    fn skip(&mut self) -> Result<&mut Self, String> {
        self.word().map(|_| self)
    }

    fn word(&mut self) -> Result<String, String> {
        self.0.pop_front().ok_or("it ends too early".to_owned())
    }

    fn quoted(&mut self) -> Result<String, String> {
        let word = self.word()?;
        let text = word.strip_prefix('"').ok_or(format!("{word:?} must be in quotes"))?;
        Ok(text.to_owned())
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
        let word = self.word()?;
        word.parse().map_err(|_| format!("{word:?} is no number"))
    }

    fn length(&mut self) -> Result<u32, String> {
        let seconds = self.signed_length()?;
        u32::try_from(seconds).map_err(|_| "this time must not run backwards".to_owned())
    }

    fn signed_length(&mut self) -> Result<i64, String> {
        let word = self.word()?;
        length(&word).ok_or(format!("{word:?} is no length of time"))
    }

    fn end(&self) -> Result<(), String> {
        match self.0.front() {
            None => Ok(()),
            Some(word) => Err(format!("{word:?} is one word too many")),
        }
    }
}

/// `1h2m3s`, perhaps with a minus.
pub(super) fn length(word: &str) -> Option<i64> {
    let (sign, mut rest) = word.strip_prefix('-').map_or((1, word), |rest| (-1, rest));
    let mut seconds = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount: i64 = rest[..digits].parse().ok()?;
        seconds += amount
            * match rest.as_bytes()[digits] {
                b'h' => 3600,
                b'm' => 60,
                b's' => 1,
                _ => return None,
            };
        rest = &rest[digits + 1..];
    }
    (!word.is_empty()).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_prints_as_the_line_that_it_is_read_from() {
        for line in [
            "wait 11m",
            "serve 1h30s",
            "freeze 2h",
            "down 1s",
            "restart",
            "restart with threshold 5s",
            "clock by -1h",
            "cut before commit",
            "cut after commit",
            "listen",
            "sweep",
            "alice delegates D1 to bob",
            "alice delegates D1 to bob, key K, under D0, attempts 2, threshold 1m, grace 30s, \
             start within 1m, fail unless started, progress within 2m, deadline 1h, priority -3, \
             dispatched, cancel children, notify stuck, notify recovered, task \"a, b\", unnamed",
            "alice dispatches D1",
            "bob accepts D1 as C1",
            "bob claims",
            "bob claims 3 as C1",
            "bob claims as C1 & carol claims 2",
            "bob beats D1",
            "bob beats D1, progress \"2 of 3\", waiting for child D2 for 1m, carol's lease",
            "bob beats D1, waiting for human",
            "bob beats D1, not waiting, a forged lease, override \"so there\"",
            "bob completes D1 with \"x\", no lease",
            "bob fails D1",
            "bob releases D1 with \"home time\"",
            "alice cancels D1 with \"x\"",
            "alice retries D1 as D2, to carol, deadline 1h, if attempt 1",
            "alice extends D1 to 1h, if version 3",
            "alice sets D1 to stuck with \"x\", no lease, override \"y\"",
            "bob beats D1 & alice cancels D1",
            "prune",
            "limit bob",
            "limit bob, in flight 2, queued 0",
        ] {
            assert_eq!(Step::parse(line).map(|step| step.to_string()).as_deref(), Ok(line));
        }
    }

    #[test]
    fn two_spaces_divide_and_an_indented_line_goes_on() {
        let script = "
            bob completes D1 with \"a  b\"   D1 completed  # at once
                                             alice has 1 message
            sweep";
        let lines = parse(script).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].step.to_string(), "bob completes D1 with \"a  b\"");
        assert_eq!(lines[0].expects.len(), 2);
        assert_eq!(lines[1].step, Step::Sweep);
    }

    #[test]
    fn nonsense_is_named() {
        for (line, why) in [
            ("bob juggles D1", "nobody \"juggles\""),
            ("wait for it", "no length"),
            ("bob completes D1 with x", "must be in quotes"),
            ("sweep twice", "one word too many"),
            ("alice delegates D1", "must follow"),
        ] {
            let error = parse(line).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
