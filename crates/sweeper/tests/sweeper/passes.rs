//! What one pass does, and what of it goes on when something goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use consign_ledger::delegation::status::Status;
use consign_ledger::{Failure, Reader as _, SWEEP_BATCH_MAX};
use consign_testkit::{Backend as _, Call};
use tokio::sync::Barrier;
use tokio::time::timeout;

use crate::cast::{
    ONE_OVERDUE, ONE_SILENT, Scene, away, count, each, hooks, names, scene, status, sweeper,
};

#[tokio::test]
async fn deadlines_are_met_whatever_else_fails() {
    for (question, errors) in
        [("beat", 1), ("cascades", 1), ("due checks", 1), ("armed_beyond", 1), ("keep_report", 0)]
    {
        let world = scene(ONE_OVERDUE).await;
        hooks(&world).before(question, away);
        let report = sweeper(&world).pass().await;
        assert_eq!((report.deadline_failures, report.errors), (1, errors), "{question}");
        assert_eq!(status(&world, "D1").await, Status::Failed, "{question}");
    }
}

#[tokio::test]
async fn what_fails_in_the_deadline_lane_does_not_stop_the_others() {
    let world = scene(ONE_SILENT).await;
    hooks(&world).before("due deadlines", away);
    let report = sweeper(&world).pass().await;
    assert_eq!((report.stuck_marked, report.errors), (1, 1));
}

#[tokio::test]
async fn a_clock_that_cannot_be_read_is_an_error_and_no_verdict() {
    let world = scene(ONE_OVERDUE).await;
    hooks(&world).before("reading", away);
    let report = sweeper(&world).pass().await;
    assert_eq!((report.errors, report.deadline_failures), (1, 0));
}

#[tokio::test]
async fn a_panic_is_an_error_in_the_report_and_the_next_pass_is_sound() {
    let world = scene(ONE_OVERDUE).await;
    let sweeper = sweeper(&world);
    hooks(&world).before("due checks", || panic!("on purpose"));
    let report = sweeper.pass().await;
    assert_eq!((report.deadline_failures, report.errors), (1, 1), "what it did before is counted");
    hooks(&world).clear();
    let report = sweeper.pass().await;
    assert_eq!((report.deadline_failures, report.errors), (0, 0));
}

