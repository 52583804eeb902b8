//! The schema: brought up to date by one process at a time, and refused where it is newer than is understood.

use crate::connect::{Connection, Connector};
use crate::failure::Trouble;
use crate::open_error::{OpenError, explain};

/// In the order of their numbers; a database that has run the first *n* is at version *n*.
pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_ledger", include_str!("../migrations/0001_ledger.sql")),
    ("0002_lists_by_creation", include_str!("../migrations/0002_lists_by_creation.sql")),
    ("0003_agents", include_str!("../migrations/0003_agents.sql")),
    ("0004_claims", include_str!("../migrations/0004_claims.sql")),
    ("0005_retention", include_str!("../migrations/0005_retention.sql")),
    ("0006_callee_tallies", include_str!("../migrations/0006_callee_tallies.sql")),
    ("0007_verdict_seq", include_str!("../migrations/0007_verdict_seq.sql")),
];
/// The first number of all our advisory locks: "CNSG".
pub(crate) const LOCKS: i32 = 0x434e_5347;
/// The second number of the lock that a migration holds; replicas begin at 1.
const MIGRATION_LOCK: i32 = 0;

/// Runs what is missing, in one transaction. How much that was.
pub(crate) async fn bring_up_to_date(
    connector: &Connector,
    connection: &Connection,
) -> Result<usize, OpenError> {
    let explained = |trouble: Trouble| explain(connector, &trouble);
    let done = version(connection).await.map_err(explained)?;
    let known = understood(connector, done)?;
    if known == MIGRATIONS.len() {
        return Ok(0);
    }
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '35s';
         SELECT pg_advisory_xact_lock({LOCKS}, {MIGRATION_LOCK});
         SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0;
         SET LOCAL idle_in_transaction_session_timeout = 0"
    );
    connection.batch_execute(&begin).await.map_err(|error| explained(error.into()))?;
    // Another process may have been faster; only under the lock is it certain. Making the table, or finding it made,
    // lets this session see what was made while it waited.
    let table = "CREATE TABLE IF NOT EXISTS consign_migrations (
                     version INTEGER PRIMARY KEY, name TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now())";
    connection.batch_execute(table).await.map_err(|error| explained(error.into()))?;
    let done = version(connection).await.map_err(explained)?;
    let known = understood(connector, done)?;
    let ran = run(connection, known).await.map_err(explained)?;
    connection.batch_execute("COMMIT").await.map_err(|error| explained(error.into()))?;
    Ok(ran)
}

/// How many migrations the database has seen.
pub(crate) async fn version(connection: &Connection) -> Result<i32, Trouble> {
    let sql = "SELECT to_regclass('consign_migrations') IS NOT NULL";
    if !connection.query_one(sql, &[]).await?.try_get(0)? {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM consign_migrations";
    Ok(connection.query_one(sql, &[]).await?.try_get(0)?)
}

pub(crate) fn understood(connector: &Connector, found: i32) -> Result<usize, OpenError> {
    let known = usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len());
    known.ok_or_else(|| OpenError::TooNew {
        database: connector.address.database().to_owned(),
        found,
        known: MIGRATIONS.len(),
    })
}

async fn run(connection: &Connection, done: usize) -> Result<usize, Trouble> {
    for (version, (name, sql)) in (1_i32..).zip(MIGRATIONS).skip(done) {
        connection.batch_execute(sql).await?;
        let sql = "INSERT INTO consign_migrations (version, name) VALUES ($1, $2)";
        connection.execute(sql, &[&version, name]).await?;
        tracing::debug!(name, "migrated");
    }
    Ok(MIGRATIONS.len() - done)
}
