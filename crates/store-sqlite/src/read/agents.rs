//! Agents: their records, and how each does. Work is counted as it changes; messages up to a bound.

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::terms::Notify;
use consign_ledger::query::{
    AgentHealth, AgentPage, AgentsQuery, COUNT_MAX, ENDED_MAX, Ended, HEARD_ROWS_MAX,
};
use consign_ledger::{Agent, AgentId, AgentTerms, Time};
use rusqlite::{Connection, OptionalExtension, params};

use super::inbox::{self, Unread};
use super::row::Cell;
use crate::failure::Trouble;

/// The next agent by id. An index finds its next value by itself, however often the one before stands in it.
const NEXT: &str = "
    SELECT min(id) FROM (
        SELECT min(agent_id) AS id FROM agents WHERE agent_id > ?1
        UNION ALL SELECT min(caller_id) FROM delegations WHERE caller_id > ?1
        UNION ALL SELECT min(callee_id) FROM delegations WHERE callee_id > ?1)";

const IS_KNOWN: &str = "
    SELECT EXISTS (SELECT 1 FROM agents WHERE agent_id = ?1)
        OR EXISTS (SELECT 1 FROM delegations WHERE caller_id = ?1)
        OR EXISTS (SELECT 1 FROM delegations WHERE callee_id = ?1)";

const RECORD: &str = "
    SELECT agent_id, stuck_threshold_s, notify_stuck, notify_recovered, max_in_flight, max_queued, created_at,
           updated_at
    FROM agents WHERE agent_id = ?1";

const WORK: &str = "SELECT status, count FROM callee_tallies WHERE callee_id = ?1";

/// While it works, its watch rows know best; a verdict or a release may be all that was heard of it.
const HEARD: &str = "
    SELECT max(coalesce((
               SELECT max(alive_at) FROM (
                   SELECT w.alive_at FROM delegations d CROSS JOIN watch w ON w.num = d.num
                   WHERE d.callee_id = ?1 AND d.held = 1 AND d.finished_at IS NULL LIMIT ?2)), 0),
           coalesce((
               SELECT max(max(coalesce(w.alive_at, d.last_heartbeat, 0), iif(d.last_act_role = 'callee', d.updated_at, 0)))
               FROM (SELECT num, last_heartbeat, last_act_role, updated_at FROM delegations
                     WHERE callee_id = ?1 ORDER BY num DESC LIMIT ?2) d
               LEFT JOIN watch w ON w.num = d.num), 0))";

/// There is no index by agent of what ended, because each verdict would pay for it: so as far as the newest tell.
const ENDED: &str = "
    SELECT num, status, created_at, finished_at FROM (
        SELECT num, status, created_at, finished_at FROM delegations
        WHERE callee_id = ?1 ORDER BY num DESC LIMIT ?2)
    WHERE finished_at IS NOT NULL LIMIT ?3";
/// How many of an agent's newest delegations are looked through for some that ended.
const NEWEST_MAX: usize = 10 * ENDED_MAX;

pub(crate) fn agents(connection: &Connection, query: &AgentsQuery) -> Result<AgentPage, Trouble> {
    let mut agents = Vec::with_capacity(query.limit);
    let mut after = query.after.as_ref().map_or(String::new(), |id| id.as_str().to_owned());
    while let Some(id) = next(connection, &after)? {
        if agents.len() == query.limit {
            return Ok(AgentPage { agents, more: true });
        }
        match AgentId::new(&id) {
            Ok(agent_id) => agents.push(health(connection, agent_id)?),
            Err(why) => {
                tracing::error!(id, %why, "an agent cannot have this id; a list leaves it out");
            }
        }
        after = id;
    }
    Ok(AgentPage { agents, more: false })
}

fn next(connection: &Connection, after: &str) -> Result<Option<String>, Trouble> {
    Ok(connection.prepare_cached(NEXT)?.query_row([after], |row| row.get(0))?)
}

