//! What a person is told who starts with a database that cannot be used: one sentence, with what to do.

use consign_ledger::command::Heartbeat;
use consign_ledger::{DelegationId, Ledger, Reader as _, Settings, Time};
use consign_store_postgres::{OpenError, PostgresStore, Wall};
use consign_testkit::postgres::{Database, Proxy};
use consign_testkit::{HandClock, SeededIds, World, conformance};

use super::backend::{Postgres, database};
use super::pooler::Pooler;
use super::replica::{Replica, command, delegate};

async fn told(url: &str) -> String {
    let opened = PostgresStore::open(url, HandClock::default(), Wall::Given).await;
    let told = opened.err().expect("it cannot be opened").to_string();
    assert!(!told.contains("secret"), "a password is nobody's business: {told}");
    told
}

#[tokio::test]
async fn nobody_who_answers_is_named_by_host_and_port() {
    let database = database().await;
    let proxy = Proxy::to(database.port()).await;
    let port = proxy.port();
    drop(proxy);
    let told = told(&format!("postgres://consign:secret@127.0.0.1:{port}/ledger")).await;
    assert!(told.contains(&format!("127.0.0.1:{port} cannot be reached")), "{told}");
    assert!(told.contains("check that it runs"), "{told}");
}

#[tokio::test]
async fn a_wrong_password_names_the_user() {
    let url = database().await.tcp_url().replace("throw-away", "secret");
    let told = told(&url).await;
    assert!(told.contains("refuses user consign"), "{told}");
    assert!(told.contains("check the user and password"), "{told}");
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_named_with_the_way_to_make_it() {
    let database = database().await;
    let told = told(&database.url().replace(database.name(), "nowhere")).await;
    assert!(told.contains("has no database \"nowhere\""), "{told}");
    assert!(told.contains("createdb nowhere"), "{told}");
}

#[tokio::test]
async fn a_schema_that_is_newer_is_left_alone() {
    let database = database().await;
    let sql = "INSERT INTO consign_migrations (version, name) VALUES (99, '0099_later')";
    database.vandal().await.batch_execute(sql).await.unwrap();
    let told = told(&database.url()).await;
    assert!(told.contains("schema version 99"), "{told}");
    assert!(told.contains("use a newer consign"), "{told}");
}

#[tokio::test]
async fn somebody_elses_tables_are_left_alone() {
    let database = Database::empty().await;
    let vandal = database.vandal().await;
    vandal.batch_execute("CREATE TABLE events (note TEXT)").await.unwrap();
    let told = told(&database.url()).await;
    assert!(told.contains("is not a Consign ledger"), "{told}");
    assert!(told.contains("a database of its own"), "{told}");
    let left =
        "SELECT count(*) FROM pg_class WHERE relname IN ('delegations', 'consign_migrations')";
    let left: i64 = vandal.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "it left something behind");
}

