//! Records of agents, and how far they have read.

use consign_ledger::Append;

use super::pipeline::{Pipeline, column};
use crate::failure::Trouble;

/// In the order of their ids: two batches that bring the same ones wait for each other in one direction only.
const PUT: &str = "
    INSERT INTO agents (agent_id, stuck_threshold_s, notify_stuck, notify_recovered, max_in_flight, max_queued,
                        created_at, updated_at)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[], $4::boolean[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::bigint[]) AS n (agent_id)
    ORDER BY n.agent_id COLLATE \"C\"
    ON CONFLICT (agent_id) DO UPDATE SET
        stuck_threshold_s = excluded.stuck_threshold_s, notify_stuck = excluded.notify_stuck,
        notify_recovered = excluded.notify_recovered, max_in_flight = excluded.max_in_flight,
        max_queued = excluded.max_queued, updated_at = excluded.updated_at";

const ACKNOWLEDGE: &str = "
    INSERT INTO inboxes (agent_id, acked_through)
    SELECT * FROM unnest($1::text[], $2::bigint[]) AS n (agent_id) ORDER BY n.agent_id COLLATE \"C\"
    ON CONFLICT (agent_id) DO UPDATE SET acked_through = greatest(inboxes.acked_through, excluded.acked_through)";

pub(super) async fn write<'a>(
    pipeline: &mut Pipeline<'a>,
    append: &'a Append,
) -> Result<(), Trouble> {
    let agents = &append.agents;
    if !agents.is_empty() {
        let values = vec![
            column(agents, |it| it.agent_id.as_str()),
            column(agents, |it| it.terms.stuck_threshold_s.map(i64::from)),
            column(agents, |it| it.terms.notify.stuck),
            column(agents, |it| it.terms.notify.recovered),
            column(agents, |it| it.terms.max_in_flight.map(i64::from)),
            column(agents, |it| it.terms.max_queued.map(i64::from)),
            column(agents, |it| it.created_at.0),
            column(agents, |it| it.updated_at.0),
        ];
        pipeline.execute(PUT, values).await?;
    }
    let removed = &append.agents_removed;
    if !removed.is_empty() {
        let sql = "DELETE FROM agents WHERE agent_id = ANY ($1::text[])";
        pipeline.execute(sql, vec![column(removed, |id| id.as_str())]).await?;
    }
    let acknowledged = &append.acknowledged;
    if !acknowledged.is_empty() {
        let values =
            vec![column(acknowledged, |it| it.0.as_str()), column(acknowledged, |it| it.1)];
        pipeline.execute(ACKNOWLEDGE, values).await?;
    }
    Ok(())
}
