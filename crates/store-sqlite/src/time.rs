//! The ledger's time over a machine's clocks, shared by all threads of the store.

use std::sync::{Mutex, PoisonError};

use consign_ledger::{Clock, Reading, Steady, Time};

pub(crate) struct LedgerTime {
    clock: Box<dyn Clock>,
    steady: Mutex<Steady>,
}

impl LedgerTime {
    /// A time that begins no earlier than `latest`, the last moment that the ledger wrote down.
    pub(crate) fn new(clock: impl Clock, latest: Time) -> Self {
        let steady = Steady::after(latest);
        if let Some(behind_ms) = steady.behind_ms(clock.wall_ms()) {
            tracing::warn!(
                behind_ms,
                "THE CLOCK IS BEHIND THE LEDGER: it was set back, or was wrong before. The ledger's time goes on \
                 from its last record, a tenth slower, until the clock has caught up"
            );
        }
        Self { clock: Box::new(clock), steady: Mutex::new(steady) }
    }

    pub(crate) fn reading(&self) -> Reading {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        // The wall clock first: what passes between the two looks must not make time run ahead.
        let wall_ms = self.clock.wall_ms();
        steady.reading(wall_ms, self.clock.boot_ms())
    }

    pub(crate) fn now(&self) -> Time {
        self.reading().now
    }
}
