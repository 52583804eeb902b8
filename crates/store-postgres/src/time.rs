//! The ledger's time: the server's clock, which all replicas share, and which never falls here.

use std::sync::atomic::{AtomicI64, Ordering};

use consign_ledger::{Clock, Reading, Time};

/// Whose clock on the wall decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wall {
    /// The database server's, the same for all replicas.
    Server,
    /// The given clock's: for tests, which move it by hand.
    Given,
}

pub(crate) struct LedgerTime {
    clock: Box<dyn Clock>,
    wall: Wall,
    latest: AtomicI64,
}

impl LedgerTime {
    /// A time that begins no earlier than `latest`, the last moment that the ledger wrote down.
    pub(crate) fn new(clock: impl Clock, wall: Wall, latest: Time) -> Self {
        Self { clock: Box::new(clock), wall, latest: AtomicI64::new(latest.0) }
    }

    /// What a statement takes for the wall instead of the server's clock.
    pub(crate) fn given_ms(&self) -> Option<i64> {
        (self.wall == Wall::Given).then(|| self.clock.wall_ms())
    }

    /// The time, now that the wall says so much.
    pub(crate) fn at(&self, wall_ms: i64) -> Time {
        let before = self.latest.fetch_max(wall_ms, Ordering::Relaxed);
        Time(before.max(wall_ms))
    }

    pub(crate) fn reading(&self, wall_ms: i64, boot_ms: i64) -> Reading {
        Reading { now: self.at(wall_ms), wall_ms, boot_ms }
    }

    /// The last time that was told.
    pub(crate) fn latest(&self) -> Time {
        Time(self.latest.load(Ordering::Relaxed))
    }

    pub(crate) fn boot_ms(&self) -> i64 {
        self.clock.boot_ms()
    }
}

/// Milliseconds on the wall, in SQL: the given clock's in `$1`, else the server's, read when it runs.
pub(crate) const WALL_MS: &str =
    "coalesce($1::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
