//! What is foretold is what then happens, and nothing is written.

use consign_ledger::delegation::status::Status;
use consign_ledger::query::SweepReport;
use consign_sweeper::DRY_RUN_ROWS_MAX;
use consign_testkit::Backend as _;

use crate::cast::{Scene, each, names, play, scene, sweeper};

#[tokio::test]
async fn a_dry_run_foretells_the_pass_and_writes_nothing() {
    let world = scene(
        "alice delegates overdue to bob, deadline 1m
         bob beats overdue
         alice delegates silent to bob
         alice delegates again to bob, attempts 2, grace 10s
         alice delegates alive to bob
         bob beats silent & bob beats again & bob beats alive
         alice sets again to stuck
         wait 400s
         bob beats alive
         wait 201s",
    )
    .await;
    let before = (world.everything().await, world.faults().written());
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert_eq!((world.everything().await, world.faults().written()), before);
    let foretold: Vec<_> =
        dry.rows.iter().map(|row| (row.delegation_id.as_str(), become_next(row))).collect();
    assert_eq!(
        foretold,
        [
            ("overdue", Status::Failed),
            ("again", Status::Queued),
            ("silent", Status::Stuck),
            ("alive", Status::Stuck),
        ]
    );
    assert!(!dry.truncated);
    assert_eq!(changes(&dry.report), changes(&sweeper(&world).pass().await));
    assert_eq!(changes(&dry.report), [1, 1, 1, 0, 0]);
}

fn become_next(row: &consign_ledger::query::Outlook) -> Status {
    row.next.as_ref().expect("it is in flight").would_become
}

/// What a report tells of changes; whether the living are examined or glanced at is the pass's own affair.
fn changes(report: &SweepReport) -> [u64; 5] {
    [report.deadline_failures, report.stuck_marked, report.requeued, report.held, report.errors]
}

#[tokio::test]
async fn a_dry_run_foretells_the_brake() {
    let mut world = fleet(30).await;
    world.wait(601).await;
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert!(dry.rows.iter().all(|row| row.held));
    assert_eq!(changes(&dry.report), [0, 0, 0, 30, 0]);
    assert_eq!(changes(&dry.report), changes(&sweeper(&world).pass().await));
    play(&mut world, "wait 601s").await;
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert_eq!(changes(&dry.report), [0, 30, 0, 0, 0], "not again so soon");
}

#[tokio::test]
async fn a_dry_run_shows_no_more_than_its_bound_and_says_so() {
    let mut world = fleet(DRY_RUN_ROWS_MAX).await;
    world.wait(601).await;
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert_eq!((dry.rows.len(), dry.truncated), (DRY_RUN_ROWS_MAX, false));
    play(&mut world, "alice delegates D to bob, deadline 1s\nwait 2s").await;
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert_eq!((dry.rows.len(), dry.truncated), (DRY_RUN_ROWS_MAX, true));
    assert_eq!(dry.rows[0].delegation_id.as_str(), "D", "deadlines first");
}

#[tokio::test]
async fn a_row_that_cannot_exist_is_an_error_of_the_dry_run() {
    let world = fleet(2).await;
    world.wait(601).await;
    world.backend().poison(&world.id("D00000")).await;
    let dry = sweeper(&world).dry_run().await.unwrap();
    assert_eq!((dry.rows.len(), dry.report.errors), (1, 1));
}

/// All of them beat once, together.
async fn fleet(count: usize) -> Scene {
    let fleet = names(count);
    let mut world = scene(&each(&fleet, |name| format!("alice delegates {name} to bob"))).await;
    play(&mut world, &each(&fleet, |name| format!("bob beats {name}"))).await;
    world
}
