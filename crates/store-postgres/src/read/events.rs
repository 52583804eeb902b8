//! The history: events, and the answers that came too late.

use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Event, EventPage, EventQuery, Late};
use consign_ledger::{AgentId, DelegationId, Seq};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

const OF_ONE: &str = "
    SELECT e.seq, d.delegation_id, d.caller_id, d.callee_id, e.kind, e.attempt, e.at, e.role, e.actor_id,
           e.from_status, e.to_status, e.reason, e.data
    FROM delegations d JOIN events e ON e.num = d.num
    WHERE d.delegation_id = $3 AND e.seq > $1 ORDER BY e.seq LIMIT $2";

const OF_ALL: &str = "
    SELECT e.seq, d.delegation_id, d.caller_id, d.callee_id, e.kind, e.attempt, e.at, e.role, e.actor_id,
           e.from_status, e.to_status, e.reason, e.data
    FROM events e JOIN delegations d ON d.num = e.num
    WHERE e.seq > $1 ORDER BY e.seq LIMIT $2";

const LATE: &str = "
    SELECT l.id, l.attempt, l.at, l.role, l.actor_id, l.why, l.status, l.form, l.result, l.error_detail
    FROM delegations d JOIN late_results l ON l.num = d.num
    WHERE d.delegation_id = $1 ORDER BY l.id";

pub(crate) async fn events(
    connection: &Connection,
    query: &EventQuery,
) -> Result<EventPage, Trouble> {
    // One more than the page, to know whether there is another.
    let limit = wide(query.limit + 1);
    let rows = if let Some(id) = &query.delegation_id {
        let statement = connection.prepare_cached(OF_ONE).await?;
        connection.query(&statement, &[&query.after, &limit, &id.as_str()]).await?
    } else {
        let statement = connection.prepare_cached(OF_ALL).await?;
        connection.query(&statement, &[&query.after, &limit]).await?
    };
    let more = rows.len() > query.limit;
    let page = rows.iter().take(query.limit).map(read_event);
    let events: Vec<Event> = page.collect::<Result<_, _>>()?;
    let next = events.last().map(|event| event.seq).filter(|_| more);
    Ok(EventPage { events, next })
}

fn read_event(row: &Row) -> Result<Event, Trouble> {
    let seq = row.try_get(0)?;
    let mut cell = Cell::at("events", seq, row, 1);
    Ok(Event {
        seq,
        delegation_id: cell.made("delegation_id", |text| DelegationId::new(text).ok())?,
        caller_id: cell.made("caller_id", |text| AgentId::new(text).ok())?,
        callee_id: cell.made("callee_id", |text| AgentId::new(text).ok())?,
        kind: cell.made("kind", EventKind::parse)?,
        attempt: cell.number("attempt")?,
        at: cell.time("at")?,
        role: cell.made("role", Role::parse)?,
        actor_id: cell.plain("actor_id")?,
        from: cell.maybe_made("from_status", Status::parse)?,
        to: cell.made("to_status", Status::parse)?,
        reason: cell.plain("reason")?,
        data: cell.json("data")?,
    })
}

pub(crate) async fn newest_seq(connection: &Connection) -> Result<Seq, Trouble> {
    let sql = "SELECT last FROM numbers WHERE kind = 'event'";
    let statement = connection.prepare_cached(sql).await?;
    Ok(connection.query_one(&statement, &[]).await?.try_get(0)?)
}

pub(crate) async fn late_results(
    connection: &Connection,
    id: &DelegationId,
) -> Result<Vec<Late>, Trouble> {
    let statement = connection.prepare_cached(LATE).await?;
    connection.query(&statement, &[&id.as_str()]).await?.iter().map(read_late).collect()
}

fn read_late(row: &Row) -> Result<Late, Trouble> {
    let mut cell = Cell::at("late_results", row.try_get(0)?, row, 1);
    Ok(Late {
        attempt: cell.number("attempt")?,
        at: cell.time("at")?,
        role: cell.made("role", Role::parse)?,
        actor_id: cell.plain("actor_id")?,
        why: cell.plain("why")?,
        status: cell.made("status", Status::parse)?,
        result: cell.payload()?,
        error_detail: cell.plain("error_detail")?,
    })
}