#[tokio::test]
async fn a_poisoned_row_is_put_off_and_does_not_hold_up_others() {
    let world = scene(
        "alice delegates D1 to bob, deadline 1m
         alice delegates D2 to bob, deadline 1m
         wait 2m",
    )
    .await;
    world.backend().poison(&world.id("D1")).await;
    let sweeper = sweeper(&world);
    let report = sweeper.pass().await;
    assert_eq!((report.errors, report.deadline_failures), (1, 1));
    // At once, after a second, after two more, after four more; in between it costs nothing.
    for (wait_s, errors) in [(0, 0), (1, 1), (1, 0), (1, 1), (3, 0), (1, 1)] {
        world.wait(wait_s).await;
        let report = sweeper.pass().await;
        assert_eq!((report.errors, report.examined), (errors, 0), "after {wait_s} s more");
    }
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_put_off_and_does_not_hold_up_others() {
    let world = scene(
        "alice delegates D1 to bob, deadline 1m
         alice delegates D2 to bob, deadline 1m
         wait 2m",
    )
    .await;
    world.backend().refuse(&world.id("D1")).await;
    let sweeper = sweeper(&world);
    for (errors, failures) in [(1, 1), (0, 0)] {
        let report = sweeper.pass().await;
        assert_eq!((report.errors, report.deadline_failures), (errors, failures));
    }
}

#[tokio::test]
async fn a_pass_over_a_ledger_that_cannot_write_comes_to_its_end() {
    let world = overdue(2500).await;
    hooks(&world).before("transact", away);
    let report = sweeper(&world).pass().await;
    // Three transactions, the one that was on its way by then, and the lane that gave up.
    assert_eq!((report.errors, report.deadline_failures), (2001, 0));
    hooks(&world).clear();
    let report = sweeper(&world).pass().await;
    assert_eq!((report.errors, report.deadline_failures), (0, 2500));
}

#[tokio::test]
async fn a_long_lane_is_walked_to_its_end_and_no_row_is_met_twice() {
    let world = overdue(2500).await;
    let report = sweeper(&world).pass().await;
    assert_eq!((report.deadline_failures, report.examined), (2500, 2500));
    let report = sweeper(&world).pass().await;
    assert_eq!((report.deadline_failures, report.examined), (0, 0));
}

#[tokio::test]
async fn a_second_batch_is_asked_for_while_the_first_is_on_its_way() {
    let world = overdue(2 * SWEEP_BATCH_MAX).await;
    let both_are_there = Arc::new(Barrier::new(2));
    hooks(&world).hang(move |call| {
        let both_are_there = Arc::clone(&both_are_there);
        Box::pin(async move {
            if call == Call::Before("transact") {
                both_are_there.wait().await;
            }
            Ok(())
        })
    });
    let report = timeout(Duration::from_mins(1), sweeper(&world).pass()).await;
    let report = report.expect("a second batch came while the first was on its way");
    assert_eq!((report.errors, report.deadline_failures), (0, 2 * SWEEP_BATCH_MAX as u64));
}

#[tokio::test]
async fn a_walk_that_breaks_counts_what_is_on_its_way() {
    let world = overdue(3 * SWEEP_BATCH_MAX).await;
    let pages = Arc::new(AtomicUsize::new(0));
    hooks(&world).before("due deadlines", move || {
        if pages.fetch_add(1, Ordering::SeqCst) == 2 { away() } else { Ok(()) }
    });
    let report = sweeper(&world).pass().await;
    assert_eq!((report.errors, report.deadline_failures), (1, 2 * SWEEP_BATCH_MAX as u64));
}

async fn overdue(count: usize) -> Scene {
    let mut script =
        each(&names(count), |name| format!("alice delegates {name} to bob, deadline 1m"));
    script.push_str("\nwait 2m");
    scene(&script).await
}

/// A fleet that beats and is to be looked at.
async fn to_be_re_armed(count: usize) -> Scene {
    let fleet = names(count);
    let mut world = scene(&each(&fleet, |name| format!("alice delegates {name} to bob"))).await;
    for _ in 0..2 {
        world.play(&each(&fleet, |name| format!("bob beats {name}"))).await;
        world.wait(400).await;
    }
    world
}

fn each_re_arming_takes_600_ms(world: &Scene) {
    let clock = world.clock().clone();
    hooks(world).before("rearm", move || {
        clock.advance_ms(600);
        Ok(())
    });
}

#[tokio::test]
async fn the_living_are_re_armed_at_a_glance() {
    let world = to_be_re_armed(1500).await;
    let asked = count(&world);
    let report = sweeper(&world).pass().await;
    assert_eq!((report.rearmed, report.examined), (1500, 0));
    assert_eq!(asked.of("transact"), 0, "re-arming needs no door");
    assert_eq!(sweeper(&world).pass().await.rearmed, 0);
}

#[tokio::test]
async fn where_the_living_cannot_be_re_armed_together_each_is_examined() {
    let mut world = scene(ONE_SILENT).await;
    world.play("alice delegates D2 to bob\nbob beats D2\nwait 400s\nbob beats D2\nwait 400s").await;
    hooks(&world).before("rearm", || Err(Failure::Rejected("a constraint".into())));
    let report = sweeper(&world).pass().await;
    assert_eq!((report.errors, report.stuck_marked, report.rearmed), (0, 1, 1));
}

#[tokio::test]
async fn a_deadline_that_passes_during_a_long_pass_does_not_wait_for_its_end() {
    let mut world = to_be_re_armed(2500).await;
    world.play("alice delegates late to bob, deadline 1s").await;
    each_re_arming_takes_600_ms(&world);
    let report = sweeper(&world).pass().await;
    assert_eq!((report.rearmed, report.deadline_failures, report.duration_ms), (2500, 1, 1800));
    let failed_at = world.see("late").await.finished_at;
    assert_eq!(failed_at, Some(report.started_at + 1200), "after the second page of three");
}

#[tokio::test]
async fn walks_that_meet_only_what_is_put_off_have_not_failed() {
    let mut world = to_be_re_armed(2500).await;
    world.play("alice delegates bad to bob, deadline 1s\nwait 2s").await;
    world.backend().poison(&world.id("bad")).await;
    each_re_arming_takes_600_ms(&world);
    let report = sweeper(&world).pass().await;
    assert_eq!((report.rearmed, report.errors), (2500, 1), "the bad one alone, once");
}

#[tokio::test]
async fn a_lowered_threshold_counts_for_those_in_flight_from_the_first_pass_on() {
    let mut world = scene(
        "alice delegates D1 to bob
         bob beats D1
         restart with threshold 5s",
    )
    .await;
    let sweeper = sweeper(&world);
    hooks(&world).before("armed_beyond", away);
    assert_eq!(sweeper.pass().await.errors, 1);
    let asked = count(&world);
    let report = sweeper.pass().await;
    assert_eq!((report.rearmed, report.stuck_marked), (1, 0), "tried again after the failure");
    world.play("wait 6s").await;
    let report = sweeper.pass().await;
    assert_eq!((report.stuck_marked, asked.of("armed_beyond")), (1, 1), "and only once");
}

#[tokio::test]
async fn each_pass_that_was_asked_for_is_kept() {
    let world = scene("alice delegates D1 to bob").await;
    let sweeper = sweeper(&world);
    let report = sweeper.pass().await;
    assert_eq!(world.reader().sweeps(10).await.unwrap(), [report]);
}

#[tokio::test]
async fn explain_tells_what_comes_next() {
    let world = scene(ONE_SILENT).await;
    let sweeper = sweeper(&world);
    let outlook = sweeper.explain(&world.id("D1")).await.unwrap().unwrap();
    let next = outlook.next.unwrap();
    assert_eq!(
        (next.would_become, next.because.as_str()),
        (Status::Stuck, "no heartbeat for 11m0s")
    );
    assert_eq!(sweeper.explain(&world.id("D2")).await.unwrap(), None);
}
