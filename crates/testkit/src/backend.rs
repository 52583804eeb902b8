//! What the suite needs of a store beside the store itself: to open it, and to break it.

use std::future::Future;

use consign_ledger::{DelegationId, Store};

use crate::HandClock;

/// One place where a ledger's data lives, over one hand-moved clock.
pub trait Backend: Sized + Send + Sync + 'static {
    /// The store that is tested.
    type Store: Store;

    /// A place with nothing in it.
    fn fresh(clock: HandClock) -> impl Future<Output = Self> + Send;

    /// Opens the data as they stand, as a server does at its start. The store opened before is gone.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Makes of this delegation's row, behind the ledger's back, one that the rules could not have written.
    fn poison(&self, id: &DelegationId) -> impl Future<Output = ()> + Send;

    /// From now on the database itself rejects what is written about this delegation, in the midst of
    /// whatever transaction brings it.
    fn refuse(&self, id: &DelegationId) -> impl Future<Output = ()> + Send;
}
