//! What is over and may go: found by its end, and what is tied to it.

use consign_ledger::delegation::retention::Ties;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Prunable, PrunePage, PruneQuery};
use consign_ledger::{DelegationId, Time};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::Cell;
use crate::failure::Trouble;

/// Whether its caller has acknowledged the message of its verdict, and whether a child or a retry names it.
const TIES: &str = "
    EXISTS (SELECT 1 FROM inboxes i WHERE i.agent_id = d.caller_id AND d.verdict_seq <= i.acked_through),
    EXISTS (SELECT 1 FROM delegations c WHERE c.parent_id = d.delegation_id)
        OR EXISTS (SELECT 1 FROM delegations r WHERE r.retry_of = d.delegation_id)";

pub(crate) fn prunable(connection: &Connection, query: &PruneQuery) -> Result<PrunePage, Trouble> {
    // What was not acknowledged is kept no shorter than what was.
    let Some(before) = query.acknowledged_before.max(query.any_before) else {
        return Ok(PrunePage::default());
    };
    let (at, num) = query.after.map_or((i64::MIN, i64::MIN), |(at, num)| (at.0, num));
    let sql = format!(
        "SELECT d.num, d.finished_at, d.delegation_id, d.version, d.status, {TIES} FROM delegations d
         WHERE d.finished_at IS NOT NULL AND d.finished_at < ?1 AND (d.finished_at, d.num) > (?2, ?3)
         ORDER BY d.finished_at, d.num LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![before.0, at, num, query.limit])?;
    let (mut page, mut seen) = (PrunePage::default(), 0);
    while let Some(row) = rows.next()? {
        seen += 1;
        let place: (Time, RowNum) = (Time(row.get(1)?), row.get(0)?);
        page.next = Some(place);
        match read(row, place.1) {
            Ok((prunable, ties)) if query.lets_go(&prunable, ties) => page.prunable.push(prunable),
            Ok(_) => {}
            Err(Trouble::Corrupt(why)) => {
                tracing::error!(num = place.1, %why, "a row cannot exist; it is kept");
            }
            Err(trouble) => return Err(trouble),
        }
    }
    page.next = page.next.filter(|_| seen == query.limit);
    Ok(page)
}

fn read(row: &rusqlite::Row<'_>, num: RowNum) -> Result<(Prunable, Ties), Trouble> {
    let mut cell = Cell::at("delegations", num, row, 1);
    let finished_at = cell.time("finished_at")?;
    let delegation_id = cell.made("delegation_id", |text| DelegationId::new(text).ok())?;
    let version = cell.plain("version")?;
    let status = cell.made("status", Status::parse)?;
    let (acknowledged, named) = (cell.plain("acked_through")?, cell.plain("parent_id")?);
    let prunable = Prunable { delegation_id, version, status, finished_at, acknowledged };
    Ok((prunable, Ties { acknowledged, named }))
}

/// What is tied to a delegation that is over; none where it is not there, or in flight.
pub(crate) fn ties(connection: &Connection, id: &DelegationId) -> Result<Option<Ties>, Trouble> {
    let sql = format!(
        "SELECT {TIES} FROM delegations d WHERE d.delegation_id = ?1 AND d.finished_at IS NOT NULL"
    );
    let read = |row: &rusqlite::Row<'_>| Ok(Ties { acknowledged: row.get(0)?, named: row.get(1)? });
    Ok(connection.prepare_cached(&sql)?.query_row([id.as_str()], read).optional()?)
}
