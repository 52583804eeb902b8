//! The pruner's days, in virtual time: the ledger's clock stands still, and what is over may go at once.

use std::sync::Arc;
use std::time::Duration;

use consign_ledger::delegation::retention::Retention;
use consign_sweeper::{Pruner, Pruning};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::cast::{Scene, away, count, hooks, scene};

const NOTHING: Retention = Retention { acknowledged_days: None, any_days: Some(0) };
const TWO_OVER: &str = "alice delegates D1 to bob
                        bob delegates D2 to carol, under D1
                        carol completes D2
                        bob completes D1
                        alice delegates D3 to bob
                        wait 1s";

/// A pruner that runs by itself, until its sender is gone.
fn begin(
    world: &Scene,
    retention: Retention,
    pruning: Pruning,
) -> (watch::Sender<bool>, JoinHandle<()>) {
    let pruner = Arc::new(Pruner::new(world.ledger().clone(), retention, pruning));
    let (stop, stopped) = watch::channel(false);
    (stop, tokio::spawn(async move { pruner.run(stopped).await }))
}

/// After how many minutes only this is left; at most a week.
async fn minutes_until(world: &Scene, left: &str) -> u64 {
    let begun = Instant::now();
    while world.stats().await != left {
        assert!(begun.elapsed() < Duration::from_hours(24 * 7), "{}", world.stats().await);
        sleep(Duration::from_secs(1)).await;
    }
    begun.elapsed().as_secs() / 60
}

#[tokio::test(start_paused = true)]
async fn the_first_pass_comes_after_ten_minutes_and_takes_a_tree_whole() {
    let world = scene(TWO_OVER).await;
    let (_stop, _run) = begin(&world, NOTHING, Pruning::Daily);
    assert_eq!(minutes_until(&world, "1 queued").await, 10);
    world.audit().await;
}

#[tokio::test(start_paused = true)]
async fn neither_an_outage_nor_a_panic_ends_the_pruner() {
    let world = scene(TWO_OVER).await;
    let (_stop, run) = begin(&world, NOTHING, Pruning::Daily);
    hooks(&world).before("prunable", || panic!("on purpose"));
    sleep(Duration::from_hours(1)).await;
    hooks(&world).before("prunable", away);
    sleep(Duration::from_hours(24)).await;
    assert_eq!(world.stats().await, "1 queued, 2 completed");
    hooks(&world).clear();
    minutes_until(&world, "1 queued").await;
    assert!(!run.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_keeps_everything_or_prunes_when_asked_is_left_alone() {
    let world = scene(TWO_OVER).await;
    let asked = count(&world);
    let (_stop, _run) = begin(&world, Retention::default(), Pruning::Daily);
    let (_stop_too, _run_too) = begin(&world, NOTHING, Pruning::Asked);
    sleep(Duration::from_hours(24 * 7)).await;
    assert_eq!(asked.of("prunable"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_pruner() {
    let world = scene(TWO_OVER).await;
    let (stop, run) = begin(&world, NOTHING, Pruning::Daily);
    stop.send_replace(true);
    run.await.unwrap();
}
