//! Agents: their records, and how each does. Every count walks an index and ends at a bound.

use std::fmt::Write as _;
use std::sync::LazyLock;

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::terms::Notify;
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, COUNT_MAX, ENDED_MAX, Ended, HEARD_ROWS_MAX, StatusFilter,
};
use consign_ledger::{Agent, AgentId, AgentTerms, InboxState};
use tokio_postgres::Row;

use super::row::Cell;
use super::wide;
use crate::connect::Connection;
use crate::failure::Trouble;

/// The next agents by id. An index finds its next value by itself, however often the one before stands in it.
const PAGE: &str = "
    WITH RECURSIVE known (agent_id) AS (
        SELECT least((SELECT min(a.agent_id) FROM agents a WHERE a.agent_id > $1),
                     (SELECT min(d.caller_id) FROM delegations d WHERE d.caller_id > $1),
                     (SELECT min(d.callee_id) FROM delegations d WHERE d.callee_id > $1))
        UNION ALL
        SELECT least((SELECT min(a.agent_id) FROM agents a WHERE a.agent_id > k.agent_id),
                     (SELECT min(d.caller_id) FROM delegations d WHERE d.caller_id > k.agent_id),
                     (SELECT min(d.callee_id) FROM delegations d WHERE d.callee_id > k.agent_id))
        FROM known k WHERE k.agent_id IS NOT NULL
    )
    SELECT agent_id FROM known WHERE agent_id IS NOT NULL LIMIT $2";

const IS_KNOWN: &str = "
    SELECT EXISTS (SELECT 1 FROM agents WHERE agent_id = $1)
        OR EXISTS (SELECT 1 FROM delegations WHERE caller_id = $1)
        OR EXISTS (SELECT 1 FROM delegations WHERE callee_id = $1)";

/// The columns of an agent's record.
const RECORD: &str = "a.agent_id, a.stuck_threshold_s, a.notify_stuck, a.notify_recovered, a.max_in_flight, a.max_queued,
                      a.created_at, a.updated_at";

/// One row per agent: its record, counts, and what it has not read. While it works, its watch rows know best when it
/// was heard; a verdict or a release may be all that was heard of it.
static HEALTH: LazyLock<String> = LazyLock::new(|| {
    let mut counts = String::new();
    for status in StatusFilter::InFlight.statuses() {
        let _ = write!(
            counts,
            "(SELECT count(*) FROM (SELECT 1 FROM delegations d WHERE d.callee_id = k.agent_id
                 AND d.status = '{status}' ORDER BY d.created_at DESC NULLS LAST, d.num DESC NULLS LAST LIMIT $2) AS counted), "
        );
    }
    format!(
        "SELECT k.agent_id, {counts}
             coalesce(i.acked_through, 0), u.unread, (SELECT e.at FROM events e WHERE e.seq = u.oldest),
             greatest((SELECT max(alive_at) FROM (
                           SELECT w.alive_at FROM delegations d JOIN watch w ON w.num = d.num
                           WHERE d.callee_id = k.agent_id AND d.status = 'in_progress'
                           ORDER BY d.created_at DESC NULLS LAST, d.num DESC NULLS LAST LIMIT $3) AS working),
                      (SELECT max(greatest(last_heartbeat,
                                           CASE WHEN last_act_role = 'callee' THEN updated_at END))
                       FROM ({}) AS newest)),
             {RECORD}
         FROM unnest($1::text[]) AS k (agent_id)
         LEFT JOIN agents a ON a.agent_id = k.agent_id COLLATE \"C\"
         LEFT JOIN inboxes i ON i.agent_id = k.agent_id COLLATE \"C\"
         CROSS JOIN LATERAL (
             SELECT count(*) AS unread, min(seq) AS oldest
             FROM (SELECT seq FROM messages m
                   WHERE m.agent_id = k.agent_id AND m.seq > coalesce(i.acked_through, 0)
                   ORDER BY m.seq LIMIT $2) AS behind) AS u
         ORDER BY k.agent_id COLLATE \"C\"",
        newest(Status::ALL, "last_heartbeat, last_act_role, updated_at", "k.agent_id", "$3")
    )
});

