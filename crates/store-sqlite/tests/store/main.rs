//! The store as the suite, the model and the operating system see it.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by its line")]

mod backend;
mod checks;
mod corruptions;
mod files;
mod measures;
mod model;
mod pause;

use consign_testkit::World;

use backend::Sqlite;

consign_testkit::conforms!(sqlite, Sqlite);

#[test]
fn rivals_on_real_threads_leave_one_story() {
    consign_testkit::conformance::hammer::rivals_on_real_threads_leave_one_story::<Sqlite>();
}

#[tokio::test]
async fn a_watch_row_that_cannot_exist_is_examined_and_written_anew() {
    let mut world = World::<Sqlite>::new().await;
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob beats D1 & bob beats D2
            wait 5m",
        )
        .await;
    world.backend().vandal().execute("UPDATE watch SET attempt = -1 WHERE num = 1", []).unwrap();
    world
        .play(
            "
            wait 6m
            sweep                     D1 stuck: no heartbeat for 11m0s; D2 stuck: no heartbeat for 11m0s
            sweep                     nothing
            bob beats D1              told in_progress
            wait 1m
            bob beats D1              told in_progress",
        )
        .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_claim_behind_it() {
    let mut world = World::<Sqlite>::new().await;
    for n in 1..=4 {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    let break_two = "UPDATE delegations SET waiting = 'nonsense' WHERE num <= 2";
    world.backend().vandal().execute(break_two, []).unwrap();
    world
        .play("bob claims   takes D3\nbob claims 100   takes D4\nbob claims   takes nothing")
        .await;
}
