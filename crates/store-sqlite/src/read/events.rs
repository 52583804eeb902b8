//! The history: events, and the answers that came too late.

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Event, EventPage, EventQuery, Late};
use consign_ledger::{AgentId, DelegationId, Json, Seq};
use rusqlite::{Connection, ToSql, params};

use super::row::{Cell, payload};
use crate::failure::Trouble;

const EVENT: &str =
    "e.seq, d.delegation_id, d.caller_id, d.callee_id, e.kind, e.attempt, e.at, e.role,
                     e.actor_id, e.from_status, e.to_status, e.reason, e.data";

/// An index leads to all but the verdict, whose number its delegation knows.
const OF_ONE: &str = "FROM (SELECT e.seq FROM delegations d CROSS JOIN events e ON e.num = d.num
                            WHERE d.delegation_id = ?1 AND e.seq > ?2
                              AND e.kind <> 'completed' AND e.kind <> 'failed' AND e.kind <> 'cancelled'
                            UNION ALL
                            SELECT verdict_seq FROM delegations WHERE delegation_id = ?1 AND verdict_seq > ?2
                            ORDER BY 1 LIMIT ?3) page
                      CROSS JOIN events e ON e.seq = page.seq CROSS JOIN delegations d ON d.num = e.num
                      ORDER BY page.seq";
const OF_ALL: &str = "FROM events e CROSS JOIN delegations d ON d.num = e.num
                      WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2";

pub(crate) fn events(connection: &Connection, query: &EventQuery) -> Result<EventPage, Trouble> {
    // One more than the page, to know whether there is another.
    let limit = query.limit + 1;
    let mut events = match &query.delegation_id {
        Some(id) => select(connection, OF_ONE, params![id.as_str(), query.after, limit])?,
        None => select(connection, OF_ALL, params![query.after, limit])?,
    };
    let more = events.len() > query.limit;
    events.truncate(query.limit);
    let next = events.last().map(|event| event.seq).filter(|_| more);
    Ok(EventPage { events, next })
}

fn select(
    connection: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<Event>, Trouble> {
    let sql = format!("SELECT {EVENT} {condition}");
    connection.prepare_cached(&sql)?.query_and_then(values, read_event)?.collect()
}

fn read_event(row: &rusqlite::Row<'_>) -> Result<Event, Trouble> {
    let seq = row.get(0)?;
    let mut cell = Cell::at("events", seq, row, 1);
    Ok(Event {
        seq,
        delegation_id: cell.made("delegation_id", |text| DelegationId::new(text).ok())?,
        caller_id: cell.made("caller_id", |text| AgentId::new(text).ok())?,
        callee_id: cell.made("callee_id", |text| AgentId::new(text).ok())?,
        kind: cell.made("kind", EventKind::parse)?,
        attempt: cell.plain("attempt")?,
        at: cell.time("at")?,
        role: cell.made("role", Role::parse)?,
        actor_id: cell.plain("actor_id")?,
        from: cell.maybe_made("from_status", Status::parse)?,
        to: cell.made("to_status", Status::parse)?,
        reason: cell.plain("reason")?,
        data: cell.plain::<Option<String>>("data")?.map(Json::trusted),
    })
}

pub(crate) fn newest_seq(connection: &Connection) -> Result<Seq, Trouble> {
    let sql = "SELECT last FROM numbers WHERE kind = 'event'";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(crate) fn late_results(
    connection: &Connection,
    id: &DelegationId,
) -> Result<Vec<Late>, Trouble> {
    let sql = "SELECT l.id, l.attempt, l.at, l.role, l.actor_id, l.why, l.status, l.form, l.result, l.error_detail
               FROM delegations d JOIN late_results l ON l.num = d.num
               WHERE d.delegation_id = ?1 ORDER BY l.id";
    connection.prepare_cached(sql)?.query_and_then([id.as_str()], read_late)?.collect()
}

fn read_late(row: &rusqlite::Row<'_>) -> Result<Late, Trouble> {
    let mut cell = Cell::at("late_results", row.get(0)?, row, 1);
    Ok(Late {
        attempt: cell.plain("attempt")?,
        at: cell.time("at")?,
        role: cell.made("role", Role::parse)?,
        actor_id: cell.plain("actor_id")?,
        why: cell.plain("why")?,
        status: cell.made("status", Status::parse)?,
        result: {
            let form: Option<String> = cell.plain("form")?;
            let text: Option<String> = cell.plain("result")?;
            form.zip(text).map(|(form, text)| payload(&form, text))
        },
        error_detail: cell.plain("error_detail")?,
    })
}
