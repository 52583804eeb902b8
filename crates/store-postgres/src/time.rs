//! The ledger's time: the server's clock, which all replicas share, and which never falls here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use consign_ledger::{Clock, Reading, Steady, Time};

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
    steady: Mutex<Steady>,
}

impl LedgerTime {
    /// A time that begins no earlier than `latest`, the last moment that the ledger wrote down, where the server's
    /// clock says `server_ms`.
    pub(crate) fn new(clock: impl Clock, wall: Wall, latest: Time, server_ms: i64) -> Self {
        let steady = Steady::after(latest);
        let wall_ms = if wall == Wall::Server { server_ms } else { clock.wall_ms() };
        if let Some(behind_ms) = steady.behind_ms(wall_ms) {
            tracing::warn!(
                behind_ms,
                "THE DATABASE'S CLOCK IS BEHIND THE LEDGER: it was set back, or was wrong before. The ledger's time \
                 goes on from its last record, a tenth slower, until the clock has caught up"
            );
        }
        Self { clock: Box::new(clock), wall, steady: Mutex::new(steady) }
    }

    /// What a statement takes for the wall instead of the server's clock.
    pub(crate) fn given_ms(&self) -> Option<i64> {
        (self.wall == Wall::Given).then(|| self.clock.wall_ms())
    }

    /// The time, now that the wall says so much.
    pub(crate) fn at(&self, wall_ms: i64) -> Time {
        self.reading(wall_ms, self.boot_ms()).now
    }

    pub(crate) fn reading(&self, wall_ms: i64, boot_ms: i64) -> Reading {
        self.steady().reading(wall_ms, boot_ms)
    }

    /// The last time that was told.
    pub(crate) fn latest(&self) -> Time {
        self.steady().latest()
    }

    fn steady(&self) -> MutexGuard<'_, Steady> {
        self.steady.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn boot_ms(&self) -> i64 {
        self.clock.boot_ms()
    }
}

/// Milliseconds on the wall, in SQL: the given clock's in `$1`, else the server's, read when it runs.
pub(crate) const WALL_MS: &str =
    "coalesce($1::bigint, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)";
