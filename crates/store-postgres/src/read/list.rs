//! Lists of delegations, newest first: each filter walks an index of its own.

use std::fmt::Write as _;

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Entry, Filter, Page};
use consign_ledger::{ID_BYTES_MAX, Time};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::row::{COLUMN_COUNT, COLUMNS, Cell, ROW_FROM, read_row};
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// Ids with a common prefix that are sorted by number; where more share it, they are met soon enough anyway.
const PREFIX_SORTED_MAX: i64 = 10_000;
/// Rows are numbered at their insert and timed before it, so of two transactions the later one may have the
/// smaller numbers; by no more than this, because no statement of theirs lasts as long, in milliseconds.
const NUMBERED_WITHIN_MS: i64 = 15_000;

/// A row's number and its entry; none where the row cannot exist, which must not hide the others.
type Place = (i64, Option<Entry>);
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
    let more = rows.len() > filter.limit;
    let places = rows.iter().take(filter.limit).map(read_entry);
    let places: Vec<Place> = places.collect::<Result<_, _>>()?;
    let next = places.last().map(|(num, _)| *num).filter(|_| more);
    Ok(Page { items: places.into_iter().filter_map(|(_, entry)| entry).collect(), next })
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

/// The statement of a page: first the numbers, found in an index, then the rows.
pub(crate) fn statement(filter: &Filter, rare_prefix: bool) -> (String, Vec<Value>) {
    let mut page = PageOf::default();
    // One more than the page, to know whether there is another.
    let limit = page.bind(wide(filter.limit).saturating_add(1));
    let from = page.from(filter, rare_prefix);
    let narrow = page.narrowed(filter, rare_prefix);
    let statuses = page.statuses(filter, rare_prefix);
    let order = order(filter);
    let walk = |status: &String| {
        format!(
            "(SELECT d.num FROM {from} WHERE {narrow}{status} ORDER BY d.num {order} LIMIT {limit})"
        )
    };
    let walks: Vec<String> = statuses.iter().map(walk).collect();
    let sql = format!(
        "SELECT {COLUMNS}, t.preview, t.metadata, r.preview
         FROM (SELECT num FROM ({}) AS walks ORDER BY num {order} LIMIT {limit}) AS page
         JOIN {ROW_FROM} ON d.num = page.num
         LEFT JOIN tasks t ON t.num = d.num LEFT JOIN results r ON r.num = d.num
         ORDER BY d.num DESC",
        walks.join(" UNION ALL ")
    );
    (sql, page.values)
}

/// Newest first, in the words of the index that is to be walked: the primary key, or a filter's own.
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

    /// The conditions of every walk.
    fn narrowed(&mut self, filter: &Filter, rare_prefix: bool) -> String {
        let before = self.bind(filter.before.unwrap_or(i64::MAX));
        let mut sql = format!("d.num < {before}");
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
        if filter.created_after.is_some() || filter.created_before.is_some() {
            sql.push_str(&self.created(filter));
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

    /// Numbers are handed out nearly in the order of creation, so a moment bounds the numbers that are walked;
    /// of these, each row's own time decides.
    fn created(&mut self, filter: &Filter) -> String {
        let (from, to) = (filter.created_after, filter.created_before);
        let (from, to) = (from.unwrap_or(Time(i64::MIN)), to.unwrap_or(Time(i64::MAX)));
        let first = self.bind((from - NUMBERED_WITHIN_MS).0);
        let end = self.bind((to + NUMBERED_WITHIN_MS).0);
        let (from, to) = (self.bind(from.0), self.bind(to.0));
        let since = |moment| {
            format!(
                "(SELECT num FROM delegations WHERE created_at >= {moment} ORDER BY created_at, num LIMIT 1)"
            )
        };
        format!(
            " AND d.num >= {} AND d.num < coalesce({}, {}) AND d.created_at + 0 >= {from} AND d.created_at + 0 < {to}",
            since(first),
            since(end),
            i64::MAX
        )
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

fn read_entry(row: &Row) -> Result<Place, Trouble> {
    let read = match read_row(row)? {
        Ok(read) => read,
        Err(bad) => {
            tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist; a list leaves it out");
            return Ok((bad.num, None));
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
    Ok((read.num, Some(entry)))
}
