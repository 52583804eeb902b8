//! One line of the table: what was measured, beside what, and whether that is enough.

use serde::Serialize;

use crate::spread::Spread;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    /// Milliseconds: less is better.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Things a second: more is better.
    #[serde(rename = "per second")]
    PerSecond,
    /// Mebibytes: less is better.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// Percent of one core: less is better.
    #[serde(rename = "% of a core")]
    PercentOfCore,
}

/// What must be reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// The figure itself, at most.
    AtMost(f64),
    /// The figure itself, at least.
    AtLeast(f64),
    /// So many times as good as what stands beside it.
    TimesAsGood(f64),
    /// At most so many times what stands beside it.
    TimesAtMost(f64),
}

/// How far a goal was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    /// Missed, by less than a factor of two.
    HalfWay,
    Missed,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) ours: Spread,
    /// The other side of the comparison, and what it measured.
    pub(crate) beside: Option<(String, Spread)>,
    /// How many times as good as the other side: in each round, then the spread over the rounds.
    pub(crate) ratio: Option<Spread>,
    /// Absent where nothing is wished.
    pub(crate) goal: Option<Goal>,
    pub(crate) verdict: Option<Verdict>,
    /// `fdatasync` a second, before each round.
    pub(crate) disk: Spread,
}

/// The figures of the rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds {
    pub(crate) ours: Vec<f64>,
    pub(crate) theirs: Vec<f64>,
    pub(crate) disk: Vec<f64>,
}

impl Rounds {
    /// Adds a round: our figure, the other side's, and the disk's rate before it.
    pub(crate) fn push(&mut self, ours: f64, theirs: f64, disk: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
        self.disk.push(disk);
    }

    /// A figure that stands alone.
    pub(crate) fn line(&self, what: &str, unit: Unit, goal: impl Into<Option<Goal>>) -> Line {
        let (ours, disk) = (Spread::of(self.ours.clone()), Spread::of(self.disk.clone()));
        let goal = goal.into();
        let verdict = goal.map(|goal| goal.judge(ours.median, None));
        Line { what: what.to_owned(), unit, ours, beside: None, ratio: None, goal, verdict, disk }
    }

    /// A figure beside another that was taken in the same rounds.
    pub(crate) fn line_beside(
        &self,
        what: &str,
        unit: Unit,
        beside: &str,
        goal: impl Into<Option<Goal>>,
    ) -> Line {
        let goal = goal.into();
        let as_good = |(ours, theirs): (&f64, &f64)| match (unit, goal) {
            (Unit::PerSecond, _) | (_, Some(Goal::TimesAtMost(_))) => ours / theirs,
            _ => theirs / ours,
        };
        let ratio = Spread::of(self.ours.iter().zip(&self.theirs).map(as_good).collect());
        let alone = self.line(what, unit, goal);
        let verdict = goal.map(|goal| goal.judge(alone.ours.median, Some(ratio.median)));
        let beside = Some((beside.to_owned(), Spread::of(self.theirs.clone())));
        Line { beside, ratio: Some(ratio), verdict, ..alone }
    }
}

impl Goal {
    fn judge(self, ours: f64, ratio: Option<f64>) -> Verdict {
        let ratio = ratio.unwrap_or(f64::NAN);
        // How much of the goal was reached: 1 is all.
        let reached = match self {
            Self::AtMost(most) => most / ours,
            Self::AtLeast(least) => ours / least,
            Self::TimesAsGood(times) => ratio / times,
            Self::TimesAtMost(times) => times / ratio,
        };
        match reached {
            reached if reached >= 1.0 => Verdict::Met,
            reached if reached >= 0.5 => Verdict::HalfWay,
            _ => Verdict::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(ours: &[f64], theirs: &[f64]) -> Rounds {
        Rounds { ours: ours.to_vec(), theirs: theirs.to_vec(), disk: vec![1000.0] }
    }

    #[test]
    fn a_goal_is_met_half_reached_or_missed() {
        for (goal, unit, ours, theirs, verdict) in [
            (Goal::AtMost(5.0), Unit::Milliseconds, 5.0, 1.0, Verdict::Met),
            (Goal::AtMost(5.0), Unit::Milliseconds, 9.0, 1.0, Verdict::HalfWay),
            (Goal::AtMost(5.0), Unit::Milliseconds, 11.0, 1.0, Verdict::Missed),
            (Goal::AtLeast(80.0), Unit::PerSecond, 79.0, 1.0, Verdict::HalfWay),
            (Goal::TimesAsGood(150.0), Unit::Milliseconds, 10.0, 1500.0, Verdict::Met),
            (Goal::TimesAsGood(150.0), Unit::Milliseconds, 10.0, 700.0, Verdict::Missed),
            (Goal::TimesAsGood(0.6), Unit::PerSecond, 60.0, 100.0, Verdict::Met),
            (Goal::TimesAsGood(0.6), Unit::PerSecond, 25.0, 100.0, Verdict::Missed),
            (Goal::TimesAtMost(1.5), Unit::Milliseconds, 1.4, 1.0, Verdict::Met),
            (Goal::TimesAtMost(1.5), Unit::Milliseconds, 1.6, 1.0, Verdict::HalfWay),
        ] {
            let line = rounds(&[ours], &[theirs]).line_beside("a", unit, "b", goal);
            assert_eq!(line.verdict, Some(verdict), "{goal:?} {ours} {theirs}");
        }
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let line = rounds(&[1.0, 10.0, 100.0], &[2.0, 20.0, 400.0]).line_beside(
            "a",
            Unit::Milliseconds,
            "b",
            Goal::TimesAsGood(2.0),
        );
        assert_eq!(line.ratio, Some(Spread { median: 2.0, least: 2.0, most: 4.0 }));
    }
}
