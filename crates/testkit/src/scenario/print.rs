//! Steps as lines of a script.

use std::fmt::{self, Display, Formatter, Write as _};

use consign_ledger::delegation::waiting::WaitFor;

use super::step::{
    Act, Answer, Beat, Claiming, Cut, Extension, Limit, Order, Retrial, Script, Setting,
    ShownLease, Step, Verb, Wait,
};

/// A length of time as scripts write it: `1h2m3s`, without the parts that are zero.
pub(super) struct Length(pub(super) i64);

impl Display for Length {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_char('-')?;
        }
        let seconds = self.0.abs();
        for (amount, unit) in [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')]
        {
            if amount > 0 {
                write!(f, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

fn length(seconds: u32) -> Length {
    Length(i64::from(seconds))
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, "\n    {step}"))
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acts(acts) => {
                let acts: Vec<String> = acts.iter().map(ToString::to_string).collect();
                f.write_str(&acts.join(" & "))
            }
            Self::Wait(seconds) => write!(f, "wait {}", length(*seconds)),
            Self::Serve(seconds) => write!(f, "serve {}", length(*seconds)),
            Self::Freeze(seconds) => write!(f, "freeze {}", length(*seconds)),
            Self::Down(seconds) => write!(f, "down {}", length(*seconds)),
            Self::Restart(None) => f.write_str("restart"),
            Self::Restart(Some(threshold_s)) => {
                write!(f, "restart with threshold {}", length(*threshold_s))
            }
            Self::ClockBy(seconds) => write!(f, "clock by {}", Length(*seconds)),
            Self::Cut(Cut::Before) => f.write_str("cut before commit"),
            Self::Cut(Cut::After) => f.write_str("cut after commit"),
            Self::Listen => f.write_str("listen"),
            Self::Sweep => f.write_str("sweep"),
            Self::Prune => f.write_str("prune"),
            Self::Limit(Limit { who, in_flight, queued }) => {
                write!(f, "limit {who}")?;
                in_flight.iter().try_for_each(|max| write!(f, ", in flight {max}"))?;
                queued.iter().try_for_each(|max| write!(f, ", queued {max}"))
            }
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { who, id, verb } = self;
        match verb {
            Verb::Delegate(order) => write!(f, "{who} delegates {id} {order}"),
            Verb::Dispatch => write!(f, "{who} dispatches {id}"),
            Verb::Accept(None) => write!(f, "{who} accepts {id}"),
            Verb::Accept(Some(claim)) => write!(f, "{who} accepts {id} as {claim}"),
            Verb::Claim(Claiming { max, name }) => {
                write!(f, "{who} claims")?;
                (*max != 1).then(|| write!(f, " {max}")).transpose()?;
                name.iter().try_for_each(|name| write!(f, " as {name}"))
            }
            Verb::Beat(beat) => write!(f, "{who} beats {id}{beat}"),
            Verb::Complete(answer) => write!(f, "{who} completes {id}{answer}"),
            Verb::Fail(answer) => write!(f, "{who} fails {id}{answer}"),
            Verb::Release(answer) => write!(f, "{who} releases {id}{answer}"),
            Verb::Cancel(why) => {
                write!(f, "{who} cancels {id}")?;
                with(f, why.as_deref())
            }
            Verb::Retry(retrial) => write!(f, "{who} retries {id}{retrial}"),
            Verb::Extend(extension) => write!(f, "{who} extends {id} {extension}"),
            Verb::Set(setting) => write!(f, "{who} sets {id} {setting}"),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "to {}", self.to)?;
        clause(f, "key ", self.key.as_ref())?;
        clause(f, "under ", self.under.as_ref())?;
        clause(f, "attempts ", self.attempts)?;
        clause(f, "threshold ", self.threshold_s.map(length))?;
        clause(f, "grace ", self.grace_s.map(length))?;
        clause(f, "start within ", self.start_within_s.map(length))?;
        flag(f, "fail unless started", self.fail_unless_started)?;
        clause(f, "progress within ", self.progress_within_s.map(length))?;
        clause(f, "deadline ", self.deadline_s.map(length))?;
        clause(f, "priority ", (self.priority != 0).then_some(self.priority))?;
        flag(f, "dispatched", self.dispatched)?;
        flag(f, "cancel children", self.cancel_children)?;
        flag(f, "notify stuck", self.notify_stuck)?;
        flag(f, "notify recovered", self.notify_recovered)?;
        clause(f, "task ", self.task.as_deref().map(quoted))?;
        flag(f, "unnamed", self.unnamed)
    }
}

impl Display for Beat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        clause(f, "progress ", self.progress.as_deref().map(quoted))?;
        match &self.waiting {
            None => {}
            Some(Wait::Over) => f.write_str(", not waiting")?,
            Some(Wait::For { what, child, for_s }) => {
                write!(f, ", waiting for {what}")?;
                child.iter().try_for_each(|child| write!(f, " {child}"))?;
                for_s.iter().try_for_each(|seconds| write!(f, " for {}", length(*seconds)))?;
            }
        }
        whose(f, &self.lease, self.override_reason.as_deref())
    }
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        with(f, self.with.as_deref())?;
        whose(f, &self.lease, self.override_reason.as_deref())
    }
}

impl Display for Retrial {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.new_name.iter().try_for_each(|name| write!(f, " as {name}"))?;
        clause(f, "to ", self.to.as_ref())?;
        clause(f, "deadline ", self.deadline_s.map(length))?;
        clause(f, "if attempt ", self.if_attempt)
    }
}

impl Display for Extension {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "to {}", length(self.deadline_s))?;
        clause(f, "if version ", self.if_version)
    }
}

impl Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "to {}", self.status)?;
        with(f, self.with.as_deref())?;
        whose(f, &self.lease, self.override_reason.as_deref())
    }
}

fn whose(f: &mut Formatter<'_>, lease: &ShownLease, why: Option<&str>) -> fmt::Result {
    match lease {
        ShownLease::Own => {}
        ShownLease::None => f.write_str(", no lease")?,
        ShownLease::Of(who) => write!(f, ", {who}'s lease")?,
        ShownLease::Forged => f.write_str(", a forged lease")?,
    }
    clause(f, "override ", why.map(quoted))
}

fn with(f: &mut Formatter<'_>, text: Option<&str>) -> fmt::Result {
    text.iter().try_for_each(|text| write!(f, " with {}", quoted(text)))
}

fn clause(f: &mut Formatter<'_>, name: &str, value: Option<impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, ", {name}{value}"))
}

fn flag(f: &mut Formatter<'_>, name: &str, set: bool) -> fmt::Result {
    clause(f, name, set.then_some(""))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Whether this kind of wait names a child in a script.
pub(super) fn names_child(what: WaitFor) -> bool {
    what == WaitFor::Child
}
