//! PostgreSQL as the test kit wants it: a database of its own, which goes with the test.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use consign_ledger::DelegationId;
use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::postgres::Database;
use consign_testkit::schema::migrations;
use consign_testkit::{Backend, HandClock};

/// What a database with this schema is a copy of.
fn kind() -> String {
    let mut hasher = DefaultHasher::new();
    migrations(env!("CARGO_MANIFEST_DIR")).hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// A database with the ledger's schema in it.
pub(crate) async fn database() -> Database {
    let migrate = async |url: String| {
        consign_store_postgres::migrate(&url).await.unwrap();
    };
    Database::prepared(&kind(), migrate).await
}

pub(crate) struct Postgres {
    clock: HandClock,
    pub(crate) database: Database,
}

/// Whatever a test did, what is in its database at its end is sound.
impl Drop for Postgres {
    fn drop(&mut self) {
        if std::thread::panicking() || self.database.is_vandalised() {
            return;
        }
        let url = self.database.url();
        // In a runtime of its own: the test's may be the one that drops this.
        let auditing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(consign_store_postgres::audit(&url)).unwrap().findings
        });
        let findings = auditing.join().unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

impl Backend for Postgres {
    type Store = PostgresStore;

    async fn fresh(clock: HandClock) -> Self {
        Self { clock, database: database().await }
    }

    async fn open(&self) -> PostgresStore {
        // The store opened before is gone; here its sessions are, too.
        self.database.end_sessions().await;
        PostgresStore::open(&self.database.url(), self.clock.clone(), Wall::Given).await.unwrap()
    }

    async fn poison(&self, id: &DelegationId) {
        poison(&self.database, id).await;
    }

    async fn refuse(&self, id: &DelegationId) {
        refuse(&self.database, id).await;
    }
}

pub(crate) async fn poison(database: &Database, id: &DelegationId) {
    let vandal = database.vandal().await;
    let sql = "ALTER TABLE delegations DROP CONSTRAINT delegations_status_check";
    vandal.batch_execute(sql).await.unwrap();
    let sql = "UPDATE delegations SET status = 'nonsense' WHERE delegation_id = $1";
    assert_eq!(vandal.execute(sql, &[&id.as_str()]).await.unwrap(), 1);
}

/// At its events, which come after its row: so there is something to roll back.
pub(crate) async fn refuse(database: &Database, id: &DelegationId) {
    let vandal = database.vandal().await;
    let sql = "SELECT num FROM delegations WHERE delegation_id = $1";
    let num: i64 = vandal.query_one(sql, &[&id.as_str()]).await.unwrap().get(0);
    let sql =
        format!("ALTER TABLE events ADD CONSTRAINT refuse_{num} CHECK (num <> {num}) NOT VALID");
    vandal.batch_execute(&sql).await.unwrap();
}