pub(crate) fn agent(
    connection: &Connection,
    id: &AgentId,
) -> Result<Option<(AgentHealth, Vec<Ended>)>, Trouble> {
    let known = connection.prepare_cached(IS_KNOWN)?.query_row([id.as_str()], |row| row.get(0))?;
    if known {
        Ok(Some((health(connection, id.clone())?, ended(connection, id)?)))
    } else {
        Ok(None)
    }
}

/// The agent's record, if it has one.
pub(crate) fn agent_record(
    connection: &Connection,
    id: &AgentId,
) -> Result<Option<Agent>, Trouble> {
    connection
        .prepare_cached(RECORD)?
        .query_and_then([id.as_str()], read_record)?
        .next()
        .transpose()
}

fn read_record(row: &rusqlite::Row<'_>) -> Result<Agent, Trouble> {
    let mut cell = Cell::at("agents", 0, row, 0);
    Ok(Agent {
        agent_id: cell.made("agent_id", |text| AgentId::new(text).ok())?,
        terms: AgentTerms {
            stuck_threshold_s: cell.plain("stuck_threshold_s")?,
            notify: Notify {
                stuck: cell.plain("notify_stuck")?,
                recovered: cell.plain("notify_recovered")?,
            },
            max_in_flight: cell.plain("max_in_flight")?,
            max_queued: cell.plain("max_queued")?,
        },
        created_at: cell.time("created_at")?,
        updated_at: cell.time("updated_at")?,
    })
}

fn health(connection: &Connection, agent_id: AgentId) -> Result<AgentHealth, Trouble> {
    let id = agent_id.as_str();
    let work = work(connection, &agent_id)?;
    let count = |status: Status| COUNT_MAX.min(work[status.index()]);
    let heard: i64 = connection
        .prepare_cached(HEARD)?
        .query_row(params![id, HEARD_ROWS_MAX], |row| row.get(0))?;
    let Unread { acked_through, count: unread, oldest_at: oldest_unread_at } =
        inbox::unread(connection, id)?;
    Ok(AgentHealth {
        record: agent_record(connection, &agent_id)?,
        queued: count(Status::Queued),
        in_flight: COUNT_MAX.min(work.iter().sum()),
        stuck: count(Status::Stuck),
        acked_through,
        unread,
        oldest_unread_at,
        last_heard: (heard > 0).then_some(Time(heard)),
        agent_id,
    })
}

/// How many delegations of this callee are in flight, by status, in the order of [`Status::ALL`].
pub(crate) fn work(
    connection: &Connection,
    callee: &AgentId,
) -> Result<[u64; Status::ALL.len()], Trouble> {
    let mut work = [0; Status::ALL.len()];
    let mut statement = connection.prepare_cached(WORK)?;
    let mut rows = statement.query([callee.as_str()])?;
    while let Some(row) = rows.next()? {
        let mut cell = Cell::at("callee_tallies", 0, row, 0);
        let status = cell.made("status", Status::parse)?;
        work[status.index()] = cell.plain("count")?;
    }
    Ok(work)
}

fn ended(connection: &Connection, id: &AgentId) -> Result<Vec<Ended>, Trouble> {
    let read = |row: &rusqlite::Row<'_>| {
        let mut cell = Cell::at("delegations", row.get(0)?, row, 1);
        Ok(Ended {
            status: cell.made("status", Status::parse)?,
            created_at: cell.time("created_at")?,
            finished_at: cell.time("finished_at")?,
        })
    };
    let values = params![id.as_str(), NEWEST_MAX, ENDED_MAX];
    connection.prepare_cached(ENDED)?.query_and_then(values, read)?.collect()
}

/// How far the agent has acknowledged, and the number of its newest message; 0 where there is none.
pub(crate) fn inbox_state(connection: &Connection, id: &AgentId) -> Result<(i64, i64), Trouble> {
    let acked = "SELECT acked_through FROM inboxes WHERE agent_id = ?1";
    let acked = connection.prepare_cached(acked)?.query_row([id.as_str()], |row| row.get(0));
    let newest = "SELECT coalesce(max(seq), 0) FROM messages WHERE agent_id = ?1";
    let newest = connection.prepare_cached(newest)?.query_row([id.as_str()], |row| row.get(0))?;
    Ok((acked.optional()?.unwrap_or(0), newest))
}
