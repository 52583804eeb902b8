//! The stopwatch: time that passed, and time that this process computed.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Runs from its making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    clock: ClockId,
    begun: Timespec,
}

impl Stopwatch {
    /// Measures time that passes.
    pub(crate) fn start() -> Self {
        Self::on(ClockId::Monotonic)
    }

    /// Measures time that all threads of this process spend on a core.
    pub(crate) fn of_cpu() -> Self {
        Self::on(ClockId::ProcessCPUTime)
    }

    fn on(clock: ClockId) -> Self {
        Self { clock, begun: clock_gettime(clock) }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::try_from(clock_gettime(self.clock) - self.begun).unwrap_or_default()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }

    pub(crate) fn ms(&self) -> f64 {
        self.seconds() * 1000.0
    }
}

/// Milliseconds since 1970, as the machine believes.
pub(crate) fn wall_ms() -> i64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
