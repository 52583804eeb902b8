//! When the ledger listened, and how much of the fleet it heard.

use consign_ledger::Time;
use consign_ledger::delegation::listening::{Fleet, Gap, GapCause, Listening};
use tokio_postgres::Row;

use super::row::Cell;
use crate::connect::Connection;
use crate::failure::Trouble;

/// Places at which a large fleet is sampled, spread evenly over the numbers.
const PROBES: i64 = 1024;
/// Beating rows looked at from each place on.
const ROWS_PER_PROBE: i64 = 10;
/// Beating rows up to which a fleet is counted.
const COUNTED_MAX: i64 = PROBES * ROWS_PER_PROBE;

/// The mark, which is that of the replica that heard least, beside each gap that ends after a moment, and the
/// newest brake. In one statement: a gap is written with the mark that steps over it.
const LISTENING: &str = "
    SELECT (SELECT min(heard_until) FROM replicas), g.id, g.from_at, g.to_at, g.cause
    FROM (SELECT 1) AS always LEFT JOIN (
        SELECT id, from_at, to_at, cause FROM gaps WHERE to_at > $1
        UNION
        (SELECT id, from_at, to_at, cause FROM gaps WHERE cause = 'brake' ORDER BY id DESC LIMIT 1)
    ) AS g ON true
    ORDER BY g.from_at";

const COUNTED: &str = "
    SELECT count(*), count(*) FILTER (WHERE $1::bigint - alive_at <= coalesce(threshold_s, $2::bigint) * 500)
    FROM (SELECT alive_at, threshold_s FROM watch WHERE epoch IS NOT NULL ORDER BY num LIMIT $3) AS beating";

const SAMPLED: &str = "
    SELECT count(*), count(*) FILTER (WHERE $1::bigint - alive_at <= coalesce(threshold_s, $2::bigint) * 500)
    FROM (SELECT first, (last - first) / $3::bigint + 1 AS stride
          FROM (SELECT (SELECT num FROM watch ORDER BY num LIMIT 1) AS first,
                       (SELECT num FROM watch ORDER BY num DESC LIMIT 1) AS last) AS ends) AS span,
         generate_series(0, $3::bigint - 1) AS probe,
         LATERAL (SELECT alive_at, threshold_s FROM watch
                  WHERE num >= first + probe * stride AND num < first + (probe + 1) * stride
                    AND epoch IS NOT NULL
                  ORDER BY num LIMIT $4) AS beating";

pub(crate) async fn listening(connection: &Connection, since: Time) -> Result<Listening, Trouble> {
    let statement = connection.prepare_cached(LISTENING).await?;
    let rows = connection.query(&statement, &[&since.0]).await?;
    let heard_until = rows.first().map(|row| row.try_get(0)).transpose()?.flatten();
    let gaps = rows.iter().map(read_gap).filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Listening::new(heard_until.map(Time), gaps))
}

fn read_gap(row: &Row) -> Result<Option<Gap>, Trouble> {
    let Some(id) = row.try_get(1)? else { return Ok(None) };
    let mut cell = Cell::at("gaps", id, row, 2);
    let (from, to) = (cell.time("from_at")?, cell.time("to_at")?);
    Ok(Some(Gap { from, to, cause: cell.made("cause", GapCause::parse)? }))
}

/// The beating fleet: counted up to a bound, and where it is larger, a spread sample beside.
///
/// The sample alone would not do: numbers are sparse in an old ledger, and most of its places may be empty.
pub(crate) async fn fleet(
    connection: &Connection,
    now: Time,
    threshold_s: u32,
) -> Result<Fleet, Trouble> {
    let threshold_s = i64::from(threshold_s);
    let statement = connection.prepare_cached(COUNTED).await?;
    let counted = connection.query_one(&statement, &[&now.0, &threshold_s, &COUNTED_MAX]).await?;
    let counted = read_fleet(&counted)?;
    if counted.beating < COUNTED_MAX.unsigned_abs() {
        return Ok(counted);
    }
    let statement = connection.prepare_cached(SAMPLED).await?;
    let sampled =
        connection.query_one(&statement, &[&now.0, &threshold_s, &PROBES, &ROWS_PER_PROBE]).await?;
    let sampled = read_fleet(&sampled)?;
    Ok(Fleet {
        beating: counted.beating + sampled.beating,
        heard_lately: counted.heard_lately + sampled.heard_lately,
    })
}

fn read_fleet(row: &Row) -> Result<Fleet, Trouble> {
    let count = |at| row.try_get(at).map(i64::unsigned_abs);
    Ok(Fleet { beating: count(0)?, heard_lately: count(1)? })
}
