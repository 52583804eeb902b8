//! What a pass counts, and the line that it leaves in the log.

use std::fmt;

use consign_ledger::command::Swept;
use consign_ledger::query::SweepReport;

/// The counts of one pass. More than the report shows, so that no change goes unsaid.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// What everybody is told.
    pub(crate) report: SweepReport,
    /// Failed for another reason than the deadline.
    pub(crate) failed: u64,
    /// Whose wait ended.
    pub(crate) resumed: u64,
    /// Children cancelled after their parents.
    pub(crate) cancelled: u64,
    /// Whether this pass pulled the brake.
    pub(crate) brakes: u64,
    /// Whether the store or the door failed, so that the same again at once would be in vain.
    pub(crate) troubled: bool,
}

impl Tally {
    /// Counts what came of a step.
    pub(crate) fn note(&mut self, swept: Swept) {
        let count = match swept {
            Swept::Spared | Swept::Braked => return,
            Swept::Rearmed => &mut self.report.rearmed,
            Swept::Held => &mut self.report.held,
            Swept::DeadlineFailed => &mut self.report.deadline_failures,
            Swept::Failed => &mut self.failed,
            Swept::Stuck => &mut self.report.stuck_marked,
            Swept::Requeued => &mut self.report.requeued,
            Swept::Resumed => &mut self.resumed,
            Swept::Cancelled => &mut self.cancelled,
        };
        *count += 1;
    }

    /// Whether anything changed or failed.
    pub(crate) fn is_news(&self) -> bool {
        self.report.is_news() || self.failed + self.resumed + self.cancelled > 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.report;
        let counts = [
            (report.errors, "failed to be handled"),
            (report.deadline_failures, "past the deadline"),
            (self.failed, "failed otherwise"),
            (report.stuck_marked, "stuck"),
            (report.requeued, "requeued"),
            (self.resumed, "done waiting"),
            (self.cancelled, "cancelled with a parent"),
            (report.held, "held by the brake"),
            (report.rearmed, "alive"),
        ];
        f.write_str("swept:")?;
        let mut comma = "";
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{comma} {count} {what}")?;
            comma = ",";
        }
        if comma.is_empty() {
            f.write_str(" nothing to do")?;
        }
        write!(f, "; {} ms", report.duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_reads_as_a_sentence() {
        let mut tally = Tally::default();
        tally.report.duration_ms = 4;
        assert_eq!(tally.to_string(), "swept: nothing to do; 4 ms");
        for swept in [Swept::Stuck, Swept::Stuck, Swept::DeadlineFailed, Swept::Spared] {
            tally.note(swept);
        }
        assert_eq!(tally.to_string(), "swept: 1 past the deadline, 2 stuck; 4 ms");
    }

    #[test]
    fn a_change_is_news_and_a_look_is_none() {
        for (swept, news) in [
            (Swept::Spared, false),
            (Swept::Rearmed, false),
            (Swept::Held, true),
            (Swept::DeadlineFailed, true),
            (Swept::Failed, true),
            (Swept::Stuck, true),
            (Swept::Requeued, true),
            (Swept::Resumed, true),
            (Swept::Cancelled, true),
        ] {
            let mut tally = Tally::default();
            tally.note(swept);
            assert_eq!(tally.is_news(), news, "{swept:?}");
        }
    }
}
