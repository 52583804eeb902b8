//! Messages: each is its event, seen by one agent.

use consign_ledger::DelegationId;
use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{Inbox, InboxQuery, Message};
use rusqlite::{Connection, params};

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

/// Bytes of results after which a page ends.
const PAGE_BYTES_MAX: usize = 8 << 20;

pub(crate) fn inbox(connection: &Connection, query: &InboxQuery) -> Result<Inbox, Trouble> {
    let agent = query.agent_id.as_str();
    let after = query.after.unwrap_or(0);
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
    let unread = "SELECT count(*) FROM messages WHERE agent_id = ?1";
    let unread = connection.prepare_cached(unread)?.query_row([agent], |row| row.get(0))?;
    Ok(Inbox { messages, unread })
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