#[tokio::test]
async fn who_may_not_make_tables_is_told_what_to_grant() {
    let database = Database::empty().await;
    let url = database.url_of_a_user().await;
    let sql = format!(
        "REVOKE consign FROM {0}; REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        database.name()
    );
    database.vandal().await.batch_execute(&sql).await.unwrap();
    let told = told(&url).await;
    assert!(told.contains("may not make the ledger's tables"), "{told}");
    assert!(told.contains("grant it CREATE"), "{told}");
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_no_place_for_a_ledger() {
    let database = database().await;
    let url = database.url_of_a_user().await;
    let sql = format!("ALTER ROLE {} SET default_transaction_read_only = on", database.name());
    database.vandal().await.batch_execute(&sql).await.unwrap();
    let told = told(&url).await;
    assert!(told.contains("can only be read"), "{told}");
    assert!(told.contains("name the primary"), "{told}");
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_by_name() {
    let database = database().await;
    for sessions in [1, 2] {
        let pooler = Pooler::before(&database, sessions).await;
        let told = told(&pooler.url()).await;
        assert!(told.contains("PgBouncer"), "{sessions}: {told}");
        assert!(told.contains("pool_mode = session"), "{sessions}: {told}");
    }
}

/// What waits for the disk must really wait, whatever the database's default is.
#[tokio::test]
async fn a_commit_that_does_not_wait_for_the_disk_is_made_to() {
    let database = database().await;
    let sql = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name());
    database.vandal().await.batch_execute(&sql).await.unwrap();
    let opened = PostgresStore::open(&database.url(), HandClock::default(), Wall::Given).await;
    assert!(opened.is_ok(), "{:?}", opened.err().map(|why: OpenError| why.to_string()));
}

#[tokio::test]
async fn of_many_that_start_at_once_on_an_empty_database_one_migrates() {
    let database = Database::empty().await;
    let starts = (0..5).map(|_| {
        let url = database.url();
        tokio::spawn(async move { consign_store_postgres::migrate(&url).await.unwrap() })
    });
    let starts: Vec<_> = starts.collect();
    let mut ran = vec![];
    for start in starts {
        ran.push(start.await.unwrap());
    }
    ran.sort_unstable();
    assert!(ran[..4] == [0; 4] && ran[4] > 0, "{ran:?}");
}

/// As the owner of a database would have it: the server may use the tables, and make none.
#[test]
fn a_user_who_may_only_read_and_write_the_tables_can_serve() {
    conformance::run(async |world: World<Postgres>| {
        let database = &world.backend().database;
        let url = database.url_of_a_user().await;
        let user = database.name();
        let grants = format!(
            "REVOKE consign FROM {user};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};
             GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}"
        );
        database.vandal().await.batch_execute(&grants).await.unwrap();
        let replica = Replica::start(&url, world.clock(), 7).await;
        let script = ["alice delegates D1 to bob, key K", "bob delegates D2 to carol, under D1"];
        for line in script {
            let done = replica.ledger.act(command(&world, line)).await;
            assert!(done.unwrap().changed, "{line}");
        }
        let beats = command(&world, "bob beats D1, progress \"half\"");
        assert!(replica.ledger.act(beats).await.unwrap().changed);
        let cancels = command(&world, "alice cancels D1");
        assert!(replica.ledger.act(cancels).await.unwrap().changed);
        replica.listen().await;
        let report = replica.sweep().await;
        assert_eq!(report.errors, 0, "{report:?}");
        let child = replica.ledger.reader().find(&world.id("D2")).await.unwrap().unwrap().0;
        assert!(!child.in_flight(), "it was cancelled with its parent");
        replica.ledger.tidy(world.now().await).await.unwrap();
        replica.ledger.leave().await.unwrap();
    });
}

/// What every other test moves by hand: in production, the server's clock decides, and this machine's does not.
#[tokio::test]
async fn the_servers_clock_decides() {
    let database = database().await;
    // Somewhere else entirely.
    let clock = HandClock::default();
    let store = PostgresStore::open(&database.url(), clock.clone(), Wall::Server).await.unwrap();
    let settings = Settings { stuck_threshold_s: 600 };
    let (ledger, desk) = Ledger::open(store, settings, SeededIds::new(7)).await.unwrap();
    let desk = tokio::spawn(desk.run());
    let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let vandal = database.vandal().await;
    let before: i64 = vandal.query_one(sql, &[]).await.unwrap().get(0);
    let read = ledger.reader().reading().await.unwrap().now;
    let made = ledger.act(delegate("D1")).await.unwrap().delegation.created_at;
    let id = DelegationId::new("D1").unwrap();
    let beat = || Heartbeat {
        id: id.clone(),
        lease: None,
        progress: None,
        waiting: None,
        override_reason: None,
    };
    for _ in 0..2 {
        assert!(ledger.heartbeats(vec![beat()]).await[0].is_ok());
    }
    let heard = ledger.reader().find(&id).await.unwrap().unwrap().0.last_heartbeat.unwrap();
    ledger.listen().await.unwrap();
    let mark = ledger.reader().listening(Time(0)).await.unwrap().heard_until().unwrap();
    let after: i64 = vandal.query_one(sql, &[]).await.unwrap().get(0);
    let moments = [Time(before), read, made, heard, mark, Time(after)];
    assert!(moments.is_sorted(), "{moments:?}");
    desk.abort();
}
