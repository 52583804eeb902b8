//! Counts, reports of passes, and the ledger's secret.

use consign_ledger::Time;
use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Stats, SweepReport};
use rusqlite::Connection;

use crate::failure::Trouble;

pub(crate) fn stats(connection: &Connection) -> Result<Stats, Trouble> {
    let mut stats = Stats::default();
    let mut statement = connection.prepare_cached("SELECT status, count FROM tallies")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if let Some(status) = Status::parse(&name) {
            stats.0[status.index()] = row.get(1)?;
        }
    }
    Ok(stats)
}

pub(crate) fn sweeps(connection: &Connection, limit: usize) -> Result<Vec<SweepReport>, Trouble> {
    let sql = "SELECT deadline_failures, stuck_marked, errors, requeued, examined, rearmed, held, started_at,
               duration_ms FROM sweeps ORDER BY id DESC LIMIT ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(SweepReport {
            deadline_failures: row.get(0)?,
            stuck_marked: row.get(1)?,
            errors: row.get(2)?,
            requeued: row.get(3)?,
            examined: row.get(4)?,
            rearmed: row.get(5)?,
            held: row.get(6)?,
            started_at: Time(row.get(7)?),
            duration_ms: row.get(8)?,
        })
    };
    Ok(connection.prepare_cached(sql)?.query_map([limit], read)?.collect::<Result<_, _>>()?)
}

pub(crate) fn secret(connection: &Connection) -> Result<Secret, Trouble> {
    let sql = "SELECT secret FROM secrets WHERE name = 'lease'";
    Ok(Secret::new(connection.query_row(sql, [], |row| row.get(0))?))
}
