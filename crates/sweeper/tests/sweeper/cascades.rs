//! Children after their parents.

use consign_ledger::delegation::status::Status;
use consign_testkit::Backend as _;

use crate::cast::{Scene, each, names, play, scene, status, sweeper};

#[tokio::test]
async fn children_follow_their_parents_through_all_levels_in_one_pass() {
    let mut world = family(450).await;
    play(
        &mut world,
        "carol accepts D00007
         carol delegates grandchild to dora, under D00007
         alice cancels root",
    )
    .await;
    let report = sweeper(&world).pass().await;
    assert_eq!(report.errors, 0);
    for name in ["D00000", "D00007", "D00449", "grandchild"] {
        assert_eq!(status(&world, name).await, Status::Cancelled, "{name}");
    }
    assert_eq!(world.cascades().await, []);
}

#[tokio::test]
async fn a_child_that_cannot_be_cancelled_does_not_hold_up_its_siblings() {
    let mut world = family(3).await;
    play(&mut world, "alice cancels root").await;
    world.backend().refuse(&world.id("D00001")).await;
    let sweeper = sweeper(&world);
    for (wait_s, errors) in [(0, 1), (0, 0), (1, 1), (1, 0), (1, 1)] {
        world.wait(wait_s).await;
        assert_eq!(sweeper.pass().await.errors, errors, "after {wait_s} s more");
    }
    let ends = [Status::Cancelled, Status::Queued, Status::Cancelled];
    for (name, end) in names(3).iter().zip(ends) {
        assert_eq!(status(&world, name).await, end, "{name}");
    }
    assert_eq!(world.cascades().await.len(), 1, "it is not given up");
}

#[tokio::test]
async fn a_cascade_that_advances_is_not_put_off_for_longer_and_longer() {
    let mut world = family(700).await;
    play(&mut world, "alice cancels root").await;
    world.backend().refuse(&world.id("D00000")).await;
    let sweeper = sweeper(&world);
    for _ in 0..4 {
        assert_eq!(sweeper.pass().await.errors, 1);
        world.wait(1).await;
    }
    assert_eq!(status(&world, "D00699").await, Status::Cancelled);
    assert_eq!(status(&world, "D00000").await, Status::Queued);
}

/// A parent with so many children.
async fn family(children: usize) -> Scene {
    let mut world = scene(
        "alice delegates root to bob
         bob accepts root",
    )
    .await;
    let born = |name: &str| format!("bob delegates {name} to carol, under root");
    play(&mut world, &each(&names(children), born)).await;
    world
}
