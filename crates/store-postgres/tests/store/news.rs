//! A verdict that one server writes is news at another: told by the bell, and found by looking where the bell is lost.

use std::sync::Arc;
use std::time::Duration;

use consign_delivery::{Follower, Until};
use consign_ledger::DelegationId;
use consign_testkit::World;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backend::Postgres;
use super::replica::{Replica, command, on_real_threads};

/// Longer than any wait here should be.
const AT_MOST: Duration = Duration::from_secs(30);
/// How soon the bell tells of a verdict in the ordinary case.
const SOON: Duration = Duration::from_millis(100);
/// What a lost bell costs at most, and what a busy machine may add to it.
const LOOKED_FOR: Duration = Duration::from_secs(2 + 3);
/// Between what the bell takes and what a look takes, far from both.
const BETWEEN: Duration = Duration::from_secs(1);

/// Every bell falls silent: new sessions find another function of this name first.
const SILENCE: &str = "
    CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS 'SELECT NULL::void';
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database());
    END $$";

/// How long after each verdict of the one server a waiter at the other has it, the shortest first.
async fn delays(silenced: bool, verdicts: usize) -> Vec<Duration> {
    let mut world = World::<Postgres>::new().await;
    if silenced {
        world.backend().database.vandal().await.batch_execute(SILENCE).await.unwrap();
        world.kill().await;
        world.start().await;
    }
    let url = world.backend().database.url();
    let second = Replica::start(&url, world.clock(), 7).await;
    let follower = Arc::new(Follower::new(second.ledger.clone()));
    let (stop, stopping) = watch::channel(false);
    let follows = Arc::clone(&follower);
    let run = tokio::spawn(async move { follows.run(stopping).await });
    // Somebody always waits, so that the follower never begins anew, which would be a look of its own.
    let (always, unheard) = (Arc::clone(&follower), DelegationId::new("unheard").unwrap());
    world.play("alice delegates unheard to bob").await;
    let idle =
        tokio::spawn(async move { always.wait(&unheard, Until::Terminal, AT_MOST * 10).await });
    let mut delays = vec![];
    for nth in 0..verdicts {
        let id = format!("D{nth}");
        world.play(&format!("alice delegates {id} to bob")).await;
        let (waiter, id) = (Arc::clone(&follower), DelegationId::new(&id).unwrap());
        let name = id.clone();
        let seen = tokio::spawn(async move {
            let found = waiter.wait(&id, Until::Terminal, AT_MOST).await.unwrap().unwrap();
            (Instant::now(), found.0.in_flight())
        });
        while follower.waiting() < 2 {
            tokio::task::yield_now().await;
        }
        world.ledger().act(command(&world, &format!("bob completes {name}"))).await.unwrap();
        let written = Instant::now();
        let (seen_at, in_flight) = seen.await.unwrap();
        assert!(!in_flight, "{name} was waited for in vain");
        delays.push(seen_at.saturating_duration_since(written));
    }
    stop.send(true).unwrap();
    run.await.unwrap();
    idle.await.unwrap().unwrap();
    delays.sort_unstable();
    delays
}

#[test]
fn a_verdict_wakes_a_waiter_at_another_server_by_the_bell_and_without_it_by_a_look() {
    on_real_threads(async {
        let told = delays(false, 21).await;
        let found = delays(true, 4).await;
        eprintln!("by the bell {told:?}, by looking {found:?}");
        // On a busy machine some take longer; that none does is not the bell's to promise.
        assert!(told[0] <= SOON, "{told:?}");
        assert!(told[told.len() / 2] < BETWEEN, "it is the bell that tells: {told:?}");
        // There, too, one that first looks when the verdict is written has it at once.
        let longest = found[found.len() - 1];
        assert!(longest > BETWEEN, "no bell was heard: {found:?}");
        assert!(longest <= LOOKED_FOR, "{found:?}");
    });
}
