//! Lists of delegations, newest first: each filter walks an index of its own.

use std::fmt::Write as _;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Entry, Filter, PAGE_BYTES_MAX, Page, Place};
use consign_ledger::{ID_BYTES_MAX, Time};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::row::{COLUMN_COUNT, COLUMNS, Cell, ROW_FROM, read_row};
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// Ids with a common prefix that are sorted by creation; where more share it, they are met soon enough anyway.
const PREFIX_SORTED_MAX: i64 = 10_000;

/// How many bytes the texts of an entry have, as it says itself.
const BYTES: &str = "coalesce(octet_length(t.preview), 0) + coalesce(octet_length(t.metadata), 0)
    + coalesce(octet_length(r.preview), 0) + coalesce(octet_length(p.progress), 0)";

/// A row's place and its entry; none where the row cannot exist, which must not hide the others.
type Found = (Place, Option<Entry>);
type Value = Box<dyn ToSql + Sync + Send>;

/// The entries that pass the filter, and where the next page begins.
pub(crate) async fn list(connection: &Connection, filter: &Filter) -> Result<Page<Entry>, Trouble> {
    let rare_prefix = match &filter.id_prefix {
        Some(prefix) => is_rare(connection, prefix).await?,
        None => false,
    };
    let (sql, values) = statement(filter, rare_prefix);
    let statement = connection.prepare_cached(&sql).await?;
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
    let rows = connection.query(&statement, &values).await?;
    let there = rows.first().map_or(Ok(0), |row| row.try_get(COLUMN_COUNT + 4))?;
    let found = rows.iter().take(filter.limit).map(read_entry);
    let found: Vec<Found> = found.collect::<Result<_, _>>()?;
    let more = there > wide(found.len());
    let next = found.last().map(|(place, _)| *place).filter(|_| more);
    Ok(Page { items: found.into_iter().filter_map(|(_, entry)| entry).collect(), next })
}

/// Whether so few ids begin so that they can be sorted.
async fn is_rare(connection: &Connection, prefix: &str) -> Result<bool, Trouble> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM delegations WHERE delegation_id >= $1 AND delegation_id < $2
               LIMIT $3) AS named";
    let statement = connection.prepare_cached(sql).await?;
    let values: [&(dyn ToSql + Sync); 3] =
        [&prefix, &after_prefix(prefix), &(PREFIX_SORTED_MAX + 1)];
    let count: i64 = connection.query_one(&statement, &values).await?.try_get(0)?;
    Ok(count <= PREFIX_SORTED_MAX)
}

/// A text above every id that begins with `prefix`, and below every other: UTF-8 sorts as its characters do,
/// and no id is long enough to hold so many of the last one.
fn after_prefix(prefix: &str) -> String {
    let last = char::MAX.to_string();
    format!("{prefix}{}", last.repeat(ID_BYTES_MAX / last.len() + 1))
}

/// The statement of a page: first the places, found in an index, then the rows, as far as their texts fit.
///
/// The bound on bytes is here and not at the reader's end, because a statement's whole answer is sent. A length
/// stands in the row itself: no long text is read for its length alone. The first row always fits.
pub(crate) fn statement(filter: &Filter, rare_prefix: bool) -> (String, Vec<Value>) {
    let mut page = PageOf::default();
    // One more than the page, to know whether there is another.
    let limit = page.bind(wide(filter.limit).saturating_add(1));
    let from = page.from(filter, rare_prefix);
    let narrow = page.narrowed(filter, rare_prefix);
    let statuses = page.statuses(filter, rare_prefix);
    let most_bytes = page.bind(wide(PAGE_BYTES_MAX));
    let order = order(filter);
    let walk = |status: &String| {
        format!(
            "(SELECT d.created_at, d.num FROM {from} WHERE {narrow}{status}
              ORDER BY d.created_at {order}, d.num {order} LIMIT {limit})"
        )
    };
    let walks: Vec<String> = statuses.iter().map(walk).collect();
    let sql = format!(
        "SELECT * FROM (
             SELECT {COLUMNS}, t.preview, t.metadata, r.preview, page.created_at AS page_at,
                 count(*) OVER () AS there, row_number() OVER newest AS place, sum({BYTES}) OVER newest AS bytes
             FROM (SELECT created_at, num FROM ({}) AS walks
                   ORDER BY created_at {order}, num {order} LIMIT {limit}) AS page
             JOIN {ROW_FROM} ON d.num = page.num
             LEFT JOIN tasks t ON t.num = d.num LEFT JOIN results r ON r.num = d.num
             WINDOW newest AS (ORDER BY page.created_at DESC, page.num DESC)) AS page
         WHERE bytes <= {most_bytes} OR place = 1 ORDER BY place",
        walks.join(" UNION ALL ")
    );
    (sql, page.values)
}

