//! What failed is put off, each time for longer, so that one bad row costs a pass nothing.
//!
//! It is kept in memory alone: a restart tries everything again.

use std::collections::HashMap;

use consign_ledger::Time;
use consign_ledger::delegation::watch::RowNum;

/// The first time that something fails, it is put off for so long.
const FIRST_MS: i64 = 1000;
/// The longest that anything is put off.
const LONGEST_MS: i64 = 300_000;
/// Most rows that are remembered at once.
pub(crate) const ROWS_MAX: usize = 1000;

/// The rows that are put off, by number.
#[derive(Debug, Default)]
pub(crate) struct Backoff(HashMap<RowNum, PutOff>);

#[derive(Clone, Copy, Debug)]
struct PutOff {
    until: Time,
    times: u32,
}

/// There is no room to remember another row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Backoff {
    /// Whether a pass at `now` leaves this row alone.
    pub(crate) fn skips(&self, num: RowNum, now: Time) -> bool {
        self.0.get(&num).is_some_and(|put_off| now < put_off.until)
    }

    /// Whether it failed when it was tried last.
    pub(crate) fn remembers(&self, num: RowNum) -> bool {
        self.0.contains_key(&num)
    }

    /// It failed (again): twice as long as the last time.
    pub(crate) fn put_off(&mut self, num: RowNum, now: Time) -> Result<(), Full> {
        if self.0.len() >= ROWS_MAX && !self.0.contains_key(&num) {
            return Err(Full);
        }
        let put_off = self.0.entry(num).or_insert(PutOff { until: now, times: 0 });
        put_off.until = now + delay_ms(put_off.times);
        put_off.times += 1;
        Ok(())
    }

    /// It succeeded.
    pub(crate) fn forget(&mut self, num: RowNum) {
        self.0.remove(&num);
    }

    /// A pass at `now` met everything that was due: what it could have met and did not is no longer due.
    pub(crate) fn settle(&mut self, now: Time) {
        self.0.retain(|_, put_off| now < put_off.until);
    }

    /// When the first of them may be tried again.
    pub(crate) fn earliest(&self) -> Option<Time> {
        self.0.values().map(|put_off| put_off.until).min()
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn delay_ms(times: u32) -> i64 {
    FIRST_MS.saturating_mul(1 << times.min(30)).min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_puts_it_off_for_twice_as_long_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let mut now = Time(0);
        for wait_s in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            backoff.put_off(7, now).unwrap();
            assert!(backoff.skips(7, now + (wait_s * 1000 - 1)), "{wait_s}");
            now = now + wait_s * 1000;
            assert!(!backoff.skips(7, now), "{wait_s}");
            assert_eq!(backoff.earliest(), Some(now));
        }
    }

    #[test]
    fn a_success_starts_it_anew() {
        let mut backoff = Backoff::default();
        backoff.put_off(7, Time(0)).unwrap();
        backoff.put_off(7, Time(0)).unwrap();
        backoff.forget(7);
        assert!(!backoff.skips(7, Time(0)));
        backoff.put_off(7, Time(0)).unwrap();
        assert_eq!(backoff.earliest(), Some(Time(1000)));
    }

    #[test]
    fn what_is_no_longer_met_is_forgotten() {
        let mut backoff = Backoff::default();
        backoff.put_off(1, Time(0)).unwrap();
        backoff.put_off(2, Time(500)).unwrap();
        backoff.settle(Time(1000));
        assert_eq!((backoff.len(), backoff.earliest()), (1, Some(Time(1500))));
    }

    #[test]
    fn it_remembers_no_more_than_its_bound() {
        let mut backoff = Backoff::default();
        let all = RowNum::try_from(ROWS_MAX).unwrap();
        (0..all).for_each(|num| backoff.put_off(num, Time(0)).unwrap());
        assert_eq!(backoff.put_off(all, Time(0)), Err(Full));
        assert_eq!(backoff.put_off(0, Time(0)), Ok(()));
        assert_eq!(backoff.len(), ROWS_MAX);
    }
}
