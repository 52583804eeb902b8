//! The end of a ledger: in good order, by dropping it, with its runtime.

use consign::{Error, Ledger, Status, Until};
use tokio::runtime::Runtime;

use crate::place::{Place, asked_of_bob, in_both};

in_both!(
    a_closed_ledger_answers_who_waits_and_takes_nothing_more,
    a_dropped_ledger_can_be_opened_again_at_once,
);

async fn a_closed_ledger_answers_who_waits_and_takes_nothing_more(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let (waiting, waited_for) = (ledger.clone(), id.clone());
    let waiter = tokio::spawn(async move { waiting.wait(&waited_for, Until::Terminal).await });
    let watcher = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.closed().await }
    });
    ledger.close().await;

    let told = waiter.await.unwrap().unwrap_err();
    assert!(
        matches!(told, Error::Closed(_)) && told.to_string().contains("open it again"),
        "{told}"
    );
    assert!(matches!(ledger.show(&id).await, Err(Error::Closed(_))));
    assert!(watcher.await.unwrap().contains("somebody closed it"));
    ledger.close().await;

    // The file is free, although handles to the closed ledger are still about.
    let again = place.ledger().await;
    assert_eq!(again.show(&id).await.unwrap().delegation.status, Status::Queued);
    again.close().await;
}

async fn a_dropped_ledger_can_be_opened_again_at_once(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let work = ledger.accept(&id, "bob-1").await.unwrap();
    work.complete("done").await.unwrap();
    drop((ledger, work));

    let again = place.ledger().await;
    let record = again.show(&id).await.unwrap();
    assert_eq!((record.delegation.status, record.result), (Status::Completed, Some("done".into())));
    again.close().await;
}

#[test]
fn what_was_acknowledged_outlives_the_runtime_that_it_was_acknowledged_in() {
    let place = Place::file();
    let first = Runtime::new().unwrap();
    let (ledger, id) = first.block_on(async {
        let ledger = place.ledger().await;
        let id = asked_of_bob(&ledger).await;
        (ledger, id)
    });
    drop(first);
    Runtime::new().unwrap().block_on(async {
        let told = ledger.show(&id).await;
        drop(ledger);
        assert!(told.is_ok() || told.is_err_and(|told| told.is_passing()));
        let again = place.ledger().await;
        assert_eq!(again.show(&id).await.unwrap().delegation.status, Status::Queued);
        again.close().await;
    });
}

#[tokio::test]
async fn one_thread_is_enough() {
    let place = Place::file();
    let ledger: Ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    ledger.accept(&id, "bob-1").await.unwrap();
    assert_eq!(ledger.wait(&id, Until::Stuck).await.unwrap().delegation.status, Status::Stuck);
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_share_a_ledger_in_a_database() {
    let place = Place::database().await;
    let (ours, theirs) = (place.ledger().await, place.ledger().await);
    let id = asked_of_bob(&ours).await;
    let work = theirs.accept(&id, "bob-1").await.unwrap();
    let waiter = tokio::spawn({
        let (ours, id) = (ours.clone(), id.clone());
        async move { ours.wait(&id, Until::Terminal).await }
    });
    work.complete("done").await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap().result, Some("done".into()));
    ours.close().await;
    theirs.close().await;
}