/// Newest first, in the words of the index that is to be walked: that of all rows, or a filter's own.
fn order(filter: &Filter) -> &'static str {
    let narrowed = filter.caller.is_some()
        || filter.callee.is_some()
        || filter.parent.is_some()
        || filter.status.is_some();
    if narrowed { "DESC NULLS LAST" } else { "DESC" }
}

/// The page as it is put together.
#[derive(Default)]
struct PageOf {
    values: Vec<Value>,
}

impl PageOf {
    /// Takes a value, and says how the statement names it.
    fn bind(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    /// What is walked. A rare prefix is found by the index on ids and sorted, whatever the planner thinks.
    fn from(&mut self, filter: &Filter, rare_prefix: bool) -> String {
        let Some(prefix) = filter.id_prefix.as_ref().filter(|_| rare_prefix) else {
            return "delegations d".to_owned();
        };
        let (first, end) = (self.bind(prefix.clone()), self.bind(after_prefix(prefix)));
        format!(
            "(SELECT * FROM delegations WHERE delegation_id >= {first} AND delegation_id < {end} OFFSET 0) d"
        )
    }

    /// The conditions of every walk. A moment is a place in every index, and a walk begins and ends there.
    fn narrowed(&mut self, filter: &Filter, rare_prefix: bool) -> String {
        let end = end(filter);
        let (time, num) = (self.bind(end.created_at.0), self.bind(end.num));
        let mut sql = format!("(d.created_at, d.num) < ({time}, {num})");
        if let Some(from) = filter.created_after {
            let from = self.bind(from.0);
            let _ = write!(sql, " AND d.created_at >= {from}");
        }
        for (column, id) in [
            ("caller_id", filter.caller.as_ref().map(|id| id.as_str())),
            ("callee_id", filter.callee.as_ref().map(|id| id.as_str())),
            ("parent_id", filter.parent.as_ref().map(|id| id.as_str())),
        ] {
            if let Some(id) = id {
                let id = self.bind(id.to_owned());
                let _ = write!(sql, " AND d.{column} = {id}");
            }
        }
        if let Some(prefix) = filter.id_prefix.as_ref().filter(|_| !rare_prefix) {
            let (first, end) = (self.bind(prefix.clone()), self.bind(after_prefix(prefix)));
            // Not by the index on ids: the newest of many are sooner met than sorted.
            let _ = write!(
                sql,
                " AND d.delegation_id || '' >= {first} AND d.delegation_id || '' < {end}"
            );
        }
        sql
    }

    /// One walk per status: an index that begins with an agent goes on with the status, and a list of statuses
    /// would make PostgreSQL sort everything that has one of them.
    fn statuses(&mut self, filter: &Filter, rare_prefix: bool) -> Vec<String> {
        let one_walk = rare_prefix || filter.parent.is_some();
        let wanted: Option<Vec<Status>> = filter.status.map(|status| status.statuses().collect());
        if one_walk {
            let Some(wanted) = wanted else { return vec![String::new()] };
            let wanted: Vec<&str> = wanted.into_iter().map(Status::as_str).collect();
            let wanted = self.bind(wanted);
            return vec![format!(" AND d.status = ANY({wanted}::text[])")];
        }
        let by_agent = filter.caller.is_some() || filter.callee.is_some();
        match wanted.or_else(|| by_agent.then(|| Status::ALL.to_vec())) {
            None => vec![String::new()],
            Some(each) => each
                .into_iter()
                .map(|status| format!(" AND d.status = {}", self.bind(status.as_str())))
                .collect(),
        }
    }
}

/// The place that no entry reaches: where the page before ended, or a moment.
fn end(filter: &Filter) -> Place {
    let moment =
        Place { created_at: filter.created_before.unwrap_or(Time(i64::MAX)), num: i64::MIN };
    filter.before.map_or(moment, |place| place.min(moment))
}

fn read_entry(row: &Row) -> Result<Found, Trouble> {
    let created_at = Time(row.try_get(COLUMN_COUNT + 3)?);
    let read = match read_row(row)? {
        Ok(read) => read,
        Err(bad) => {
            tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist; a list leaves it out");
            return Ok((Place { created_at, num: bad.num }, None));
        }
    };
    let mut cell = Cell::at("tasks", read.num, row, COLUMN_COUNT);
    let entry = Entry {
        delegation: read.delegation,
        task_preview: cell.plain("preview")?,
        metadata: cell.json("metadata")?,
        result_preview: cell.plain("preview")?,
        progress: read.progress,
    };
    Ok((Place { created_at, num: read.num }, Some(entry)))
}
