//! Lists of delegations, newest first: each filter walks an index of its own.

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Entry, Filter, Page, StatusFilter};
use consign_ledger::{ID_BYTES_MAX, Json, Time};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::row::{COLUMNS, ROW_FROM, read_row};
use crate::failure::Trouble;

/// Ids with a common prefix that are sorted by number; where more share it, they are met soon enough anyway.
const PREFIX_SORTED_MAX: usize = 10_000;
/// How many columns [`read_row`] reads.
const ROW_COLUMNS: usize = 43;

/// A row's number and its entry; none where the row cannot exist, which must not hide the others.
type Place = (i64, Option<Entry>);

/// The entries that pass the filter, and where the next page begins.
pub(crate) fn list(connection: &Connection, filter: &Filter) -> Result<Page<Entry>, Trouble> {
    let mut entries = vec![];
    for status in wanted(filter) {
        entries.extend(by_status(connection, filter, status)?);
    }
    entries.sort_unstable_by_key(|(num, _)| std::cmp::Reverse(*num));
    let more = entries.len() > filter.limit;
    entries.truncate(filter.limit);
    let next = entries.last().map(|(num, _)| *num).filter(|_| more);
    Ok(Page { items: entries.into_iter().filter_map(|(_, entry)| entry).collect(), next })
}

/// One walk per status: an `IN` would make SQLite sort everything in flight.
fn wanted(filter: &Filter) -> Vec<Option<Status>> {
    match filter.status {
        Some(StatusFilter::InFlight) if names_somebody(filter) => vec![None],
        Some(status) => status.statuses().map(Some).collect(),
        None => vec![None],
    }
}

fn names_somebody(filter: &Filter) -> bool {
    filter.caller.is_some() || filter.callee.is_some() || filter.parent.is_some()
}

fn by_status(
    connection: &Connection,
    filter: &Filter,
    status: Option<Status>,
) -> Result<Vec<Place>, Trouble> {
    let Some((sql, values)) = statement(connection, filter, status)? else { return Ok(vec![]) };
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_and_then(params_from_iter(values), read_entry)?.collect()
}

/// The statement of one walk; `None` where no row can pass.
pub(crate) fn statement(
    connection: &Connection,
    filter: &Filter,
    status: Option<Status>,
) -> Result<Option<(String, Vec<Value>)>, Trouble> {
    let mut clauses = Clauses::default();
    clauses.status(filter, status);
    clauses.equal("d.caller_id = ?", filter.caller.as_ref().map(|id| id.as_str()));
    clauses.equal("d.callee_id = ?", filter.callee.as_ref().map(|id| id.as_str()));
    clauses.equal("d.parent_id = ?", filter.parent.as_ref().map(|id| id.as_str()));
    if let Some(from) = filter.created_after {
        let Some(first) = first_created_at_or_after(connection, from)? else { return Ok(None) };
        clauses.number("d.num >= ?", first);
    }
    if let Some(to) = filter.created_before
        && let Some(first_too_new) = first_created_at_or_after(connection, to)?
    {
        clauses.number("d.num < ?", first_too_new);
    }
    if let Some(before) = filter.before {
        clauses.number("d.num < ?", before);
    }
    if let Some(prefix) = &filter.id_prefix {
        clauses.prefix(connection, prefix)?;
    }
    Ok(Some(clauses.finish(filter.limit)))
}

/// Numbers are handed out in the order of creation, so a moment is a number.
fn first_created_at_or_after(connection: &Connection, at: Time) -> Result<Option<i64>, Trouble> {
    let sql = "SELECT num FROM delegations WHERE created_at >= ?1 ORDER BY created_at, num LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row([at.0], |row| row.get(0)).optional()?)
}

#[derive(Default)]
struct Clauses {
    sql: Vec<&'static str>,
    values: Vec<Value>,
}

impl Clauses {
    /// Where an agent or a parent is named, theirs are walked, and of what is in flight only that.
    fn status(&mut self, filter: &Filter, status: Option<Status>) {
        let theirs = names_somebody(filter);
        if theirs && filter.status.is_some_and(|wanted| wanted.statuses().all(Status::in_flight)) {
            // By its watch row, because that is narrow; an index for it would cost each verdict two pages more.
            self.sql.push("d.num >= (SELECT min(num) FROM watch)");
            self.sql.push("+d.num IN (SELECT num FROM watch)");
        }
        let clause = if theirs { "+d.status = ?" } else { "d.status = ?" };
        self.equal(clause, status.map(Status::as_str));
    }

    fn equal(&mut self, clause: &'static str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.sql.push(clause);
        self.values.push(Value::Text(value.to_owned()));
    }

    fn number(&mut self, clause: &'static str, value: i64) {
        self.sql.push(clause);
        self.values.push(Value::Integer(value));
    }

    /// A rare prefix is found by the index on ids and sorted; a common one by walking the newest rows.
    fn prefix(&mut self, connection: &Connection, prefix: &str) -> Result<(), Trouble> {
        let end = after_prefix(prefix);
        let count = "SELECT count(*) FROM (SELECT 1 FROM delegations WHERE delegation_id >= ?1
                     AND delegation_id < ?2 LIMIT ?3)";
        let most = i64::try_from(PREFIX_SORTED_MAX).unwrap_or(i64::MAX) + 1;
        let count: i64 =
            connection.prepare_cached(count)?.query_row((prefix, &end, most), |row| row.get(0))?;
        self.sql.push(if count < most {
            "d.delegation_id >= ? AND d.delegation_id < ?"
        } else {
            "+d.delegation_id >= ? AND +d.delegation_id < ?"
        });
        self.values.extend([Value::Text(prefix.to_owned()), Value::Text(end)]);
        Ok(())
    }

    fn finish(mut self, limit: usize) -> (String, Vec<Value>) {
        let filter = if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") };
        // One more than the page, to know whether there is another.
        self.values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1));
        let sql = format!(
            "SELECT {COLUMNS}, t.preview, t.metadata, r.preview FROM {ROW_FROM}
             LEFT JOIN tasks t ON t.num = d.num LEFT JOIN results r ON r.num = d.num
             WHERE {filter} ORDER BY d.num DESC LIMIT ?"
        );
        (sql, self.values)
    }
}

/// A text above every id that begins with `prefix`, and below every other: UTF-8 sorts as its characters do,
/// and no id is long enough to hold so many of the last one.
fn after_prefix(prefix: &str) -> String {
    let last = char::MAX.to_string();
    format!("{prefix}{}", last.repeat(ID_BYTES_MAX / last.len() + 1))
}

fn read_entry(row: &rusqlite::Row<'_>) -> Result<Place, Trouble> {
    let read = match read_row(row)? {
        Ok(read) => read,
        Err(bad) => {
            tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist; a list leaves it out");
            return Ok((bad.num, None));
        }
    };
    let entry = Entry {
        delegation: read.delegation,
        task_preview: row.get(ROW_COLUMNS)?,
        result_preview: row.get(ROW_COLUMNS + 2)?,
        metadata: row.get::<_, Option<String>>(ROW_COLUMNS + 1)?.map(Json::trusted),
        progress: read.progress,
    };
    Ok((read.num, Some(entry)))
}
