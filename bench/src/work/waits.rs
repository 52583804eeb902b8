//! From a verdict to a caller that waits for it.

use super::Ledger;
use crate::Outcome;
use crate::args::Plan;
use crate::child::put;
use crate::disk::fdatasyncs_per_s;
use crate::line::{Goal, Line, Rounds, Unit};
use crate::load::{At, Load, Told, Waits};

const WAITERS: usize = 64;
const IDLE: usize = 1000;
/// Verdicts for each second that a load is wished to last.
const SAMPLES_PER_S: usize = 128;
const WISHED: Goal = Goal::AtMost(20.0);

/// One way to wait. With several servers, the verdict falls at another than where it is waited for.
struct Variant {
    what: &'static str,
    at: At,
    idle: usize,
    at_once: usize,
    servers: usize,
}

const DELEGATION: Variant =
    Variant { what: "at the delegation", at: At::Delegation, idle: 0, at_once: 1, servers: 1 };

const VARIANTS: [Variant; 5] = [
    DELEGATION,
    Variant { what: "at its inbox", at: At::Inbox, ..DELEGATION },
    Variant { what: "at the delegation, 1,000 idle beside", idle: IDLE, ..DELEGATION },
    Variant { what: "at the delegation, 64 verdicts at once", at_once: WAITERS, ..DELEGATION },
    Variant { what: "at the delegation, the verdict at the other", servers: 2, ..DELEGATION },
];

/// The figures of one variant.
#[derive(Default)]
struct Figures {
    p50: Rounds,
    p99: Rounds,
    after_p99: Rounds,
}

pub(super) fn measure(plan: &Plan, ledger: &Ledger) -> Outcome<Vec<Line>> {
    let variants = || VARIANTS.iter().filter(|variant| ledger.servers.contains(&variant.servers));
    let mut figures: Vec<Figures> = variants().map(|_| Figures::default()).collect();
    for _ in 0..plan.rounds {
        for (variant, figures) in variants().zip(&mut figures) {
            let disk = fdatasyncs_per_s(&plan.dir)?;
            let told = put(variant.load(plan)?, &ledger.start(variant.servers)?)?;
            figures.push(&told, disk);
        }
    }
    let all = variants().zip(&figures);
    Ok(all.flat_map(|(variant, figures)| figures.lines(ledger, variant)).collect())
}

impl Variant {
    fn load(&self, plan: &Plan) -> Outcome<Load> {
        let samples = SAMPLES_PER_S * usize::try_from(plan.seconds)?;
        let Self { at, idle, at_once, .. } = *self;
        Ok(Load::Waits(Waits { at, waiters: WAITERS, idle, at_once, samples }))
    }
}

impl Figures {
    fn push(&mut self, told: &Told, disk: f64) {
        for (rounds, ms) in [
            (&mut self.p50, told.p50),
            (&mut self.p99, told.p99),
            (&mut self.after_p99, told.after_p99),
        ] {
            rounds.ours.push(ms);
            rounds.disk.push(disk);
        }
    }

    fn lines(&self, ledger: &Ledger, variant: &Variant) -> [Line; 3] {
        let what = format!("verdict to one of {WAITERS} who wait {}", variant.what);
        let line = |rounds: &Rounds, which: &str, goal: Option<Goal>| {
            let what = ledger.name(&format!("{what}, {which}"), variant.servers);
            rounds.line(&what, Unit::Milliseconds, goal)
        };
        [
            line(&self.p50, "p50", None),
            line(&self.p99, "p99", Some(WISHED)),
            line(&self.after_p99, "p99 after the callee was answered", None),
        ]
    }
}
