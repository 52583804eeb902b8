//! In what condition a ledger's database is: what a person asks first when something seems wrong.

use consign_ledger::Time;
use tokio_postgres::{Error, Row};

use crate::beside::look;
use crate::connect::{Connection, Connector};
use crate::migrate::{LOCKS, MIGRATIONS};
use crate::open::{inspect, moments, refuse_poolers};
use crate::open_error::{OpenError, explain};
use crate::read::HOLDERS;

/// Of who keeps PostgreSQL from cleaning up, so many are told, the oldest first.
const HOLDERS_MAX: i64 = 3;

/// What can be said of a ledger at a glance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// The server's version.
    pub server: String,
    /// How many migrations the database has seen.
    pub version: usize,
    /// How many there are; [`OpenError::TooNew`] where it has seen more.
    pub version_known: usize,
    /// The size of the database.
    pub bytes: u64,
    /// How many delegations there are.
    pub delegations: u64,
    /// How far the counts by status, which are kept along the way, are from what is counted now.
    pub tally_error: u64,
    /// The last moment that was written down.
    pub latest: Time,
    /// What the server's clock says.
    pub server_now: Time,
    /// What is off that should be on.
    pub off: Vec<String>,
    /// How many connections the server has, and may have.
    pub connections: Connections,
    /// Who keeps it from cleaning up, the oldest first.
    pub holders: Vec<Holder>,
    /// Whether this user may see the sessions of others.
    pub sees_others: bool,
    /// Live rows of the table of what is watched, and dead versions of them.
    pub watched: (u64, u64),
    /// Updates of that table, and those that stayed within their page.
    pub updates: (u64, u64),
    /// The servers that listen.
    pub replicas: Vec<Replica>,
}

/// Connections to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// There are so many.
    pub used: u64,
    /// There may be so many.
    pub most: u64,
}

/// Who keeps PostgreSQL from cleaning up.
#[derive(Clone, Debug, PartialEq)]
pub struct Holder {
    /// What it is: a `session`, a `prepared` transaction, a replication `slot`.
    pub kind: String,
    /// Its number or its name.
    pub name: String,
    /// What it says of itself.
    pub what: String,
    /// How many transactions ago it began.
    pub transactions: u64,
    /// How many seconds ago, where that is known.
    pub seconds: Option<f64>,
}

/// A server of this ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its number.
    pub replica_id: i32,
    /// Up to when it has heard everything.
    pub heard_until: Time,
    /// Whether it is connected.
    pub lives: bool,
}

/// The condition of the ledger in the database at `url`, whether or not servers have it open.
pub async fn condition(url: &str) -> Result<Condition, OpenError> {
    let connector = Connector::new(url)?;
    let (connection, version) = look(&connector).await?;
    inspect(&connector, &connection).await?;
    refuse_poolers(&connector, &connection).await?;
    if version == 0 {
        return Err(OpenError::NoLedger { database: connector.address.database().to_owned() });
    }
    let explained = |error: Error| explain(&connector, &error.into());
    let mut condition = of_server(&connection).await.map_err(explained)?;
    let moments = moments(&connection).await;
    let (latest, server_ms) = moments.map_err(|trouble| explain(&connector, &trouble))?;
    (condition.latest, condition.server_now) = (latest, Time(server_ms));
    (condition.version, condition.version_known) = (version, MIGRATIONS.len());
    condition.holders = holders(&connection).await.map_err(explained)?;
    condition.replicas = replicas(&connection).await.map_err(explained)?;
    of_watch(&connection, &mut condition).await.map_err(explained)?;
    tallies(&connection, &mut condition).await.map_err(explained)?;
    Ok(condition)
}

async fn of_server(connection: &Connection) -> Result<Condition, Error> {
    let sql = "
        SELECT current_setting('server_version'), pg_database_size(current_database()),
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
               current_setting('max_connections')::bigint,
               (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                   OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
               ARRAY(SELECT name FROM pg_settings
                     WHERE name IN ('fsync', 'full_page_writes', 'autovacuum', 'track_counts') AND setting = 'off')";
    let row = connection.query_one(sql, &[]).await?;
    Ok(Condition {
        server: row.try_get(0)?,
        bytes: count(&row, 1)?,
        connections: Connections { used: count(&row, 2)?, most: count(&row, 3)? },
        sees_others: row.try_get(4)?,
        off: row.try_get(5)?,
        ..Condition::default()
    })
}

async fn holders(connection: &Connection) -> Result<Vec<Holder>, Error> {
    let sql = format!(
        "SELECT holder, name, what, transactions, seconds FROM ({HOLDERS}) AS holders
         ORDER BY transactions DESC NULLS LAST LIMIT $1"
    );
    let holder = |row: &Row| {
        Ok(Holder {
            kind: row.try_get(0)?,
            name: row.try_get(1)?,
            what: row.try_get(2)?,
            transactions: count(row, 3)?,
            seconds: row.try_get(4)?,
        })
    };
    connection.query(&sql, &[&HOLDERS_MAX]).await?.iter().map(holder).collect()
}

async fn replicas(connection: &Connection) -> Result<Vec<Replica>, Error> {
    let sql = "
        SELECT r.replica_id, r.heard_until, EXISTS (
            SELECT 1 FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.classid = $1::integer::oid AND l.objid = r.replica_id::oid
              AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        FROM replicas r ORDER BY r.replica_id";
    let replica = |row: &Row| {
        Ok(Replica {
            replica_id: row.try_get(0)?,
            heard_until: Time(row.try_get(1)?),
            lives: row.try_get(2)?,
        })
    };
    connection.query(sql, &[&LOCKS]).await?.iter().map(replica).collect()
}

async fn of_watch(connection: &Connection, condition: &mut Condition) -> Result<(), Error> {
    let sql = "SELECT n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd
               FROM pg_stat_user_tables WHERE relid = 'watch'::regclass";
    if let Some(row) = connection.query_opt(sql, &[]).await? {
        condition.watched = (count(&row, 0)?, count(&row, 1)?);
        condition.updates = (count(&row, 2)?, count(&row, 3)?);
    }
    Ok(())
}

/// By the index on the status alone, however long that takes.
async fn tallies(connection: &Connection, condition: &mut Condition) -> Result<(), Error> {
    connection.batch_execute("SET statement_timeout = 0").await?;
    let sql = "SELECT coalesce(sum(counted), 0)::bigint, coalesce(sum(abs(counted - kept)), 0)::bigint
               FROM (SELECT t.count AS kept,
                            (SELECT count(*) FROM delegations d WHERE d.status = t.status) AS counted
                     FROM tallies t) AS tallies";
    let row = connection.query_one(sql, &[]).await?;
    (condition.delegations, condition.tally_error) = (count(&row, 0)?, count(&row, 1)?);
    Ok(())
}

fn count(row: &Row, at: usize) -> Result<u64, Error> {
    Ok(row.try_get::<_, Option<i64>>(at)?.unwrap_or_default().unsigned_abs())
}
