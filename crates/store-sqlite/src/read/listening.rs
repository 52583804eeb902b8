//! When the ledger listened, and how much of the fleet it heard.

use consign_ledger::Time;
use consign_ledger::delegation::listening::{Fleet, Gap, GapCause, Listening};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::Cell;
use crate::failure::Trouble;

/// Places at which a large fleet is sampled, spread evenly over the numbers.
const PROBES: i64 = 1024;
/// Beating rows looked at from each place on.
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

/// The beating fleet: counted up to a bound, and where it is larger, a spread sample beside.
///
/// The sample alone would not do: numbers are sparse in an old ledger, and most of its places may be empty.
pub(crate) fn fleet(
    connection: &Connection,
    now: Time,
    threshold_s: u32,
) -> Result<Fleet, Trouble> {
    let whole = Stretch { from: i64::MIN, to: i64::MAX, rows: PROBES * ROWS_PER_PROBE };
    let mut fleet = whole.count(connection, now, threshold_s)?;
    if fleet.beating < whole.rows.unsigned_abs() {
        return Ok(fleet);
    }
    // Apart, because SQLite finds either end of an index by itself, but scans for both.
    let ends = "SELECT (SELECT min(num) FROM watch), (SELECT max(num) FROM watch)";
    let (first, last): (i64, i64) =
        connection.query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let stride = (last - first) / PROBES + 1;
    for probe in 0..PROBES {
        let from = first + probe * stride;
        let stretch = Stretch { from, to: from + stride, rows: ROWS_PER_PROBE };
        let counted = stretch.count(connection, now, threshold_s)?;
        fleet.beating += counted.beating;
        fleet.heard_lately += counted.heard_lately;
    }
    Ok(fleet)
}

/// Numbers from one up to and without another, and how many beating rows to look at there.
struct Stretch {
    from: i64,
    to: i64,
    rows: i64,
}

impl Stretch {
    fn count(
        &self,
        connection: &Connection,
        now: Time,
        threshold_s: u32,
    ) -> Result<Fleet, Trouble> {
        let sql =
            "SELECT count(*), coalesce(sum(?1 - alive_at <= coalesce(threshold_s, ?2) * 500), 0)
                   FROM (SELECT alive_at, threshold_s FROM watch
                         WHERE num >= ?3 AND num < ?4 AND epoch IS NOT NULL ORDER BY num LIMIT ?5)";
        let values = params![now.0, threshold_s, self.from, self.to, self.rows];
        let read =
            |row: &rusqlite::Row<'_>| Ok(Fleet { beating: row.get(0)?, heard_lately: row.get(1)? });
        Ok(connection.prepare_cached(sql)?.query_row(values, read)?)
    }
}
