//! Messages: each is its event, seen by one agent.

use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{COUNT_MAX, Inbox, InboxQuery, Message, PAGE_BYTES_MAX};
use consign_ledger::{DelegationId, Seq, Time};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{Cell, payload};
use crate::failure::Trouble;

/// A verdict tells the delegation's error, which its first detail may have filled later; a warning its own.
const MESSAGES: &str = "
    SELECT m.seq, e.kind, d.delegation_id, e.to_status,
           iif(e.to_status = d.status AND d.finished_at IS NOT NULL, d.error_detail, e.reason), e.at,
           r.form, coalesce(r.whole, r.preview)
    FROM messages m
    CROSS JOIN events e ON e.seq = m.seq
    CROSS JOIN delegations d ON d.num = e.num
    LEFT JOIN results r ON r.num = e.num AND e.to_status = 'completed'
    WHERE m.agent_id = ?1 AND m.seq > ?2 ORDER BY m.seq LIMIT ?3";

pub(crate) fn inbox(connection: &Connection, query: &InboxQuery) -> Result<Inbox, Trouble> {
    let agent = query.agent_id.as_str();
    let Unread { acked_through, count, oldest_at } = unread(connection, agent)?;
    let after = query.after.unwrap_or(acked_through);
    let mut messages = vec![];
    let mut bytes = 0;
    let mut statement = connection.prepare_cached(MESSAGES)?;
    for message in statement.query_and_then(params![agent, after, query.limit], read_message)? {
        let message: Message = message?;
        bytes += message.result.as_ref().map_or(0, |result| result.as_str().len());
        // The first always fits; the rest is the next page's.
        if bytes > PAGE_BYTES_MAX && !messages.is_empty() {
            break;
        }
        messages.push(message);
    }
    Ok(Inbox { messages, acked_through, unread: count, oldest_unread_at: oldest_at })
}

/// What an agent has not acknowledged.
pub(super) struct Unread {
    /// Up to where it has.
    pub(super) acked_through: Seq,
    /// How many messages lie behind that, counted up to a bound.
    pub(super) count: u64,
    /// When the first of them happened.
    pub(super) oldest_at: Option<Time>,
}

pub(super) fn unread(connection: &Connection, agent: &str) -> Result<Unread, Trouble> {
    let acked = "SELECT acked_through FROM inboxes WHERE agent_id = ?1";
    let acked =
        connection.prepare_cached(acked)?.query_row([agent], |row| row.get(0)).optional()?;
    let acked_through = acked.unwrap_or(0);
    let sql = "SELECT count(*), min(seq)
               FROM (SELECT seq FROM messages WHERE agent_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3)";
    let values = params![agent, acked_through, COUNT_MAX];
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, Option<Seq>>(1)?));
    let (count, oldest) = connection.prepare_cached(sql)?.query_row(values, read)?;
    let at = "SELECT at FROM events WHERE seq = ?1";
    let oldest_at =
        connection.prepare_cached(at)?.query_row([oldest], |row| row.get(0)).optional()?;
    Ok(Unread { acked_through, count, oldest_at: oldest_at.map(Time) })
}

fn read_message(row: &rusqlite::Row<'_>) -> Result<Message, Trouble> {
    let seq = row.get(0)?;
    let mut cell = Cell::at("messages", seq, row, 1);
    Ok(Message {
        seq,
        kind: cell.made("kind", EventKind::parse)?,
        delegation_id: cell.made("delegation_id", |text| DelegationId::new(text).ok())?,
        status: cell.made("to_status", Status::parse)?,
        error_detail: cell.plain("error_detail")?,
        at: cell.time("at")?,
        result: {
            let form: Option<String> = cell.plain("form")?;
            let text: Option<String> = cell.plain("result")?;
            form.zip(text).map(|(form, text)| payload(&form, text))
        },
    })
}
