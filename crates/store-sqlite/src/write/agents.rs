//! Records of agents, and how far they have read.

use consign_ledger::{Agent, Append};
use rusqlite::params;

use crate::failure::Trouble;
use crate::prepared::Prepared;

pub(super) fn write(statements: &mut Prepared<'_>, append: &Append) -> Result<(), Trouble> {
    append.agents.iter().try_for_each(|agent| put(statements, agent))?;
    for id in &append.agents_removed {
        let sql = "DELETE FROM agents WHERE agent_id = ?1";
        statements.get(sql)?.execute([id.as_str()])?;
    }
    for (id, through) in &append.acknowledged {
        let sql = "INSERT INTO inboxes (agent_id, acked_through) VALUES (?1, ?2)
                   ON CONFLICT (agent_id) DO UPDATE SET acked_through = max(acked_through, excluded.acked_through)";
        statements.get(sql)?.execute(params![id.as_str(), through])?;
    }
    Ok(())
}

fn put(statements: &mut Prepared<'_>, agent: &Agent) -> Result<(), Trouble> {
    let sql = "INSERT INTO agents (agent_id, stuck_threshold_s, notify_stuck, notify_recovered, max_in_flight,
                                   max_queued, created_at, updated_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (agent_id) DO UPDATE SET
                   stuck_threshold_s = excluded.stuck_threshold_s, notify_stuck = excluded.notify_stuck,
                   notify_recovered = excluded.notify_recovered, max_in_flight = excluded.max_in_flight,
                   max_queued = excluded.max_queued, updated_at = excluded.updated_at";
    statements.get(sql)?.execute(params![
        agent.agent_id.as_str(),
        agent.terms.stuck_threshold_s,
        agent.terms.notify.stuck,
        agent.terms.notify.recovered,
        agent.terms.max_in_flight,
        agent.terms.max_queued,
        agent.created_at.0,
        agent.updated_at.0,
    ])?;
    Ok(())
}
