//! What a reader keeps beside the file is seen from outside.

use consign_ledger::Reader as _;
use consign_testkit::{World, conformance};
use rusqlite::Connection;

use super::backend::Sqlite;

async fn waiting(world: &World<Sqlite>) -> f64 {
    let measures = world.reader().measures().await.unwrap();
    measures.iter().find(|it| it.name == "sqlite_wal_waiting_bytes").unwrap().value
}

#[test]
fn what_waits_behind_a_reader_is_seen_until_the_reader_ends() {
    conformance::run(async |mut world: World<Sqlite>| {
        world.play("alice delegates D1 to bob").await;
        let copy = Connection::open(world.backend().path()).unwrap();
        let copied = || copy.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        let reader = Connection::open(world.backend().path()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
        world.play("alice delegates D2 to bob").await;
        copied();
        let behind = waiting(&world).await;
        assert!(behind >= 4096.0, "{behind}");
        reader.execute_batch("COMMIT").unwrap();
        copied();
        assert!(waiting(&world).await <= 0.0);
    });
}
