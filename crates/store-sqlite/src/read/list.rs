//! Lists of delegations, newest first: each filter walks an index of its own.

use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Entry, Filter, PAGE_BYTES_MAX, Page, Place, StatusFilter};
use consign_ledger::{ID_BYTES_MAX, Json, Time};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params_from_iter};

use super::row::{COLUMN_COUNT, COLUMNS, ROW_FROM, read_row};
use crate::failure::Trouble;

/// Ids with a common prefix that are sorted by number; where more share it, they are met soon enough anyway.
const PREFIX_SORTED_MAX: usize = 10_000;

/// A row's place and its entry; none where the row cannot exist, which must not hide the others.
type Found = (Place, Option<Entry>);

/// The entries that pass the filter, and where the next page begins.
pub(crate) fn list(connection: &Connection, filter: &Filter) -> Result<Page<Entry>, Trouble> {
    let Some((sql, values)) = statement(connection, filter)? else {
        return Ok(Page { items: vec![], next: None });
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_and_then(params_from_iter(values), read_entry)?;
    let (mut items, mut bytes) = (vec![], 0);
    let mut last = None;
    for (row, taken) in rows.zip(0..) {
        let (place, entry) = row?;
        bytes += entry.as_ref().map_or(0, Entry::bytes);
        // The first always fits; the rest is the next page's.
        if taken == filter.limit || (bytes > PAGE_BYTES_MAX && taken > 0) {
            return Ok(Page { items, next: last });
        }
        last = Some(place);
        items.extend(entry);
    }
    Ok(Page { items, next: None })
}

/// The statement of one page; `None` where no row can pass.
pub(crate) fn statement(
    connection: &Connection,
    filter: &Filter,
) -> Result<Option<(String, Vec<Value>)>, Trouble> {
    let mut clauses = Clauses::default();
    clauses.status(filter);
    clauses.equal("d.caller_id = ?", filter.caller.as_ref().map(|id| id.as_str()));
    clauses.equal("d.callee_id = ?", filter.callee.as_ref().map(|id| id.as_str()));
    clauses.equal("d.parent_id = ?", filter.parent.as_ref().map(|id| id.as_str()));
    if let Some(from) = filter.created_after {
        let Some(first) = first_created_at_or_after(connection, from)? else { return Ok(None) };
        clauses.number(">= ?", first);
    }
    if let Some(to) = filter.created_before
        && let Some(first_too_new) = first_created_at_or_after(connection, to)?
    {
        clauses.number("< ?", first_too_new);
    }
    if let Some(before) = filter.before {
        clauses.number("< ?", before.num);
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

/// Whether some other index than one of states leads to the rows.
fn names_somebody(filter: &Filter) -> bool {
    let named = filter.caller.is_some() || filter.callee.is_some() || filter.parent.is_some();
    named || filter.id_prefix.is_some()
}

#[derive(Default)]
struct Clauses {
    sql: Vec<String>,
    values: Vec<Value>,
    /// What is in flight is walked by its narrow rows, newest first: an index of the states in flight would be
    /// changed by every start and every verdict.
    by_watch: bool,
}

impl Clauses {
    fn status(&mut self, filter: &Filter) {
        let Some(wanted) = filter.status else { return };
        let in_flight = wanted.statuses().all(Status::in_flight);
        self.by_watch = in_flight && !names_somebody(filter);
        if in_flight && !self.by_watch {
            self.sql.push("d.num >= (SELECT min(num) FROM watch)".to_owned());
            self.sql.push("+d.num IN (SELECT num FROM watch)".to_owned());
        }
        let StatusFilter::Is(status) = wanted else { return };
        if self.by_watch && status != Status::InProgress {
            self.sql.push("a.epoch IS NULL".to_owned());
        }
        if !in_flight {
            self.sql.push("d.finished_at IS NOT NULL".to_owned());
        }
        let clause = if names_somebody(filter) { "+d.status = ?" } else { "d.status = ?" };
        self.equal(clause, Some(status.as_str()));
    }

    fn equal(&mut self, clause: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.sql.push(clause.to_owned());
        self.values.push(Value::Text(value.to_owned()));
    }

    /// The column by which the walk goes.
    fn place(&self) -> &'static str {
        if self.by_watch { "a.num" } else { "d.num" }
    }

    fn number(&mut self, clause: &str, value: i64) {
        self.sql.push(format!("{} {clause}", self.place()));
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
        let walk = if count < most { "" } else { "+" };
        self.sql.push(format!("{walk}d.delegation_id >= ? AND {walk}d.delegation_id < ?"));
        self.values.extend([Value::Text(prefix.to_owned()), Value::Text(end)]);
        Ok(())
    }

    fn finish(mut self, limit: usize) -> (String, Vec<Value>) {
        let filter = if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") };
        // One more than the page, to know whether there is another.
        self.values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1));
        let (watch, same) =
            if self.by_watch { ("watch a CROSS JOIN ", "d.num = a.num AND ") } else { ("", "") };
        let sql = format!(
            "SELECT {COLUMNS}, t.preview, t.metadata, r.preview FROM {watch}{ROW_FROM}
             LEFT JOIN tasks t ON t.num = d.num LEFT JOIN results r ON r.num = d.num
             WHERE {same}{filter} ORDER BY {} DESC LIMIT ?",
            self.place()
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

fn read_entry(row: &rusqlite::Row<'_>) -> Result<Found, Trouble> {
    let created_at = row.get::<_, i64>("created_at").map(Time).unwrap_or_default();
    let read = match read_row(row)? {
        Ok(read) => read,
        Err(bad) => {
            tracing::error!(num = bad.num, why = %bad.why, "a row cannot exist; a list leaves it out");
            return Ok((Place { created_at, num: bad.num }, None));
        }
    };
    let entry = Entry {
        delegation: read.delegation,
        task_preview: row.get(COLUMN_COUNT)?,
        result_preview: row.get(COLUMN_COUNT + 2)?,
        metadata: row.get::<_, Option<String>>(COLUMN_COUNT + 1)?.map(Json::trusted),
        progress: read.progress,
    };
    Ok((Place { created_at, num: read.num }, Some(entry)))
}
