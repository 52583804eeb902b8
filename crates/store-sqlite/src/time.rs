//! The ledger's time over a machine's clock: it never falls, also where the clock steps back.

use std::sync::atomic::{AtomicI64, Ordering};

use consign_ledger::{Clock, Reading, Time};

pub(crate) struct LedgerTime {
    clock: Box<dyn Clock>,
    latest: AtomicI64,
}

impl LedgerTime {
    /// A time that begins no earlier than `latest`, the last moment that the ledger wrote down.
    pub(crate) fn new(clock: impl Clock, latest: Time) -> Self {
        Self { clock: Box::new(clock), latest: AtomicI64::new(latest.0) }
    }

    pub(crate) fn reading(&self) -> Reading {
        let (wall_ms, boot_ms) = (self.clock.wall_ms(), self.clock.boot_ms());
        let before = self.latest.fetch_max(wall_ms, Ordering::Relaxed);
        Reading { now: Time(before.max(wall_ms)), wall_ms, boot_ms }
    }

    pub(crate) fn now(&self) -> Time {
        self.reading().now
    }
}
