//! When the ledger listened, and how much of the fleet it heard.

use consign_ledger::Time;
use consign_ledger::delegation::listening::{Fleet, Gap, GapCause, Listening};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::Cell;
use crate::failure::Trouble;

/// Places at which a large fleet is sampled, spread evenly over the numbers.
const PROBES: i64 = 1024;
/// Rows looked at from each place on.
const ROWS_PER_PROBE: i64 = 10;

pub(crate) fn listening(connection: &Connection, since: Time) -> Result<Listening, Trouble> {
    let heard_until = connection
        .prepare_cached("SELECT heard_until FROM mark WHERE id = 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(Listening::new(heard_until.map(Time), gaps(connection, since)?))
}

/// The gaps that end after `since`, and the newest brake, by their beginning.
fn gaps(connection: &Connection, since: Time) -> Result<Vec<Gap>, Trouble> {
    let sql = "SELECT id, from_at, to_at, cause FROM gaps WHERE to_at > ?1
               UNION
               SELECT id, from_at, to_at, cause FROM gaps
               WHERE id = (SELECT max(id) FROM gaps WHERE cause = 'brake')
               ORDER BY from_at";
    let read = |row: &rusqlite::Row<'_>| {
        let mut cell = Cell::at("gaps", row.get(0)?, row, 1);
        let (from, to) = (cell.time("from_at")?, cell.time("to_at")?);
        Ok(Gap { from, to, cause: cell.made("cause", GapCause::parse)? })
    };
    connection.prepare_cached(sql)?.query_and_then([since.0], read)?.collect()
}

/// The beating fleet: counted where the watch rows are few, else estimated from a spread sample.
pub(crate) fn fleet(
    connection: &Connection,
    now: Time,
    threshold_s: u32,
) -> Result<Fleet, Trouble> {
    // Apart, because SQLite finds either end of an index by itself, but scans for both.
    let ends = "SELECT (SELECT min(num) FROM watch), (SELECT max(num) FROM watch)";
    let ends: (Option<i64>, Option<i64>) =
        connection.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = ends else { return Ok(Fleet::default()) };
    let stride = (last - first) / PROBES + 1;
    let limit = if stride <= ROWS_PER_PROBE { stride } else { ROWS_PER_PROBE };
    let mut fleet = Fleet::default();
    let mut statement = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(?1 - alive_at <= coalesce(threshold_s, ?2) * 500), 0)
         FROM (SELECT alive_at, threshold_s FROM watch
               WHERE num >= ?3 AND num < ?3 + ?4 AND epoch IS NOT NULL ORDER BY num LIMIT ?5)",
    )?;
    for probe in 0..PROBES {
        let at = first + probe * stride;
        let values = params![now.0, threshold_s, at, stride, limit];
        let (beating, heard): (u64, u64) =
            statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        fleet.beating += beating;
        fleet.heard_lately += heard;
    }
    Ok(fleet)
}
