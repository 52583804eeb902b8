//! Ids from a seed: the same seed gives the same ids, and later ones sort behind earlier ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use consign_ledger::IdSource;

/// A source of ids that look like version 7 UUIDs. A clone continues the same sequence.
#[derive(Clone, Debug)]
pub struct SeededIds {
    seed: u64,
    made: Arc<AtomicU64>,
}

impl SeededIds {
    /// The sequence that belongs to this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, made: Arc::default() }
    }
}

impl IdSource for SeededIds {
    fn next_uuid(&self) -> [u8; 16] {
        let nth = self.made.fetch_add(1, SeqCst);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&nth.to_be_bytes()[2..]);
        bytes[8..].copy_from_slice(&scattered(self.seed ^ scattered(nth)).to_be_bytes());
        bytes[6] = 0x70;
        bytes[8] = 0x80 | bytes[8] & 0x3f;
        bytes
    }
}

/// `SplitMix64`'s finalizer: neighbours in, strangers out.
fn scattered(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_own_ids_in_order() {
        let take = |seed| {
            let ids = SeededIds::new(seed);
            (0..100).map(|_| ids.next_uuid()).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert!(take(1).is_sorted());
    }
}
