//! Ten minutes of heartbeats in a few seconds: passes and verdicts all the while, and for a part of it a reader that
//! holds a snapshot. The long version, with PostgreSQL's own vacuum, is a soak of the benchmark's.

use consign_ledger::command::{Command, Complete, Heartbeat};
use consign_ledger::{DelegationId, Payload, Reader as _};
use consign_testkit::HandClock;
use consign_testkit::postgres::Server;
use tokio_postgres::Client;

use super::beats::{beat, end_sessions, updates};
use super::replica::{Replica, delegate};

const FLEET: usize = 200;
/// Each of the fleet is looked at about once in so many seconds.
const THRESHOLD_S: u32 = 10;
/// A pass, so often; and what autovacuum does.
const PASS_EVERY_S: usize = 5;
/// So many are delegated every second and begin; then they are silent, and completed long after they were marked.
const CHURN: usize = 3;
const COMPLETED_AFTER_S: usize = 20;

/// A server, and the fleet that beats on it every second.
struct Soak {
    clock: HandClock,
    replica: Replica,
    vandal: Client,
    fleet: Vec<Heartbeat>,
    seconds: usize,
    /// What passes and first heartbeats changed of what is indexed.
    moved: i64,
    marked: u64,
}

/// What was done in a while.
struct Done {
    beats: i64,
    updated: i64,
    hot: i64,
    moved: i64,
    marked: u64,
}

/// The table and its indexes.
#[derive(Clone, Copy, Debug)]
struct Size {
    table: i64,
    indexes: i64,
}

impl Soak {
    async fn begin(server: &Server) -> Self {
        let (clock, vandal) = (HandClock::default(), server.vandal().await);
        // Nothing here hangs on the disk.
        vandal.batch_execute("ALTER SYSTEM SET fsync = off").await.unwrap();
        vandal.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let replica = Replica::start(&server.url(), &clock, 7).await;
        let fleet = (0..FLEET).map(|nth| format!("steady-{nth}"));
        let fleet: Vec<String> = fleet.collect();
        let mut soak = Self {
            clock,
            replica,
            vandal,
            fleet: fleet.iter().map(|id| beat(id)).collect(),
            seconds: 0,
            moved: 0,
            marked: 0,
        };
        soak.start(fleet).await;
        soak
    }

    async fn start(&mut self, ids: Vec<String>) {
        let new = ids.iter().map(|id| quick(id)).collect();
        assert!(self.replica.ledger.act_all(new).await.iter().all(Result::is_ok));
        self.moved += i64::try_from(ids.len()).unwrap();
        self.hear(ids.iter().map(|id| beat(id)).collect()).await;
    }

    async fn hear(&self, beats: Vec<Heartbeat>) {
        let heard = self.replica.ledger.heartbeats(beats).await;
        assert!(heard.iter().all(Result::is_ok), "{heard:?}");
    }

    async fn second(&mut self) {
        self.clock.advance_ms(1000);
        self.hear(self.fleet.clone()).await;
        self.replica.listen().await;
        let second = self.seconds;
        self.seconds += 1;
        self.start((0..CHURN).map(|nth| churned(second, nth)).collect()).await;
        if let Some(over) = second.checked_sub(COMPLETED_AFTER_S) {
            let complete = |nth| complete(&churned(over, nth));
            let completed = self.replica.ledger.act_all((0..CHURN).map(complete).collect()).await;
            assert!(completed.iter().all(Result::is_ok), "{completed:?}");
        }
        if second.is_multiple_of(PASS_EVERY_S) {
            let report = self.replica.sweep().await;
            assert_eq!((report.errors, report.held), (0, 0), "{report:?}");
            self.moved += i64::try_from(report.rearmed + report.stuck_marked).unwrap();
            self.marked += report.stuck_marked;
            self.vandal.batch_execute("VACUUM watch").await.unwrap();
        }
    }

    /// So many seconds, counted by PostgreSQL.
    async fn run(&mut self, seconds: usize) -> Done {
        end_sessions(&self.vandal).await;
        self.vandal.batch_execute("SELECT pg_stat_reset()").await.unwrap();
        let (moved, marked) = (self.moved, self.marked);
        for _ in 0..seconds {
            self.second().await;
        }
        end_sessions(&self.vandal).await;
        let (updated, hot) = updates(&self.vandal).await;
        let beats = i64::try_from(seconds * FLEET).unwrap();
        Done { beats, updated, hot, moved: self.moved - moved, marked: self.marked - marked }
    }

    async fn size(&self) -> Size {
        let sql = "SELECT pg_relation_size('watch'), pg_indexes_size('watch')";
        let row = self.vandal.query_one(sql, &[]).await.unwrap();
        Size { table: row.get(0), indexes: row.get(1) }
    }

    /// Since when somebody has held a snapshot, as the metrics say: in transactions.
    async fn held(&self) -> f64 {
        let measures = self.replica.ledger.reader().measures().await.unwrap();
        let mut oldest = measures.iter().filter(|it| it.name == "postgres_oldest_transactions");
        oldest.find(|it| it.of == Some(("holder", "session"))).unwrap().value
    }
}

impl Done {
    /// Every heartbeat stayed within its page, and nothing did not but what cannot.
    fn assert_hot(&self) {
        let Self { beats, updated, hot, moved, marked } = self;
        assert!(*marked > 0, "no verdict");
        assert!(hot >= beats, "{hot} of {updated} updates were HOT, and {beats} were heartbeats");
        assert!(updated - hot <= *moved, "{updated} updates, {hot} HOT, {moved} moved");
    }
}

impl Size {
    /// At most half as much again.
    fn assert_near(self, before: Self) {
        let near = |now: i64, before: i64| 2 * now <= 3 * before;
        let all = near(self.table, before.table) && near(self.indexes, before.indexes);
        assert!(all, "from {before:?} to {self:?}");
    }
}

fn quick(id: &str) -> Command {
    let Command::Create(mut create) = delegate(id) else { panic!("it creates") };
    create.terms.stuck_threshold_s = Some(THRESHOLD_S);
    Command::Create(create)
}

fn churned(second: usize, nth: usize) -> String {
    format!("churn-{second}-{nth}")
}

fn complete(id: &str) -> Command {
    let (id, result) = (DelegationId::new(id).unwrap(), Some(Payload::Text("done".to_owned())));
    Command::Complete(Complete { id, result, lease: None, override_reason: None })
}

/// On a server of its own: what others have open decides what may be cleared away.
#[tokio::test]
async fn heartbeats_stay_within_their_pages_whatever_goes_on_beside_them() {
    let server = Server::start();
    let mut soak = Soak::begin(&server).await;
    soak.run(40).await;
    let warm = soak.size().await;
    soak.run(60).await.assert_hot();
    let calm = soak.size().await;
    calm.assert_near(warm);
    assert!(soak.held().await <= 0.0, "it is told of a reader that is not there");

    let reader = server.vandal().await;
    let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM watch";
    reader.batch_execute(sql).await.unwrap();
    soak.run(40).await;
    let held = soak.size().await;
    assert!(soak.held().await >= 40.0, "nobody was told of the reader");
    assert!(held.table > 2 * calm.table, "nothing was held: {calm:?} and {held:?}");
    reader.batch_execute("COMMIT").await.unwrap();
    assert!(soak.held().await <= 0.0, "it is told of a reader that is gone");

    soak.run(40).await;
    soak.run(60).await.assert_hot();
    soak.size().await.assert_near(held);
}
