//! Whether facts can be written, as far as this process has seen. It asks nobody.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Failure;

/// What came of the last that should have been written.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    failed: AtomicBool,
}

impl Writing {
    /// Of what could not be written for a reason of its own, others learn nothing.
    pub(crate) fn failed(&self, failure: &Failure) {
        if matches!(failure, Failure::Unavailable(_) | Failure::Unknown(_)) {
            self.failed.store(true, Ordering::Relaxed);
        }
    }

    /// Facts were committed. A mark or a beat is less: it may find room in a page where nothing else does.
    pub(crate) fn succeeded(&self) {
        if self.failed.swap(false, Ordering::Relaxed) {
            tracing::info!("the ledger is written to again");
        }
    }

    pub(crate) fn fails(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}
