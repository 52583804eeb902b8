//! What the wire between the store and its server may do: cut at the worst moment, down, leading elsewhere.

use consign_ledger::DelegationId;
use consign_store_postgres::{PostgresStore, Wall};
use consign_testkit::postgres::{AtCommit, Database, Proxy};
use consign_testkit::{Backend, HandClock, World, conformance};

use super::backend;

/// The name of the connection that appends, as `pg_stat_activity` shows it.
pub(crate) const APPEND: &str = "consign append";

/// PostgreSQL behind a wire that can be cut.
pub(crate) struct Wired {
    clock: HandClock,
    pub(crate) database: Database,
    pub(crate) proxy: Proxy,
}

impl Wired {
    /// Its address, over the wire and unencrypted: the wire must see what it cuts.
    pub(crate) fn url(&self) -> String {
        let direct = format!(":{}/", self.database.port());
        let wired = format!(":{}/", self.proxy.port());
        self.database.tcp_url().replace(&direct, &wired) + "?sslmode=disable"
    }
}

impl Backend for Wired {
    type Store = PostgresStore;

    async fn fresh(clock: HandClock) -> Self {
        let database = backend::database().await;
        let proxy = Proxy::to(database.port()).await;
        Self { clock, database, proxy }
    }

    async fn open(&self) -> PostgresStore {
        self.database.end_sessions().await;
        PostgresStore::open(&self.url(), self.clock.clone(), Wall::Given).await.unwrap()
    }

    async fn poison(&self, id: &DelegationId) {
        backend::poison(&self.database, id).await;
    }

    async fn refuse(&self, id: &DelegationId) {
        backend::refuse(&self.database, id).await;
    }
}

/// Acts, and what each is answered, whatever happens to its commit.
const ACTS: [(&str, &str); 10] = [
    ("alice delegates D1 to bob, key K, attempts 2", "changed"),
    ("alice delegates D2 to bob, unnamed", "changed"),
    ("bob accepts D1", "changed"),
    ("alice extends D1 to 8h", "changed"),
    ("bob beats D1, waiting for human", "told in_progress"),
    ("alice retries D1", "changed"),
    ("carol accepts D1", "changed"),
    ("carol completes D1 with \"42\"", "changed"),
    ("carol completes D1 with \"43\"", "kept as late"),
    ("alice retries D1 as D3", "changed"),
];

fn every_act_is_done_once_although_its_commit_is_cut(at: AtCommit) {
    conformance::run(async |mut world: World<Wired>| {
        for (act, answer) in ACTS {
            world.backend().proxy.cut_commit(APPEND, at);
            world.play(&format!("{act}    {answer}")).await;
            assert!(!world.backend().proxy.is_lurking(), "{act}: its commit was not cut");
        }
        let told = "
            sweep    nothing
                     D1 history created accepted extended waiting requeued accepted completed late_result
                     D1 keeps 1 late results; alice has 1 message; D3 retries D1
                     stats: 2 queued, 1 completed";
        world.play(told).await;
        world.audit().await;
    });
}

#[test]
fn a_commit_that_never_reached_the_server_is_done_once_and_answered_truthfully() {
    every_act_is_done_once_although_its_commit_is_cut(AtCommit::Unsent);
}

#[test]
fn a_commit_that_was_made_and_not_answered_is_done_once_and_answered_truthfully() {
    every_act_is_done_once_although_its_commit_is_cut(AtCommit::Unanswered);
}

#[test]
fn a_commit_that_is_cut_while_the_server_is_at_it_is_done_once_and_answered_truthfully() {
    every_act_is_done_once_although_its_commit_is_cut(AtCommit::Underway);
}
