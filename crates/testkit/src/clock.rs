//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use consign_ledger::Clock;

/// What the clock on the wall says at first, in milliseconds: a whole second, far from any midnight.
const WALL_MS_FIRST: i64 = 1_800_000_000_000;
/// For how long the machine had been running by then, in milliseconds.
const BOOT_MS_FIRST: i64 = 86_400_000;

/// Both clocks of a machine, moved by hand. A clone is the same clock.
#[derive(Clone, Debug)]
pub struct HandClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    wall_ms: AtomicI64,
    boot_ms: AtomicI64,
}

impl Default for HandClock {
    fn default() -> Self {
        let (wall_ms, boot_ms) = (AtomicI64::new(WALL_MS_FIRST), AtomicI64::new(BOOT_MS_FIRST));
        Self(Arc::new(Hands { wall_ms, boot_ms }))
    }
}

impl HandClock {
    /// Lets time pass: both clocks move on.
    pub fn advance_ms(&self, ms: u32) {
        self.0.wall_ms.fetch_add(i64::from(ms), SeqCst);
        self.0.boot_ms.fetch_add(i64::from(ms), SeqCst);
    }

    /// Lets somebody set the wall clock, forward or back. No time passes.
    pub fn step_wall_ms(&self, by_ms: i64) {
        self.0.wall_ms.fetch_add(by_ms, SeqCst);
    }
}

impl Clock for HandClock {
    fn wall_ms(&self) -> i64 {
        self.0.wall_ms.load(SeqCst)
    }

    fn boot_ms(&self) -> i64 {
        self.0.boot_ms.load(SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_on_both_clocks_and_a_step_moves_only_the_wall() {
        let clock = HandClock::default();
        clock.advance_ms(1500);
        clock.step_wall_ms(-9000);
        assert_eq!(clock.wall_ms(), WALL_MS_FIRST + 1500 - 9000);
        assert_eq!(clock.boot_ms(), BOOT_MS_FIRST + 1500);
    }
}
