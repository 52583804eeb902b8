//! What the passes of one process came to, all together, for whoever watches it.

use consign_ledger::query::{Measure, MeasureKind, float};

use crate::report::Tally;

/// Since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    passes: u64,
    passed_ms: u64,
    brakes: u64,
    outcomes: [u64; OUTCOMES.len()],
}

const OUTCOMES: [&str; 9] = [
    "deadline_failed",
    "failed",
    "stuck",
    "requeued",
    "resumed",
    "cancelled",
    "rearmed",
    "held",
    "error",
];

impl Totals {
    /// Counts a pass that is over.
    pub(crate) fn add(&mut self, tally: &Tally) {
        let report = &tally.report;
        self.passes += 1;
        self.passed_ms += report.duration_ms;
        self.brakes += tally.brakes;
        let outcomes = [
            report.deadline_failures,
            tally.failed,
            report.stuck_marked,
            report.requeued,
            tally.resumed,
            tally.cancelled,
            report.rearmed,
            report.held,
            report.errors,
        ];
        self.outcomes.iter_mut().zip(outcomes).for_each(|(sum, more)| *sum += more);
    }

    pub(crate) fn measures(&self) -> Vec<Measure> {
        let seconds = Measure {
            kind: MeasureKind::Counter,
            ..Measure::gauge(
                "sweep_seconds",
                "How long the passes of this server lasted",
                float(self.passed_ms) / 1000.0,
            )
        };
        let outcome = |(which, count): (&'static str, u64)| {
            Measure::counter(
                "swept",
                "What the passes of this server came to, by what was done",
                count,
            )
            .of("outcome", which)
        };
        let mut measures = vec![
            Measure::counter("sweeps", "Passes that this server made", self.passes),
            seconds,
            Measure::counter("brakes", "How often this server pulled the brake", self.brakes),
        ];
        measures.extend(OUTCOMES.into_iter().zip(self.outcomes).map(outcome));
        measures
    }
}
