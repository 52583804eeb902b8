//! What keeps PostgreSQL from cleaning up is seen from outside.

use consign_ledger::Reader as _;
use consign_testkit::{World, conformance};

use super::backend::Postgres;

async fn measured(world: &World<Postgres>, name: &str, which: &str) -> f64 {
    let measures = world.reader().measures().await.unwrap();
    let mut found = measures.iter().filter(|it| it.name == name);
    let found = found.find(|it| it.of.is_some_and(|(_, of)| of == which));
    found.unwrap_or_else(|| panic!("no {name} of {which}")).value
}

#[test]
fn a_reader_that_holds_a_snapshot_is_seen_as_long_as_it_does() {
    conformance::run(async |mut world: World<Postgres>| {
        world.play("alice delegates D1 to bob\nbob beats D1").await;
        assert!(measured(&world, "postgres_oldest_transactions", "session").await <= 0.0);
        let vandal = world.backend().database.vandal().await;
        vandal.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.unwrap();
        for _ in 0..10 {
            world.play("bob beats D1").await;
        }
        assert!(measured(&world, "postgres_oldest_transactions", "session").await >= 10.0);
        assert!(measured(&world, "postgres_oldest_seconds", "session").await > 0.0);
        vandal.batch_execute("COMMIT").await.unwrap();
        assert!(measured(&world, "postgres_oldest_transactions", "session").await <= 0.0);
        assert!(measured(&world, "postgres_oldest_seconds", "session").await <= 0.0);
    });
}

#[test]
fn heartbeats_are_seen_to_stay_within_their_pages() {
    conformance::run(async |mut world: World<Postgres>| {
        world.play("alice delegates D1 to bob\nbob beats D1").await;
        for _ in 0..10 {
            world.play("bob beats D1").await;
        }
        // A session tells what it did at its end at the latest.
        world.kill().await;
        world.start().await;
        let all = measured(&world, "postgres_watch_updates", "all").await;
        let hot = measured(&world, "postgres_watch_updates", "hot").await;
        assert!(all >= 10.0, "{all}");
        // The first beat is a transition, which moves both indexes' moments.
        assert!(hot >= all - 1.0, "{hot} of {all}");
        assert!(measured(&world, "postgres_watch_bytes", "table").await > 0.0);
    });
}
