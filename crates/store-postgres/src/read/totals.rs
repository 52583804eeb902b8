//! Counts, reports of passes, and the ledger's secret.

use consign_ledger::delegation::lease::Secret;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Stats, SweepReport};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

const STATS: &str = "SELECT status, count FROM tallies";

pub(crate) async fn stats(connection: &Connection) -> Result<Stats, Trouble> {
    let statement = connection.prepare_cached(STATS).await?;
    let mut stats = Stats::default();
    for row in connection.query(&statement, &[]).await? {
        if let Some(status) = Status::parse(row.try_get(0)?) {
            stats.0[status.index()] = row.try_get::<_, i64>(1)?.unsigned_abs();
        }
    }
    Ok(stats)
}

pub(crate) async fn sweeps(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<SweepReport>, Trouble> {
    let sql = "SELECT id, deadline_failures, stuck_marked, errors, requeued, examined, rearmed, held, started_at,
               duration_ms FROM sweeps ORDER BY id DESC LIMIT $1";
    let statement = connection.prepare_cached(sql).await?;
    connection.query(&statement, &[&wide(limit)]).await?.iter().map(read_report).collect()
}

fn read_report(row: &Row) -> Result<SweepReport, Trouble> {
    let mut cell = Cell::at("sweeps", row.try_get(0)?, row, 1);
    Ok(SweepReport {
        deadline_failures: cell.number("deadline_failures")?,
        stuck_marked: cell.number("stuck_marked")?,
        errors: cell.number("errors")?,
        requeued: cell.number("requeued")?,
        examined: cell.number("examined")?,
        rearmed: cell.number("rearmed")?,
        held: cell.number("held")?,
        started_at: cell.time("started_at")?,
        duration_ms: cell.number("duration_ms")?,
    })
}

pub(crate) async fn secret(connection: &Connection) -> Result<Secret, Trouble> {
    let sql = "SELECT secret FROM secrets WHERE name = 'lease'";
    let row = connection.query_one(sql, &[]).await?;
    let mut cell = Cell::at("secrets", 1, &row, 0);
    Ok(Secret::new(cell.hash("secret")?))
}
