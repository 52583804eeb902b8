//! What must always hold, asked of a ledger in its database, while its servers go on working.
//!
//! The checks share no code with what writes: they are questions to the tables, so a mistake there does not hide
//! itself here. They say what is wrong, and change nothing. All of them see one moment, which PostgreSQL keeps for as
//! long as they take.

mod checks;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Audit, Finding};
use tokio_postgres::Row;

use crate::beside::beside;
use crate::connect::Connection;
use crate::failure::said;
use crate::open_error::OpenError;
use checks::CHECKS;

/// Findings that one check tells of.
const FINDINGS_PER_CHECK_MAX: usize = 100;

/// Each question reads whole tables, so it may take its time, and the fastest way.
const PATIENT: &str = "
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET enable_seqscan = on;
    BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Why there was no audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read.
    #[error("the ledger cannot be read ({check}): {why}")]
    Unreadable {
        /// In which check.
        check: &'static str,
        /// What PostgreSQL said.
        why: String,
    },
}

/// Audits the ledger in the database at `url` at one moment, whether or not servers have it open.
pub async fn audit(url: &str) -> Result<Audit, AuditError> {
    let connection = beside(url).await?;
    let unreadable =
        |check| move |why: tokio_postgres::Error| AuditError::Unreadable { check, why: said(&why) };
    connection.batch_execute(PATIENT).await.map_err(unreadable("begin"))?;
    let mut audit = Audit { checks: CHECKS.len(), ..Audit::default() };
    audit.delegations = count(&connection, "delegations").await.map_err(unreadable("count"))?;
    audit.events = count(&connection, "events").await.map_err(unreadable("count"))?;
    for (check, sql) in CHECKS {
        audit.findings.extend(ask(&connection, check, sql).await.map_err(unreadable(check))?);
    }
    Ok(audit)
}

async fn ask(
    connection: &Connection,
    check: &'static str,
    sql: &str,
) -> Result<Vec<Finding>, tokio_postgres::Error> {
    let terminal = || Status::ALL.iter().filter(|status| !status.in_flight());
    let sql = sql.replace("{statuses}", &quoted(Status::ALL.iter()));
    let sql = sql.replace("{verdicts}", &quoted(terminal()));
    let freeing = terminal().filter(|status| **status != Status::Completed);
    let sql = sql.replace("{freeing}", &quoted(freeing));
    let found = connection.query(&format!("{sql} LIMIT {FINDINGS_PER_CHECK_MAX}"), &[]).await?;
    let finding = |row: &Row| Ok(Finding { check, place: row.try_get(0)?, told: row.try_get(1)? });
    found.iter().map(finding).collect()
}

fn quoted<'a>(statuses: impl Iterator<Item = &'a Status>) -> String {
    statuses.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

async fn count(connection: &Connection, table: &str) -> Result<u64, tokio_postgres::Error> {
    let row = connection.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await?;
    Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
}
