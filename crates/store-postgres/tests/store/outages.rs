//! The database goes away in all the ways it can, and comes back: nothing is lost, nobody is blamed, nobody has to
//! restart anything.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use consign_ledger::delegation::status::Status;
use consign_ledger::{DelegationId, Ledger, Reader as _};
use consign_store_postgres::PostgresStore;
use consign_testkit::postgres::{Proxy, Server, Stop};
use consign_testkit::{HandClock, World, conformance};

use super::backend::Postgres;
use super::replica::{Replica, command, delegate};
use super::wire::Wired;

#[test]
fn a_database_that_refuses_connections_is_unavailable_and_heals_by_itself() {
    conformance::run(async |mut world: World<Wired>| {
        world.play("alice delegates D1 to bob").await;
        world.backend().proxy.refuse();
        world.play("bob completes D1    refused unavailable").await;
        world.play("bob beats D1        refused unavailable").await;
        assert!(world.reader().find(&world.id("D1")).await.is_err(), "it cannot be read, either");
        world.backend().proxy.accept();
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        world.play("bob completes D1    changed; D1 version 2; alice has 1 message").await;
    });
}

#[test]
fn connections_that_were_cut_are_made_anew_and_nobody_notices() {
    conformance::run(async |mut world: World<Wired>| {
        world.play("alice delegates D1 to bob").await;
        for (act, answer) in [
            ("bob accepts D1", "changed"),
            ("bob beats D1", "told in_progress"),
            ("bob completes D1", "changed"),
        ] {
            world.backend().proxy.cut();
            world.play(&format!("{act}    {answer}")).await;
        }
    });
}

/// §3.6.
#[test]
fn an_outage_longer_than_the_threshold_is_nobodys_silence() {
    conformance::run(async |mut world: World<Wired>| {
        let script = "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob accepts D1
            bob accepts D2
            serve 1m";
        world.play(script).await;
        world.backend().proxy.refuse();
        world.wait(3).await;
        world.clock().advance_ms(20 * 60_000);
        world.listen().await;
        world.backend().proxy.accept();
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let script = "
            sweep              nothing
            bob beats D1       told in_progress
            wait 8m
            sweep              nothing
            wait 2m
            sweep              D2 stuck: no heartbeat for 11m0s; D1 in_progress";
        world.play(script).await;
    });
}

#[test]
fn another_host_in_the_url_takes_over() {
    conformance::run(async |mut world: World<Wired>| {
        let other = Proxy::to(world.backend().database.port()).await;
        let (first, second) = (world.backend().proxy.port().to_string(), other.port().to_string());
        let both = format!("127.0.0.1:{first},127.0.0.1:{second}");
        let url = world.backend().url().replace(&format!("127.0.0.1:{first}"), &both);
        let replica = Replica::start(&url, world.clock(), 7).await;
        world.play("alice delegates D1 to bob").await;
        let accepts = command(&world, "bob accepts D1");
        assert!(replica.ledger.act(accepts).await.unwrap().changed);
        world.backend().proxy.refuse();
        let completes = command(&world, "alice cancels D1");
        assert!(replica.ledger.act(completes).await.unwrap().changed);
        replica.listen().await;
        let id = world.id("D1");
        let found = replica.ledger.reader().find(&id).await.unwrap().unwrap().0;
        assert_eq!(found.status, Status::Cancelled);
    });
}

#[test]
fn too_many_connections_are_an_outage_that_ends() {
    conformance::run(async |world: World<Postgres>| {
        let database = &world.backend().database;
        let replica = Replica::start(&database.url_of_a_user().await, world.clock(), 7).await;
        let vandal = database.vandal().await;
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT", database.name());
        vandal.batch_execute(&format!("{limit} 0")).await.unwrap();
        end_sessions_of(&vandal, database.name()).await;
        let told = replica.ledger.act(command(&world, "alice delegates D1 to bob")).await;
        assert!(matches!(told, Err(consign_ledger::Error::Unavailable)), "{told:?}");
        vandal.batch_execute(&format!("{limit} -1")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let told = replica.ledger.act(command(&world, "alice delegates D1 to bob")).await;
        assert!(told.unwrap().changed);
    });
}

#[test]
fn a_database_that_turns_read_only_is_an_outage_that_ends() {
    conformance::run(async |world: World<Postgres>| {
        let database = &world.backend().database;
        let replica = Replica::start(&database.url_of_a_user().await, world.clock(), 7).await;
        let vandal = database.vandal().await;
        let set = format!("ALTER ROLE {} SET default_transaction_read_only", database.name());
        vandal.batch_execute(&format!("{set} = on")).await.unwrap();
        end_sessions_of(&vandal, database.name()).await;
        let told = replica.ledger.act(command(&world, "alice delegates D1 to bob")).await;
        assert!(matches!(told, Err(consign_ledger::Error::Unavailable)), "{told:?}");
        vandal.batch_execute(&format!("{set} = off")).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let told = replica.ledger.act(command(&world, "alice delegates D1 to bob")).await;
        assert!(told.unwrap().changed);
    });
}

async fn end_sessions_of(vandal: &tokio_postgres::Client, user: &str) {
    let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = $1";
    vandal.execute(sql, &[&user]).await.unwrap();
}

/// Delegates until it is told to stop; what was acknowledged.
async fn delegate_on(ledger: Ledger<PostgresStore>, actor: usize, told: Arc<Told>) -> Vec<String> {
    let mut acknowledged = vec![];
    for nth in 0.. {
        if told.stop.load(SeqCst) {
            break;
        }
        let id = format!("D{actor}-{nth}");
        if ledger.act(delegate(&id)).await.is_ok() {
            acknowledged.push(id);
            told.acknowledged.fetch_add(1, SeqCst);
        }
    }
    acknowledged
}

#[derive(Default)]
struct Told {
    acknowledged: AtomicUsize,
    stop: AtomicBool,
}

/// §3.4: on a server that flushes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_postgresql_is_killed_under_load_and_comes_back() {
    let mut server = Server::start();
    let clock = HandClock::default();
    let replica = Replica::start(&server.url(), &clock, 7).await;
    let told = Arc::new(Told::default());
    let act = |actor| tokio::spawn(delegate_on(replica.ledger.clone(), actor, Arc::clone(&told)));
    let actors: Vec<_> = (0..8).map(act).collect();
    for how in [Stop::Immediate, Stop::Fast, Stop::Immediate] {
        let enough = told.acknowledged.load(SeqCst) + 50;
        while told.acknowledged.load(SeqCst) < enough {
            tokio::task::yield_now().await;
        }
        server.stop(how);
        server.start_again();
    }
    told.stop.store(true, SeqCst);
    let mut acknowledged = vec![];
    for actor in actors {
        acknowledged.extend(actor.await.unwrap());
    }
    let reader = replica.ledger.reader();
    for id in &acknowledged {
        let id = DelegationId::new(id).unwrap();
        let mut found = reader.find(&id).await;
        while found.is_err() {
            found = reader.find(&id).await;
        }
        assert!(found.unwrap().is_some(), "{id} was lost");
    }
    let stats = reader.stats().await.unwrap();
    assert!(stats.in_flight() >= acknowledged.len() as u64);
}
