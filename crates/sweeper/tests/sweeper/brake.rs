//! Mass silence, and what only looks like it.

use consign_ledger::delegation::status::Status;
use consign_sweeper::{Settings, Sweeper};

use crate::cast::{ONE_SILENT, Scene, away, count, each, hooks, names, scene, status, sweeper};

#[tokio::test]
async fn silence_is_not_judged_where_the_brake_cannot_be_asked() {
    let world = scene(ONE_SILENT).await;
    let sweeper = sweeper(&world);
    hooks(&world).before("fleet", away);
    let report = sweeper.pass().await;
    assert_eq!((report.stuck_marked, report.errors), (0, 1));
    hooks(&world).clear();
    let report = sweeper.pass().await;
    assert_eq!((report.stuck_marked, report.errors), (1, 0));
}

#[tokio::test]
async fn without_a_brake_nobody_asks_for_the_fleet() {
    let world = silent(30).await;
    let asked = count(&world);
    let settings = Settings { interval_s: 300, brake: false };
    let report = Sweeper::new(world.ledger().clone(), settings).pass().await;
    assert_eq!((report.stuck_marked, report.held, asked.of("fleet")), (30, 0, 0));
}

#[tokio::test]
async fn mass_silence_is_held_for_one_threshold_and_then_found() {
    let world = silent(30).await;
    let sweeper = sweeper(&world);
    for (wait_s, held, stuck) in [(0, 30, 0), (599, 0, 0), (2, 0, 30)] {
        world.wait(wait_s).await;
        let report = sweeper.pass().await;
        assert_eq!((report.held, report.stuck_marked), (held, stuck), "after {wait_s} s more");
    }
}

#[tokio::test]
async fn a_restart_that_took_long_is_not_mass_silence() {
    let fleet = names(30);
    let mut script =
        each(&fleet, |name| format!("alice delegates {name} to bob\nbob beats {name}"));
    script.push_str("\nalice delegates silent to bob\nbob beats silent\nwait 400s\n");
    script.push_str(&each(&fleet, |name| format!("bob beats {name}")));
    script.push_str("\nwait 190s\ndown 1h\nlisten\n");
    let world = scene(&script).await;
    // Nobody else had time to beat since the start; but when the ledger listened, they did.
    world.wait(11).await;
    let report = sweeper(&world).pass().await;
    assert_eq!((report.held, report.stuck_marked), (0, 1));
    assert_eq!(status(&world, "silent").await, Status::Stuck);
}

/// All of them beat once, together, and never again.
async fn silent(count: usize) -> Scene {
    let fleet = names(count);
    let mut script =
        each(&fleet, |name| format!("alice delegates {name} to bob\nbob beats {name}"));
    script.push_str("\nwait 601s");
    scene(&script).await
}
