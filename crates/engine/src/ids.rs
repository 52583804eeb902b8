//! New ids: UUID version 7, so that neighbours in time are neighbours in an index.

use consign_ledger::{Clock, IdSource};
use uuid::Builder;

use crate::clock::SystemClock;

/// A new UUID by the machine's clock, for who names a delegation before asking for it.
#[must_use]
pub fn fresh_uuid() -> [u8; 16] {
    Uuids(SystemClock).next_uuid()
}

/// Ids of a clock's milliseconds and the kernel's random bytes.
pub(crate) struct Uuids<C>(pub(crate) C);

impl<C: Clock> IdSource for Uuids<C> {
    fn next_uuid(&self) -> [u8; 16] {
        let mut random = [0; 10];
        getrandom::fill(&mut random).expect("a kernel that runs this program has random bytes");
        let now_ms = u64::try_from(self.0.wall_ms()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_differ() {
        let ids = Uuids(SystemClock);
        let (one, two) = (ids.next_uuid(), ids.next_uuid());
        assert_ne!(one, two);
        for id in [one, two] {
            assert_eq!(uuid::Uuid::from_bytes(id).get_version_num(), 7);
        }
    }
}
