//! Heartbeats as the database sees them, and the doorbell that none of them rings.

use std::time::Duration;

use consign_ledger::command::Heartbeat;
use consign_ledger::{DelegationId, Reader as _, Store as _};
use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::postgres::Server;
use consign_testkit::{HandClock, World, conformance};
use tokio::time::timeout;
use tokio_postgres::Client;

use super::backend::Postgres;
use super::replica::{Replica, command, delegate};

/// Long enough for a ring.
const A_WHILE: Duration = Duration::from_secs(10);

/// On a server of its own: what others have open decides what may be cleared away.
#[tokio::test]
async fn every_heartbeat_is_a_hot_update_and_the_table_does_not_grow() {
    const FLEET: usize = 200;
    const ROUNDS: i64 = 100;
    let (server, clock) = (Server::start(), HandClock::default());
    let replica = Replica::start(&server.url(), &clock, 7).await;
    let ids = (0..FLEET).map(|n| format!("D{n}"));
    let delegated = replica.ledger.act_all(ids.clone().map(|id| delegate(&id)).collect()).await;
    assert!(delegated.iter().all(Result::is_ok));
    let beats: Vec<Heartbeat> = ids.map(|id| beat(&id)).collect();
    let heard = async || {
        clock.advance_ms(1000);
        let heard = replica.ledger.heartbeats(beats.clone()).await;
        assert!(heard.iter().all(Result::is_ok), "{heard:?}");
    };
    // The first is a transition, which changes what is indexed; the next makes room for the others.
    heard().await;
    heard().await;
    let vandal = server.vandal().await;
    let size = "SELECT pg_relation_size('watch')";
    let before: i64 = vandal.query_one(size, &[]).await.unwrap().get(0);
    for _ in 0..ROUNDS {
        heard().await;
    }
    let after: i64 = vandal.query_one(size, &[]).await.unwrap().get(0);
    drop(replica);
    end_sessions(&vandal).await;
    let (updated, hot) = updates(&vandal).await;
    let beats = ROUNDS * i64::try_from(FLEET).unwrap();
    assert!(updated >= beats, "{updated} updates for {beats} beats");
    assert!(hot >= beats, "{hot} of {updated} were HOT");
    assert!(after <= before, "the watch table grew from {before} to {after} bytes");
}

pub(crate) fn beat(id: &str) -> Heartbeat {
    let id = DelegationId::new(id).unwrap();
    Heartbeat { id, lease: None, progress: None, waiting: None, override_reason: None }
}

#[test]
fn the_doorbell_rings_for_what_another_writes_and_not_for_its_heartbeats() {
    conformance::run(async |mut world: World<Postgres>| {
        let url = world.backend().database.url();
        let listener = PostgresStore::open(&url, world.clock().clone(), Wall::Given).await.unwrap();
        timeout(A_WHILE, listener.rung()).await.expect("it looks once when it begins to listen");
        world.play("alice delegates D1 to bob").await;
        timeout(A_WHILE, listener.rung()).await.expect("somebody wrote");
        world.play("bob beats D1").await;
        timeout(A_WHILE, listener.rung()).await.expect("the first beat is a transition");
        world.play("bob beats D1").await;
        world.listen().await;
        let quiet = timeout(Duration::from_millis(300), listener.rung()).await;
        assert!(quiet.is_err(), "a heartbeat rang");
    });
}

/// Until so many replicas listen: that, nobody is told but the server.
async fn until_listening(world: &World<Postgres>, replicas: i64) {
    let vandal = world.backend().database.vandal().await;
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE application_name = 'consign listen' AND datname = current_database()
                 AND query LIKE 'LISTEN%' AND state = 'idle'";
    while vandal.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) < replicas {
        tokio::task::yield_now().await;
    }
}

/// What the follower waits for is told by whoever writes, through the ledger.
#[test]
fn a_commit_of_another_replica_wakes_who_waits_for_commits_here() {
    conformance::run(async |world: World<Postgres>| {
        let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
        until_listening(&world, 2).await;
        let mut commits = world.ledger().commits();
        second.ledger.act(delegate("D1")).await.unwrap();
        timeout(A_WHILE, commits.changed()).await.expect("the bell was rung").unwrap();
        assert!(world.reader().find(&world.id("D1")).await.unwrap().is_some());
    });
}

#[test]
fn the_bell_is_hung_again_when_its_connection_was_cut() {
    conformance::run(async |world: World<Postgres>| {
        let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
        until_listening(&world, 2).await;
        let mut commits = world.ledger().commits();
        let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                   WHERE application_name = 'consign listen' AND datname = current_database()";
        world.backend().database.vandal().await.execute(sql, &[]).await.unwrap();
        timeout(A_WHILE, commits.changed()).await.expect("it looks when it listens again").unwrap();
        until_listening(&world, 2).await;
        commits.mark_unchanged();
        second.ledger.act(command(&world, "alice delegates D1 to bob")).await.unwrap();
        timeout(A_WHILE, commits.changed()).await.expect("the bell was rung").unwrap();
    });
}

/// A session tells what it did at its end at the latest; its store makes another one.
pub(crate) async fn end_sessions(vandal: &Client) {
    let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE application_name LIKE 'consign%'";
    vandal.execute(sql, &[]).await.unwrap();
}

/// Updates of the watch table, and those among them that stayed within their page.
pub(crate) async fn updates(vandal: &Client) -> (i64, i64) {
    let sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'watch'";
    let row = vandal.query_one(sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}
