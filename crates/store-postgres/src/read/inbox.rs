//! Messages: each is its event, seen by one agent.

use consign_ledger::DelegationId;
use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::status::Status;
use consign_ledger::query::{COUNT_MAX, Inbox, InboxQuery, Message, PAGE_BYTES_MAX};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// A verdict tells the delegation's error, which its first detail may have filled later; a warning its own.
///
/// The bound on bytes is here and not at the reader's end, because a statement's whole answer is sent. A length
/// stands in the row itself: no long result is read for its length alone. The first message always fits.
const MESSAGES: &str = "
    SELECT seq, kind, delegation_id, to_status, error_detail, at, form, result
    FROM (SELECT m.seq, e.kind, d.delegation_id, e.to_status,
                 CASE WHEN e.to_status = d.status AND d.finished_at IS NOT NULL
                      THEN d.error_detail ELSE e.reason END AS error_detail,
                 e.at, r.form, coalesce(r.whole, r.preview) AS result,
                 row_number() OVER (ORDER BY m.seq) AS place,
                 sum(octet_length(coalesce(r.whole, r.preview))) OVER (ORDER BY m.seq) AS bytes
          FROM (SELECT seq FROM messages
                WHERE agent_id = $1
                  AND seq > coalesce($2, (SELECT acked_through FROM inboxes WHERE agent_id = $1), 0)
                ORDER BY seq LIMIT $3) AS m
          JOIN events e ON e.seq = m.seq
          JOIN delegations d ON d.num = e.num
          LEFT JOIN results r ON r.num = e.num AND e.to_status = 'completed') AS page
    WHERE coalesce(bytes, 0) <= $4 OR place = 1
    ORDER BY seq";

const UNREAD: &str = "
    SELECT acked.through, u.unread, (SELECT at FROM events WHERE seq = u.oldest)
    FROM (SELECT coalesce((SELECT acked_through FROM inboxes WHERE agent_id = $1), 0) AS through) AS acked
    CROSS JOIN LATERAL (
        SELECT count(*) AS unread, min(seq) AS oldest
        FROM (SELECT seq FROM messages WHERE agent_id = $1 AND seq > acked.through ORDER BY seq LIMIT $2) AS behind) AS u";

pub(crate) async fn inbox(connection: &Connection, query: &InboxQuery) -> Result<Inbox, Trouble> {
    let agent = query.agent_id.as_str();
    let statement = connection.prepare_cached(MESSAGES).await?;
    let messages = connection
        .query(&statement, &[&agent, &query.after, &wide(query.limit), &wide(PAGE_BYTES_MAX)])
        .await?;
    let messages = messages.iter().map(read_message).collect::<Result<_, _>>()?;
    let statement = connection.prepare_cached(UNREAD).await?;
    let most = i64::try_from(COUNT_MAX).unwrap_or(i64::MAX);
    let row = connection.query_one(&statement, &[&agent, &most]).await?;
    let mut cell = Cell::at("inboxes", 0, &row, 0);
    Ok(Inbox {
        messages,
        acked_through: cell.plain("acked_through")?,
        unread: cell.number("unread")?,
        oldest_unread_at: cell.maybe_time("at")?,
    })
}

fn read_message(row: &Row) -> Result<Message, Trouble> {
    let seq = row.try_get(0)?;
    let mut cell = Cell::at("messages", seq, row, 1);
    Ok(Message {
        seq,
        kind: cell.made("kind", EventKind::parse)?,
        delegation_id: cell.made("delegation_id", |text| DelegationId::new(text).ok())?,
        status: cell.made("to_status", Status::parse)?,
        error_detail: cell.plain("error_detail")?,
        at: cell.time("at")?,
        result: cell.payload()?,
    })
}
