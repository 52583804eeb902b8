//! What is over and may go: found by its end, and what is tied to it.

use consign_ledger::delegation::retention::Ties;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Prunable, PrunePage, PruneQuery};
use consign_ledger::{DelegationId, Time};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// Whether its caller has acknowledged the message of its verdict, and whether a child or a retry names it.
const TIES: &str = "
    EXISTS (SELECT 1 FROM inboxes i JOIN events e ON e.num = d.num
            WHERE i.agent_id = d.caller_id AND e.seq <= i.acked_through AND e.kind = d.status),
    EXISTS (SELECT 1 FROM delegations c WHERE c.parent_id = d.delegation_id)
        OR EXISTS (SELECT 1 FROM delegations r WHERE r.retry_of = d.delegation_id)";

pub(crate) async fn prunable(
    connection: &Connection,
    query: &PruneQuery,
) -> Result<PrunePage, Trouble> {
    // What was not acknowledged is kept no shorter than what was.
    let Some(before) = query.acknowledged_before.max(query.any_before) else {
        return Ok(PrunePage::default());
    };
    let (at, num) = query.after.map_or((i64::MIN, i64::MIN), |(at, num)| (at.0, num));
    let sql = format!(
        "SELECT d.num, d.finished_at, d.delegation_id, d.version, d.status, {TIES}
         FROM (SELECT * FROM delegations
               WHERE finished_at IS NOT NULL AND finished_at < $1 AND (finished_at, num) > ($2, $3)
               ORDER BY finished_at, num LIMIT $4) AS d
         ORDER BY d.finished_at, d.num"
    );
    let statement = connection.prepare_cached(&sql).await?;
    let rows = connection.query(&statement, &[&before.0, &at, &num, &wide(query.limit)]).await?;
    let mut page = PrunePage::default();
    for row in &rows {
        match read(row) {
            Ok((prunable, ties)) if query.lets_go(&prunable, ties) => page.prunable.push(prunable),
            Ok(_) => {}
            Err(Trouble::Corrupt(why)) => {
                tracing::error!(%why, "a row cannot exist; it is kept");
            }
            Err(trouble) => return Err(trouble),
        }
    }
    if let Some(last) = rows.last().filter(|_| rows.len() == query.limit) {
        let place: (Time, RowNum) = (Time(last.try_get(1)?), last.try_get(0)?);
        page.next = Some(place);
    }
    Ok(page)
}

fn read(row: &Row) -> Result<(Prunable, Ties), Trouble> {
    let mut cell = Cell::at("delegations", row.try_get(0)?, row, 1);
    let finished_at = cell.time("finished_at")?;
    let delegation_id = cell.made("delegation_id", |text| DelegationId::new(text).ok())?;
    let version = cell.number("version")?;
    let status = cell.made("status", Status::parse)?;
    let (acknowledged, named) = (cell.plain("acked_through")?, cell.plain("parent_id")?);
    let prunable = Prunable { delegation_id, version, status, finished_at, acknowledged };
    Ok((prunable, Ties { acknowledged, named }))
}

/// What is tied to each of these that is there and over.
pub(crate) async fn ties(
    connection: &Connection,
    ids: &[&str],
) -> Result<Vec<(DelegationId, Ties)>, Trouble> {
    let sql = format!(
        "SELECT d.delegation_id, {TIES} FROM delegations d
         WHERE d.delegation_id = ANY ($1::text[]) AND d.finished_at IS NOT NULL"
    );
    let statement = connection.prepare_cached(&sql).await?;
    let mut ties = vec![];
    for row in connection.query(&statement, &[&ids]).await? {
        // An id that cannot exist is met again, and named, when its own row is read.
        let Ok(id) = DelegationId::new(row.try_get(0)?) else { continue };
        ties.push((id, Ties { acknowledged: row.try_get(1)?, named: row.try_get(2)? }));
    }
    Ok(ties)
}
