//! Two servers sweep one database: each due row is somebody's, and nobody's twice.

use consign_ledger::query::{Lane, SweepReport};
use consign_ledger::{Reader as _, Time};
use consign_testkit::{World, conformance};

use super::backend::Postgres;
use super::replica::{Replica, on_real_threads};

/// So many batches that whoever comes second finds some left.
const OVERDUE: usize = 5000;

#[test]
fn two_servers_that_sweep_at_once_fail_each_overdue_row_once() {
    on_real_threads(async {
        let mut world = World::<Postgres>::new().await;
        let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
        let lines: Vec<String> =
            (0..OVERDUE).map(|n| format!("alice delegates D{n} to bob, deadline 1m")).collect();
        for lines in lines.chunks(1000) {
            world.play(&lines.join(" & ")).await;
        }
        world.clock().advance_ms(61_000);
        let (mut ours, mut theirs) = (vec![], vec![]);
        // What the other one had in hand at our look is met by the next pass.
        while !world.reader().due(Lane::Deadline, Time(i64::MAX), None, 1).await.unwrap().is_empty()
        {
            let (one, other) = tokio::join!(world.sweep(), second.sweep());
            ours.push(one);
            theirs.push(other);
        }
        let total = |reports: &[SweepReport]| -> (u64, u64) {
            reports.iter().fold((0, 0), |(failed, errors), report| {
                (failed + report.deadline_failures, errors + report.errors)
            })
        };
        let ((our_failed, our_errors), (their_failed, their_errors)) =
            (total(&ours), total(&theirs));
        assert_eq!((our_failed + their_failed, our_errors + their_errors), (OVERDUE as u64, 0));
        assert!(our_failed > 0 && their_failed > 0, "both work: {our_failed} and {their_failed}");
        assert_eq!(world.inbox("alice").await.unread, OVERDUE as u64);
        assert_eq!(world.stats().await, format!("{OVERDUE} failed"));
        eprintln!("{our_failed} and {their_failed} in {} and {} passes", ours.len(), theirs.len());
    });
}

#[test]
fn a_row_that_another_holds_is_left_for_the_next_pass_and_is_no_error() {
    conformance::run(async |mut world: World<Postgres>| {
        let script = "
            alice delegates D1 to bob, deadline 1m
            alice delegates D2 to bob, deadline 1m
            wait 61s";
        world.play(script).await;
        let mut vandal = world.backend().database.vandal().await;
        let held = vandal.transaction().await.unwrap();
        let sql = "SELECT 1 FROM delegations WHERE delegation_id = 'D1' FOR NO KEY UPDATE";
        held.execute(sql, &[]).await.unwrap();
        let report = world.sweep().await;
        assert_eq!((report.deadline_failures, report.errors), (1, 0), "{report:?}");
        world.play("alice dispatches D2    refused already-terminal; D1 queued").await;
        held.rollback().await.unwrap();
        // What was left is put off for a second.
        world.wait(1).await;
        let report = world.sweep().await;
        assert_eq!((report.deadline_failures, report.errors), (1, 0), "{report:?}");
    });
}

#[test]
fn a_child_whose_parent_another_holds_is_left_for_the_next_pass() {
    conformance::run(async |mut world: World<Postgres>| {
        let script = "
            alice delegates D1 to bob, deadline 1h
            bob delegates D2 to carol, under D1, deadline 1m
            bob beats D1, waiting for child D2
            wait 61s";
        world.play(script).await;
        let mut vandal = world.backend().database.vandal().await;
        let held = vandal.transaction().await.unwrap();
        let sql = "SELECT 1 FROM delegations WHERE delegation_id = 'D1' FOR NO KEY UPDATE";
        held.execute(sql, &[]).await.unwrap();
        let report = world.sweep().await;
        assert_eq!((report.deadline_failures, report.errors), (0, 0), "{report:?}");
        held.rollback().await.unwrap();
        let script = "
            wait 1s
            sweep    D2 failed: deadline exceeded by sweeper; D1 history created started waiting resumed";
        world.play(script).await;
    });
}
