//! When the model's ledger listened.

/// A longer step of the mark than this is not listening, in milliseconds.
const STEP_MS_MAX: i64 = 2000;
/// A heartbeat moves the mark no more often than this, in milliseconds.
const MARK_EVERY_MS: i64 = 1000;

/// The mark, and the stretches before it in which nobody listened.
pub(super) struct Ears {
    pub(super) heard_until: i64,
    deaf: Vec<(i64, i64)>,
}

impl Ears {
    pub(super) fn new(now: i64) -> Self {
        Self { heard_until: now, deaf: vec![] }
    }

    /// Somebody makes sure that all was heard.
    pub(super) fn listen(&mut self, now: i64) {
        if now - self.heard_until > STEP_MS_MAX {
            self.deaf.push((self.heard_until, now));
        }
        self.heard_until = self.heard_until.max(now);
    }

    /// A heartbeat came in.
    pub(super) fn hear(&mut self, now: i64) {
        if now - self.heard_until >= MARK_EVERY_MS {
            self.listen(now);
        }
    }

    /// How long the ledger listened between the two moments, in milliseconds.
    pub(super) fn listened_ms(&self, from: i64, to: i64) -> i64 {
        let to = to.min(self.heard_until);
        let deaf: i64 = self.deaf.iter().map(|gap| (gap.1.min(to) - gap.0.max(from)).max(0)).sum();
        (to - from - deaf).max(0)
    }
}
