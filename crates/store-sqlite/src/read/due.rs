//! What a pass looks at. Every look walks an index from its beginning and stops at its limit.

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{Due, Lane, StatusFilter};
use consign_ledger::{Cascade, DelegationId, Time};
use rusqlite::{Connection, ToSql, params};

use super::row::Cell;
use crate::failure::Trouble;

const WATCH: &str = "num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s,
                     progress_within_s, check_at, deadline";

/// The moment that a lane walks by.
fn column(lane: Lane) -> &'static str {
    match lane {
        Lane::Deadline => "deadline",
        Lane::Check => "check_at",
    }
}

/// The statement of one look. Past means smaller than now, here and in the rules.
pub(crate) fn due_sql(lane: Lane) -> String {
    let at = column(lane);
    format!(
        "SELECT {WATCH} FROM watch WHERE {at} < ?1 AND ({at}, num) > (?2, ?3)
         ORDER BY {at}, num LIMIT ?4"
    )
}

pub(crate) fn due(
    connection: &Connection,
    lane: Lane,
    now: Time,
    after: Option<(Time, RowNum)>,
    limit: usize,
) -> Result<Vec<Due>, Trouble> {
    let (at, num) = after.map_or((i64::MIN, i64::MIN), |(at, num)| (at.0, num));
    let moment = |watch: Watch| match lane {
        Lane::Deadline => Due { at: watch.deadline, watch },
        Lane::Check => Due { at: watch.check_at.unwrap_or(watch.deadline), watch },
    };
    let sql = due_sql(lane);
    let rows = watch_rows(connection, &sql, params![now.0, at, num, limit])?;
    Ok(rows.into_iter().map(moment).collect())
}

/// Watch rows, without those that cannot exist: these are said, and harm nobody else.
fn watch_rows(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<Watch>, Trouble> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = vec![];
    for row in statement.query_and_then(values, read_watch)? {
        match row {
            Ok(watch) => found.push(watch),
            Err(Trouble::Corrupt(why)) => tracing::error!(%why, "a row cannot exist"),
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(found)
}

pub(crate) fn earliest_due(connection: &Connection) -> Result<Option<Time>, Trouble> {
    let earliest = |sql: &str| -> Result<Option<i64>, Trouble> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    };
    let deadline = earliest("SELECT min(deadline) FROM watch")?;
    let check = earliest("SELECT min(check_at) FROM watch WHERE check_at IS NOT NULL")?;
    Ok(deadline.into_iter().chain(check).min().map(Time))
}

pub(crate) fn armed_later_than(
    connection: &Connection,
    later_than: Time,
    after: RowNum,
    limit: usize,
) -> Result<Vec<Watch>, Trouble> {
    // Once per start: walking by number costs one look at each row, and no index that beats would pay for.
    // What beats has a threshold, and what is stuck may have a grace that is one; waits and starts have none.
    let sql = format!(
        "SELECT {WATCH} FROM watch
         WHERE num > ?1 AND threshold_s IS NULL AND check_at > ?2 AND (epoch IS NOT NULL
             OR (SELECT status FROM delegations d WHERE d.num = watch.num) = 'stuck')
         ORDER BY num LIMIT ?3"
    );
    watch_rows(connection, &sql, params![after, later_than.0, limit])
}

fn read_watch(row: &rusqlite::Row<'_>) -> Result<Watch, Trouble> {
    let num = row.get(0)?;
    let mut cell = Cell::at("watch", num, row, 1);
    Ok(Watch {
        num,
        epoch: cell.plain("epoch")?,
        attempt: cell.plain("attempt")?,
        alive_at: cell.maybe_time("alive_at")?,
        progress_at: cell.maybe_time("progress_at")?,
        clocks_from: cell.maybe_time("clocks_from")?,
        threshold_s: cell.plain("threshold_s")?,
        progress_within_s: cell.plain("progress_within_s")?,
        check_at: cell.maybe_time("check_at")?,
        deadline: cell.time("deadline")?,
    })
}

pub(crate) fn cascades(connection: &Connection, limit: usize) -> Result<Vec<Cascade>, Trouble> {
    let sql = "SELECT c.num, d.delegation_id, c.through FROM cascades c CROSS JOIN delegations d ON d.num = c.num
               ORDER BY c.num LIMIT ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let num = row.get(0)?;
        let mut cell = Cell::at("cascades", num, row, 1);
        let delegation_id = cell.made("delegation_id", |text| DelegationId::new(text).ok())?;
        Ok(Cascade { num, delegation_id, through: cell.plain("through")? })
    };
    connection.prepare_cached(sql)?.query_and_then([limit], read)?.collect()
}

pub(crate) fn children_in_flight(
    connection: &Connection,
    cascade: &Cascade,
    limit: usize,
) -> Result<Vec<DelegationId>, Trouble> {
    let in_flight: Vec<_> = StatusFilter::InFlight.statuses().map(Status::as_str).collect();
    let sql = format!(
        "SELECT num, delegation_id FROM delegations
         WHERE parent_id = ?1 AND num <= ?2 AND status IN ('{}') ORDER BY num LIMIT ?3",
        in_flight.join("', '")
    );
    let read = |row: &rusqlite::Row<'_>| {
        Cell::at("delegations", row.get(0)?, row, 1)
            .made("delegation_id", |text| DelegationId::new(text).ok())
    };
    let parent = cascade.delegation_id.as_str();
    connection
        .prepare_cached(&sql)?
        .query_and_then(params![parent, cascade.through, limit], read)?
        .collect()
}
