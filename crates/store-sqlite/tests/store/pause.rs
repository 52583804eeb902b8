//! The ledger has no timer; its store has.

use std::time::Duration;

use consign_ledger::Store as _;
use consign_testkit::{Backend as _, HandClock};
use tokio::time::Instant;

use super::backend::Sqlite;

#[tokio::test(start_paused = true)]
async fn a_pause_lasts_as_long_as_it_is_asked_to() {
    let store = Sqlite::fresh(HandClock::default()).await.open().await;
    let before = Instant::now();
    store.pause(800).await;
    assert_eq!(before.elapsed(), Duration::from_millis(800));
}
