//! What to do with a page of due watch rows. Pure: a glance at each, never a verdict.

use consign_ledger::Time;
use consign_ledger::delegation::listening::Listening;
use consign_ledger::delegation::watch::Watch;

/// A page, sorted out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Shown to be alive by a glance, and when to look again.
    pub(crate) alive: Vec<(Watch, Time)>,
    /// To be examined whole, in the order of the page.
    pub(crate) examine: Vec<Watch>,
    /// Whether some of those to be examined beat once and do not any more.
    pub(crate) somebody_is_silent: bool,
}

impl Plan {
    pub(crate) fn of(page: &[Watch], listening: &Listening, now: Time, threshold_s: u32) -> Self {
        let mut plan = Self::default();
        for row in page {
            if let Some(at) = row.glance(listening, now, threshold_s) {
                plan.alive.push((*row, at));
            } else {
                plan.somebody_is_silent |= looks_silent(row, now);
                plan.examine.push(*row);
            }
        }
        plan
    }

    /// Leaves for another pass what might be marked for its silence.
    pub(crate) fn spare_the_silent(&mut self, now: Time) {
        self.examine.retain(|row| !looks_silent(row, now));
        self.somebody_is_silent = false;
    }
}

/// Of a row that a glance did not show to be alive: whether silence, or missing progress, is the reason.
fn looks_silent(row: &Watch, now: Time) -> bool {
    row.epoch.is_some() && now <= row.deadline
}

/// The earliest moment whose listening time matters to a glance at these rows; `None` if none of them beats.
pub(crate) fn listens_from(page: &[Watch]) -> Option<Time> {
    let clocks = |row: &Watch| {
        let progress = row.progress_within_s.and(row.progress_at.max(row.clocks_from));
        row.alive_at.max(row.clocks_from).into_iter().chain(progress)
    };
    page.iter().filter(|row| row.epoch.is_some()).flat_map(clocks).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEATING: Watch = Watch {
        num: 1,
        epoch: Some(0),
        attempt: 1,
        alive_at: Some(Time(50_000)),
        progress_at: None,
        clocks_from: Some(Time(10_000)),
        threshold_s: None,
        progress_within_s: None,
        check_at: Some(Time(70_000)),
        deadline: Time(1_000_000),
    };

    fn listening() -> Listening {
        Listening::new(Some(Time(100_000)), vec![])
    }

    #[test]
    fn a_page_is_sorted_into_the_living_and_those_to_be_examined() {
        let living = Watch { num: 2, alive_at: Some(Time(90_000)), ..BEATING };
        let waiting = Watch { num: 3, epoch: None, ..BEATING };
        let plan = Plan::of(&[living, waiting], &listening(), Time(100_000), 20);
        assert_eq!(plan.alive, [(living, Time(110_000))]);
        assert_eq!((plan.examine, plan.somebody_is_silent), (vec![waiting], false));
    }

    #[test]
    fn only_a_beating_row_before_its_deadline_is_silent() {
        let idle = Watch { progress_within_s: Some(5), alive_at: Some(Time(99_000)), ..BEATING };
        for (what, row, silent) in [
            ("silent", BEATING, true),
            ("without progress", idle, true),
            ("waiting or stuck", Watch { epoch: None, ..BEATING }, false),
            ("past its deadline", Watch { deadline: Time(99_999), ..BEATING }, false),
        ] {
            let mut plan = Plan::of(&[row], &listening(), Time(100_000), 20);
            assert_eq!((plan.examine.len(), plan.somebody_is_silent), (1, silent), "{what}");
            plan.spare_the_silent(Time(100_000));
            assert_eq!(plan.examine.is_empty(), silent, "{what}");
        }
    }

    #[test]
    fn listening_is_read_as_far_back_as_the_oldest_clock_that_runs() {
        let stuck = Watch { epoch: None, alive_at: Some(Time(1)), clocks_from: None, ..BEATING };
        let idle = Watch { progress_within_s: Some(5), progress_at: Some(Time(20_000)), ..BEATING };
        for (what, page, from) in [
            ("nobody", vec![], None),
            ("nobody beats", vec![stuck], None),
            ("the last beat", vec![BEATING, stuck], Some(50_000)),
            ("the last progress", vec![BEATING, idle], Some(20_000)),
        ] {
            assert_eq!(listens_from(&page), from.map(Time), "{what}");
        }
    }
}
