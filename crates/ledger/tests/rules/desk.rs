//! The desk serves as long as somebody can ask.

use consign_ledger::{Ledger, Reader as _, Settings};
use consign_testkit::{Backend as _, HandClock, Memory, SeededIds};

#[test]
fn the_desk_ends_when_the_last_handle_is_gone() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Memory::fresh(HandClock::default()).await;
        let settings = Settings { stuck_threshold_s: 600 };
        let (ledger, desk) = Ledger::open(store, settings, SeededIds::new(1)).await.unwrap();
        let other = ledger.clone();
        let desk = tokio::spawn(desk.run());
        drop(ledger);
        other.listen().await.unwrap();
        assert!(
            other
                .reader()
                .listening(consign_ledger::Time(0))
                .await
                .unwrap()
                .heard_until()
                .is_some()
        );
        drop(other);
        desk.await.unwrap();
    });
}
