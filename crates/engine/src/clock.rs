//! The machine's clocks: the one place that reads them.

use consign_ledger::Clock;
use rustix::time::{ClockId, clock_gettime};

/// Counts suspend, so that a machine that slept is seen to have slept.
#[cfg(target_os = "linux")]
const BOOT_TIME: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock is the nearest there is.
#[cfg(not(target_os = "linux"))]
const BOOT_TIME: ClockId = ClockId::Monotonic;

/// The clocks of the machine that the server runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        milliseconds(ClockId::Realtime)
    }

    fn boot_ms(&self) -> i64 {
        milliseconds(BOOT_TIME)
    }
}

fn milliseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_in_this_century_and_boot_lies_behind_it() {
        let (wall_ms, boot_ms) = (SystemClock.wall_ms(), SystemClock.boot_ms());
        assert!(wall_ms > 1_700_000_000_000, "{wall_ms}");
        assert!(boot_ms > 0 && boot_ms < wall_ms, "{boot_ms}");
    }
}