static ENDED: LazyLock<String> = LazyLock::new(|| {
    let terminal: Vec<Status> =
        Status::ALL.iter().copied().filter(|status| !status.in_flight()).collect();
    newest(&terminal, "status, created_at, finished_at", "$1", "$2")
});

/// The newest delegations of a callee that have one of these statuses. The index goes by status behind the agent: one
/// walk for each.
fn newest(statuses: &[Status], columns: &str, callee: &str, limit: &str) -> String {
    let walk = |status: &Status| {
        format!(
            "(SELECT d.created_at AS made_at, d.num, {columns} FROM delegations d WHERE d.callee_id = {callee} AND d.status = '{status}'
              ORDER BY d.created_at DESC NULLS LAST, d.num DESC NULLS LAST LIMIT {limit})"
        )
    };
    let walks: Vec<String> = statuses.iter().map(walk).collect();
    format!(
        "SELECT num, {columns} FROM ({}) AS walks ORDER BY made_at DESC, num DESC LIMIT {limit}",
        walks.join(" UNION ALL ")
    )
}

pub(crate) async fn agents(
    connection: &Connection,
    query: &AgentsQuery,
) -> Result<AgentPage, Trouble> {
    let after = query.after.as_ref().map_or("", |id| id.as_str());
    let statement = connection.prepare_cached(PAGE).await?;
    let limit = wide(query.limit).saturating_add(1);
    let rows = connection.query(&statement, &[&after, &limit]).await?;
    let mut ids: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let more = ids.len() > query.limit;
    ids.truncate(query.limit);
    Ok(AgentPage { agents: health(connection, &ids).await?, more })
}

pub(crate) async fn agent(
    connection: &Connection,
    id: &AgentId,
) -> Result<Option<(AgentHealth, Vec<Ended>)>, Trouble> {
    let statement = connection.prepare_cached(IS_KNOWN).await?;
    if !connection.query_one(&statement, &[&id.as_str()]).await?.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let health = health(connection, &[id.to_string()]).await?.pop();
    let statement = connection.prepare_cached(&ENDED).await?;
    let rows = connection.query(&statement, &[&id.as_str(), &wide(ENDED_MAX)]).await?;
    let ended = rows.iter().map(read_ended).collect::<Result<_, _>>()?;
    Ok(health.map(|health| (health, ended)))
}

async fn health(connection: &Connection, ids: &[String]) -> Result<Vec<AgentHealth>, Trouble> {
    let statement = connection.prepare_cached(&HEALTH).await?;
    let most = i64::try_from(COUNT_MAX).unwrap_or(i64::MAX);
    let rows = connection.query(&statement, &[&ids, &most, &wide(HEARD_ROWS_MAX)]).await?;
    rows.iter().map(read_health).collect()
}

fn read_health(row: &Row) -> Result<AgentHealth, Trouble> {
    let mut cell = Cell::at("agents", 0, row, 0);
    let agent_id = cell.made("agent_id", |text| AgentId::new(text).ok())?;
    let [mut queued, mut in_flight, mut stuck] = [0; 3];
    for status in StatusFilter::InFlight.statuses() {
        let count: u64 = cell.number("count")?;
        in_flight = COUNT_MAX.min(in_flight + count);
        match status {
            Status::Queued => queued = count,
            Status::Stuck => stuck = count,
            _ => {}
        }
    }
    Ok(AgentHealth {
        agent_id,
        queued,
        in_flight,
        stuck,
        acked_through: cell.plain("acked_through")?,
        unread: cell.number("unread")?,
        oldest_unread_at: cell.maybe_time("at")?,
        last_heard: cell.maybe_time("alive_at")?,
        record: record_behind(row, &mut cell)?,
    })
}

