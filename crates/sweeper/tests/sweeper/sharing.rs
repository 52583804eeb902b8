//! One pass at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use crate::cast::{ONE_OVERDUE, scene, stall, sweeper};

#[tokio::test]
async fn who_asks_while_a_pass_runs_shares_it() {
    let world = scene(ONE_OVERDUE).await;
    let sweeper = Arc::new(sweeper(&world));
    let stall = stall(&world, "due deadlines");
    let ask = || {
        let sweeper = Arc::clone(&sweeper);
        tokio::spawn(async move { sweeper.pass().await })
    };
    let first = ask();
    stall.stalled.notified().await;
    let others = [ask(), ask()];
    tokio::task::yield_now().await;
    stall.release.add_permits(100);
    let report = first.await.unwrap();
    assert_eq!(report.deadline_failures, 1);
    for other in others {
        assert_eq!(other.await.unwrap(), report);
    }
    assert_eq!(stall.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn a_pass_goes_on_when_who_asked_for_it_leaves() {
    let world = scene(ONE_OVERDUE).await;
    let sweeper = Arc::new(sweeper(&world));
    let stall = stall(&world, "due deadlines");
    let asker = tokio::spawn({
        let sweeper = Arc::clone(&sweeper);
        async move { sweeper.pass().await }
    });
    stall.stalled.notified().await;
    asker.abort();
    assert!(asker.await.is_err());
    stall.release.add_permits(100);
    let report = sweeper.pass().await;
    assert_eq!(
        (report.deadline_failures, stall.asked.load(SeqCst)),
        (1, 1),
        "it is still the first one"
    );
}
