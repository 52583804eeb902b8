//! What all replicas heard together: the smallest mark counts, and who is gone is struck off with its gap.

use consign_ledger::delegation::listening::{Gap, GapCause};
use consign_ledger::{Reader as _, Time};
use consign_testkit::{World, conformance};

use super::backend::Postgres;
use super::replica::Replica;

/// Up to when the ledger listened, in seconds before now.
async fn deaf_s(world: &World<Postgres>) -> i64 {
    let heard_until = world.reader().listening(Time(i64::MAX)).await.unwrap().heard_until();
    (world.now().await.0 - heard_until.unwrap().0) / 1000
}

/// The gaps: how long each is, in seconds, and why.
async fn gaps(world: &World<Postgres>) -> Vec<(i64, GapCause)> {
    let long = |gap: Gap| (gap.to.since_ms(gap.from) / 1000, gap.cause);
    world.gaps().await.into_iter().map(long).collect()
}

async fn registered(world: &World<Postgres>) -> i64 {
    let sql = "SELECT count(*) FROM replicas";
    world.backend().database.vandal().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// The second one is gone from one moment to the next, and the server has seen it.
async fn kill(world: &World<Postgres>, replica: Replica) {
    drop(replica);
    let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks
               WHERE locktype = 'advisory' AND objid = (SELECT max(replica_id) FROM replicas)";
    world.backend().database.vandal().await.execute(sql, &[]).await.unwrap();
}

async fn beside(world: &World<Postgres>) -> Replica {
    let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
    second.listen().await;
    second
}

#[test]
fn the_smallest_mark_of_all_is_the_ledgers() {
    conformance::run(async |world: World<Postgres>| {
        let second = beside(&world).await;
        world.wait(5).await;
        assert_eq!(deaf_s(&world).await, 5, "the second one did not listen");
        second.listen().await;
        assert_eq!(deaf_s(&world).await, 0);
        assert_eq!(gaps(&world).await, [(5, GapCause::Pause)]);
    });
}

#[test]
fn a_replica_whose_connection_is_gone_is_struck_off_by_the_next_mark() {
    conformance::run(async |world: World<Postgres>| {
        let second = beside(&world).await;
        world.wait(1).await;
        kill(&world, second).await;
        world.wait(1).await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (0, 1));
        assert!(gaps(&world).await.is_empty(), "it was not away for longer than a mark may step");
    });
}

#[test]
fn a_replica_that_is_gone_leaves_the_gap_that_nobody_heard() {
    conformance::run(async |world: World<Postgres>| {
        let second = beside(&world).await;
        world.wait(9).await;
        kill(&world, second).await;
        world.wait(1).await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (0, 1));
        assert_eq!(gaps(&world).await, [(10, GapCause::Restart)]);
    });
}

#[test]
fn a_replica_that_is_silent_for_fifteen_seconds_is_struck_off_and_comes_back_with_its_gap() {
    conformance::run(async |world: World<Postgres>| {
        let second = beside(&world).await;
        world.wait(15).await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (15, 2));
        world.wait(1).await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (0, 1));
        assert_eq!(gaps(&world).await, [(16, GapCause::Pause)]);
        world.wait(4).await;
        second.listen().await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (0, 2));
        assert_eq!(gaps(&world).await, [(16, GapCause::Pause), (20, GapCause::Pause)]);
    });
}

/// §3.6: overlapping gaps of several replicas are one silence.
#[test]
fn no_moment_is_subtracted_twice_however_many_replicas_were_deaf() {
    conformance::run(async |mut world: World<Postgres>| {
        let second = beside(&world).await;
        world.play("alice delegates D1 to bob").await;
        world.play("bob accepts D1").await;
        world.clock().advance_ms(300_000);
        world.listen().await;
        second.listen().await;
        assert_eq!(gaps(&world).await.len(), 2, "each wrote its own");
        for _ in 0..599 {
            world.wait(1).await;
            second.listen().await;
        }
        world.play("sweep    nothing").await;
        world.wait(2).await;
        second.listen().await;
        world.play("sweep    D1 stuck: no heartbeat for 10m1s").await;
    });
}

#[test]
fn who_leaves_in_good_order_is_waited_for_by_nobody_and_leaves_no_gap() {
    conformance::run(async |world: World<Postgres>| {
        let second = beside(&world).await;
        world.wait(1).await;
        second.listen().await;
        second.ledger.leave().await.unwrap();
        world.wait(30).await;
        assert_eq!((deaf_s(&world).await, registered(&world).await), (0, 1));
        assert!(gaps(&world).await.is_empty());
    });
}

#[test]
fn the_last_one_leaves_its_mark_so_that_the_next_start_knows_since_when_nobody_listened() {
    conformance::run(async |mut world: World<Postgres>| {
        world.wait(1).await;
        world.ledger().leave().await.unwrap();
        world.kill().await;
        world.clock().advance_ms(60_000);
        world.start().await;
        world.listen().await;
        assert_eq!(gaps(&world).await, [(60, GapCause::Restart)]);
        assert_eq!(registered(&world).await, 1);
    });
}
