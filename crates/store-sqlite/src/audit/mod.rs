//! What must always hold, asked of a ledger as it lies on disk, while its server goes on working.
//!
//! The checks share no code with what writes: they are questions to the tables, so a mistake there does not hide
//! itself here. They say what is wrong, and change nothing.

mod checks;

use std::path::Path;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Audit, Finding};
use rusqlite::{Connection, ErrorCode, Transaction};

use crate::open::{OpenError, open_to_judge};
use checks::CHECKS;

/// Findings that one check tells of.
const FINDINGS_PER_CHECK_MAX: usize = 100;

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
        /// What SQLite said.
        why: rusqlite::Error,
    },
}

/// Audits the ledger at `path` at one moment, whether or not a server has it open.
pub fn audit(path: &Path) -> Result<Audit, AuditError> {
    let connection = open_to_judge(path)?;
    let unreadable = |check| move |why| AuditError::Unreadable { check, why };
    let moment = connection.unchecked_transaction().map_err(unreadable("begin"))?;
    // The file first: on a page that cannot be read no other question has an answer.
    let file = file(&moment).map_err(unreadable("file"))?;
    let mut audit = Audit { checks: CHECKS.len() + 1, findings: file, ..Audit::default() };
    if !audit.findings.is_empty() {
        return Ok(Audit { checks: 1, ..audit });
    }
    audit.delegations = count(&moment, "delegations").map_err(unreadable("count"))?;
    audit.events = count(&moment, "events").map_err(unreadable("count"))?;
    for (check, sql) in CHECKS {
        audit.findings.extend(ask(&moment, check, sql).map_err(unreadable(check))?);
    }
    Ok(audit)
}

/// SQLite's own check: pages, indexes, and the schema's constraints, row by row.
fn file(moment: &Transaction<'_>) -> rusqlite::Result<Vec<Finding>> {
    let said = integrity(moment, FINDINGS_PER_CHECK_MAX)?;
    let finding = |told| Finding { check: "file", place: "the ledger's file".to_owned(), told };
    Ok(said.into_iter().map(finding).collect())
}

/// What SQLite finds wrong with the file; where it finds so much that it cannot go on, that.
pub(crate) fn integrity(connection: &Connection, most: usize) -> rusqlite::Result<Vec<String>> {
    let said = || {
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({most})"))?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    match said() {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(vec![why.to_string()])
        }
        Err(why) => Err(why),
    }
}

fn ask(moment: &Transaction<'_>, check: &'static str, sql: &str) -> rusqlite::Result<Vec<Finding>> {
    let terminal = || Status::ALL.iter().filter(|status| !status.in_flight());
    let sql = sql.replace("{verdicts}", &quoted(terminal()));
    let freeing = terminal().filter(|status| **status != Status::Completed);
    let sql = sql.replace("{freeing}", &quoted(freeing));
    let mut statement = moment.prepare(&format!("{sql} LIMIT {FINDINGS_PER_CHECK_MAX}"))?;
    let found = statement
        .query_map([], |row| Ok(Finding { check, place: row.get(0)?, told: row.get(1)? }))?;
    found.collect()
}

fn quoted<'a>(statuses: impl Iterator<Item = &'a Status>) -> String {
    statuses.map(|status| format!("'{status}'")).collect::<Vec<_>>().join(", ")
}

fn count(connection: &Connection, table: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
}