/// The record in the columns that follow, where there is one.
fn record_behind(row: &Row, cell: &mut Cell<'_>) -> Result<Option<Agent>, Trouble> {
    let has_one = row.try_get::<_, Option<&str>>(HEALTH_COLUMNS)?.is_some();
    if has_one { read_record(cell).map(Some) } else { Ok(None) }
}

/// How many columns stand before the record.
const HEALTH_COLUMNS: usize = 9;

fn read_record(cell: &mut Cell<'_>) -> Result<Agent, Trouble> {
    Ok(Agent {
        agent_id: cell.made("agent_id", |text| AgentId::new(text).ok())?,
        terms: AgentTerms {
            stuck_threshold_s: cell.maybe_number("stuck_threshold_s")?,
            notify: Notify {
                stuck: cell.plain("notify_stuck")?,
                recovered: cell.plain("notify_recovered")?,
            },
            max_in_flight: cell.maybe_number("max_in_flight")?,
            max_queued: cell.maybe_number("max_queued")?,
        },
        created_at: cell.time("created_at")?,
        updated_at: cell.time("updated_at")?,
    })
}

fn read_ended(row: &Row) -> Result<Ended, Trouble> {
    let mut cell = Cell::at("delegations", row.try_get(0)?, row, 1);
    Ok(Ended {
        status: cell.made("status", Status::parse)?,
        created_at: cell.time("created_at")?,
        finished_at: cell.time("finished_at")?,
    })
}

/// The records of these agents, as far as there are any. Locked are those that will be written, and those with a
/// limit: what is counted against it stays as it is for others who would count.
pub(crate) async fn agent_records(
    connection: &Connection,
    ids: &[&str],
    written: &[&str],
) -> Result<Vec<Agent>, Trouble> {
    let lock = "SELECT 1 FROM agents
                WHERE agent_id = ANY ($1::text[])
                  AND (max_in_flight IS NOT NULL OR max_queued IS NOT NULL OR agent_id = ANY ($2::text[]))
                ORDER BY agent_id FOR NO KEY UPDATE";
    let lock = connection.prepare_cached(lock).await?;
    let read = format!("SELECT {RECORD} FROM agents a WHERE a.agent_id = ANY ($1::text[])");
    let read = connection.prepare_cached(&read).await?;
    let (locking, reading): ([&(dyn tokio_postgres::types::ToSql + Sync); 2], _) =
        ([&ids, &written], [&ids as &(dyn tokio_postgres::types::ToSql + Sync)]);
    let (locked, rows) = tokio::join! {
        biased;
        connection.execute(&lock, &locking),
        connection.query(&read, &reading),
    };
    locked?;
    rows?.iter().map(|row| read_record(&mut Cell::at("agents", 0, row, 0))).collect()
}

/// How far these agents have read, and could read.
pub(crate) async fn inbox_states(
    connection: &Connection,
    ids: &[&str],
) -> Result<Vec<(AgentId, InboxState)>, Trouble> {
    let sql = "SELECT k.agent_id, coalesce(i.acked_through, 0),
                      coalesce((SELECT max(m.seq) FROM messages m WHERE m.agent_id = k.agent_id), 0)
               FROM unnest($1::text[]) AS k (agent_id)
               LEFT JOIN inboxes i ON i.agent_id = k.agent_id COLLATE \"C\"";
    let statement = connection.prepare_cached(sql).await?;
    let rows = connection.query(&statement, &[&ids]).await?;
    let read = |row: &Row| {
        let mut cell = Cell::at("inboxes", 0, row, 0);
        let agent_id = cell.made("agent_id", |text| AgentId::new(text).ok())?;
        let acked_through = cell.plain("acked_through")?;
        Ok((agent_id, InboxState { acked_through, newest: cell.plain("seq")? }))
    };
    rows.iter().map(read).collect()
}
