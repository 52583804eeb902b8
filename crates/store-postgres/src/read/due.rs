//! What a pass looks at. Every look walks an index from its beginning and stops at its limit.

use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::{Due, Lane};
use consign_ledger::{Cascade, DelegationId, Time};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// Watch rows that one statement steps over when it looks for what is armed too late.
const SLICE_ROWS: i64 = 50_000;

/// One look at the deadlines. Past means smaller than now, here and in the rules.
const BY_DEADLINE: &str = "
    SELECT num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s, progress_within_s, check_at, deadline
    FROM watch WHERE deadline < $1 AND (deadline, num) > ($2, $3) ORDER BY deadline, num LIMIT $4";

/// One look at the checks.
const BY_CHECK: &str = "
    SELECT num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s, progress_within_s, check_at, deadline
    FROM watch WHERE check_at < $1 AND (check_at, num) > ($2, $3) ORDER BY check_at, num LIMIT $4";

/// The earliest moment of both lanes; `least` leaves out the lane that is empty.
const EARLIEST: &str = "
    SELECT least((SELECT deadline FROM watch ORDER BY deadline LIMIT 1),
                 (SELECT check_at FROM watch WHERE check_at IS NOT NULL ORDER BY check_at LIMIT 1))";

/// In the order of the parents' index, read backwards.
const CHILDREN: &str = "
    SELECT num, delegation_id FROM delegations
    WHERE parent_id = $1 AND num <= $2 AND finished_at IS NULL
    ORDER BY created_at ASC NULLS FIRST, num ASC NULLS FIRST LIMIT $3";

pub(crate) async fn due(
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
    let sql = match lane {
        Lane::Deadline => BY_DEADLINE,
        Lane::Check => BY_CHECK,
    };
    let statement = connection.prepare_cached(sql).await?;
    let rows = connection.query(&statement, &[&now.0, &at, &num, &wide(limit)]).await?;
    rows.iter().map(|row| watch_row(row).map(moment)).collect()
}

/// A watch row. One that cannot exist shows no more than when it is due: so it is examined whole, which writes it
/// anew, or names what is wrong.
fn watch_row(row: &Row) -> Result<Watch, Trouble> {
    match read_watch(row) {
        Err(Trouble::Corrupt(why)) => {
            tracing::error!(%why, "a row cannot exist; its delegation is examined whole");
            read_moments(row)
        }
        read => read,
    }
}

fn read_watch(row: &Row) -> Result<Watch, Trouble> {
    let num = row.try_get(0)?;
    let mut cell = Cell::at("watch", num, row, 1);
    Ok(Watch {
        num,
        epoch: cell.maybe_number("epoch")?,
        attempt: cell.number("attempt")?,
        alive_at: cell.maybe_time("alive_at")?,
        progress_at: cell.maybe_time("progress_at")?,
        clocks_from: cell.maybe_time("clocks_from")?,
        threshold_s: cell.maybe_number("threshold_s")?,
        progress_within_s: cell.maybe_number("progress_within_s")?,
        check_at: cell.maybe_time("check_at")?,
        deadline: cell.time("deadline")?,
    })
}

/// The columns of a watch row that the schema keeps sound.
fn read_moments(row: &Row) -> Result<Watch, Trouble> {
    Ok(Watch {
        num: row.try_get(0)?,
        epoch: None,
        attempt: 1,
        alive_at: None,
        progress_at: None,
        clocks_from: None,
        threshold_s: None,
        progress_within_s: None,
        check_at: row.try_get::<_, Option<i64>>(8)?.map(Time),
        deadline: Time(row.try_get(9)?),
    })
}

pub(crate) async fn earliest_due(connection: &Connection) -> Result<Option<Time>, Trouble> {
    let statement = connection.prepare_cached(EARLIEST).await?;
    let earliest: Option<i64> = connection.query_one(&statement, &[]).await?.try_get(0)?;
    Ok(earliest.map(Time))
}

/// One slice of the walk that is made once per start, and where it ended, if not at the end of all. Walking by number
/// costs one look at each row, and no index that beats would pay for; in slices, because a large fleet would outlast
/// what one read may.
pub(crate) async fn armed_beyond(
    connection: &Connection,
    threshold_s: u32,
    after: RowNum,
    limit: usize,
) -> Result<(Vec<Watch>, Option<RowNum>), Trouble> {
    let Some(end) = slice_end(connection, after).await? else { return Ok((vec![], None)) };
    let found = armed_in(connection, threshold_s, (after, end), limit).await?;
    Ok((found, Some(end)))
}

/// The last number of the slice behind `after`, if there is any.
async fn slice_end(connection: &Connection, after: RowNum) -> Result<Option<RowNum>, Trouble> {
    let sql = "SELECT max(num) FROM (SELECT num FROM watch WHERE num > $1 ORDER BY num LIMIT $2) AS slice";
    let statement = connection.prepare_cached(sql).await?;
    Ok(connection.query_one(&statement, &[&after, &SLICE_ROWS]).await?.try_get(0)?)
}

/// What beats has a threshold, and what is stuck may have a grace that is one; waits and starts have none. No check
/// at all: by the threshold of then, the deadline came first.
async fn armed_in(
    connection: &Connection,
    threshold_s: u32,
    (after, through): (RowNum, RowNum),
    limit: usize,
) -> Result<Vec<Watch>, Trouble> {
    let sql = "
        SELECT num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s, progress_within_s, check_at,
               deadline
        FROM watch w
        WHERE num > $1 AND num <= $2 AND threshold_s IS NULL AND CASE WHEN epoch IS NOT NULL
            THEN greatest(alive_at, clocks_from) + $3::bigint < least(check_at, deadline)
            ELSE EXISTS (SELECT 1 FROM delegations d WHERE d.num = w.num AND d.status = 'stuck'
                AND d.stuck_grace_s IS NULL AND d.max_attempts > 1
                AND d.stuck_at + $3::bigint < least(w.check_at, w.deadline)) END
        ORDER BY num LIMIT $4";
    let statement = connection.prepare_cached(sql).await?;
    let ms = i64::from(threshold_s) * 1000;
    let rows = connection.query(&statement, &[&after, &through, &ms, &wide(limit)]).await?;
    rows.iter().map(watch_row).collect()
}

pub(crate) async fn cascades(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<Cascade>, Trouble> {
    let sql = "SELECT c.num, d.delegation_id, c.through FROM cascades c JOIN delegations d ON d.num = c.num
               ORDER BY c.num LIMIT $1";
    let read = |row: &Row| {
        let num = row.try_get(0)?;
        let mut cell = Cell::at("cascades", num, row, 1);
        let delegation_id = cell.made("delegation_id", |text| DelegationId::new(text).ok())?;
        Ok(Cascade { num, delegation_id, through: cell.plain("through")? })
    };
    let statement = connection.prepare_cached(sql).await?;
    connection.query(&statement, &[&wide(limit)]).await?.iter().map(read).collect()
}

pub(crate) async fn children_in_flight(
    connection: &Connection,
    cascade: &Cascade,
    limit: usize,
) -> Result<Vec<DelegationId>, Trouble> {
    let read = |row: &Row| {
        Cell::at("delegations", row.try_get(0)?, row, 1)
            .made("delegation_id", |text| DelegationId::new(text).ok())
    };
    let statement = connection.prepare_cached(CHILDREN).await?;
    let parent = cascade.delegation_id.as_str();
    let rows = connection.query(&statement, &[&parent, &cascade.through, &wide(limit)]).await?;
    rows.iter().map(read).collect()
}
