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

/// Watch rows. One that cannot exist shows no more than when it is due: so it is examined whole, which writes it
/// anew, or names what is wrong.
fn watch_rows(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<Watch>, Trouble> {
    let read = |row: &rusqlite::Row<'_>| match read_watch(row) {
        Err(Trouble::Corrupt(why)) => {
            tracing::error!(%why, "a row cannot exist; its delegation is examined whole");
            read_moments(row)
        }
        read => read,
    };
    connection.prepare_cached(sql)?.query_and_then(values, read)?.collect()
}

pub(crate) fn earliest_due(connection: &Connection) -> Result<Option<Time>, Trouble> {
    let earliest = |sql: &str| -> Result<Option<i64>, Trouble> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    };
    let deadline = earliest("SELECT min(deadline) FROM watch")?;
    let check = earliest("SELECT min(check_at) FROM watch WHERE check_at IS NOT NULL")?;
    Ok(deadline.into_iter().chain(check).min().map(Time))
}

pub(crate) fn armed_beyond(
    connection: &Connection,
    threshold_s: u32,
    after: RowNum,
    limit: usize,
) -> Result<Vec<Watch>, Trouble> {
    // Once per start: walking by number costs one look at each row, and no index that beats would pay for.
    // What beats has a threshold, and what is stuck may have a grace that is one; waits and starts have none.
    // No check at all: by the threshold of then, the deadline came first.
    let sql = format!(
        "SELECT {WATCH} FROM watch, (SELECT ?2 * 1000 AS threshold_ms)
         WHERE num > ?1 AND threshold_s IS NULL AND iif(epoch IS NOT NULL,
             max(alive_at, coalesce(clocks_from, alive_at)) + threshold_ms
                 < min(coalesce(check_at, deadline), deadline),
             EXISTS (SELECT 1 FROM delegations d WHERE d.num = watch.num AND d.status = 'stuck'
                 AND d.stuck_grace_s IS NULL AND d.max_attempts > 1
                 AND d.stuck_at + threshold_ms < min(coalesce(check_at, watch.deadline), watch.deadline)))
         ORDER BY num LIMIT ?3"
    );
    watch_rows(connection, &sql, params![after, threshold_s, limit])
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

/// The columns of a watch row that the schema keeps sound.
fn read_moments(row: &rusqlite::Row<'_>) -> Result<Watch, Trouble> {
    Ok(Watch {
        num: row.get(0)?,
        epoch: None,
        attempt: 1,
        alive_at: None,
        progress_at: None,
        clocks_from: None,
        threshold_s: None,
        progress_within_s: None,
        check_at: row.get::<_, Option<i64>>(8)?.map(Time),
        deadline: Time(row.get(9)?),
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
