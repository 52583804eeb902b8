//! Lets delegations go, each with everything that belongs to it. Not committed here.

use consign_ledger::Pruned;

use super::pipeline::{Pipeline, column};
use crate::connect::Connection;
use crate::failure::Trouble;

/// Messages and keys first: they are found by what goes after them.
const MESSAGES: &str = "
    DELETE FROM messages m USING unnest($1::bigint[], $2::text[]) AS p (num, agent_id), events e
    WHERE e.num = p.num AND m.agent_id = p.agent_id AND m.seq = e.seq";

const KEYS: &str = "
    DELETE FROM keys k USING delegations d
    WHERE d.num = ANY ($1::bigint[]) AND k.caller_id = d.caller_id AND k.idempotency_key = d.idempotency_key
      AND k.num = d.num";

/// What has a delegation's number and nothing else to be found by.
const BESIDE: [&str; 7] = [
    "DELETE FROM events WHERE num = ANY ($1::bigint[])",
    "DELETE FROM tasks WHERE num = ANY ($1::bigint[])",
    "DELETE FROM results WHERE num = ANY ($1::bigint[])",
    "DELETE FROM progress WHERE num = ANY ($1::bigint[])",
    "DELETE FROM late_results WHERE num = ANY ($1::bigint[])",
    "DELETE FROM cascades WHERE num = ANY ($1::bigint[])",
    "DELETE FROM watch WHERE num = ANY ($1::bigint[])",
];

const ROWS: &str = "
    DELETE FROM delegations d USING unnest($1::bigint[], $2::bigint[]) AS p (num, version)
    WHERE d.num = p.num AND d.version = p.version AND d.finished_at IS NOT NULL";

pub(super) async fn write(connection: &Connection, pruned: &[Pruned]) -> Result<(), Trouble> {
    let Some(first) = pruned.first() else { return Ok(()) };
    let nums = || column(pruned, |it: &Pruned| it.num);
    let mut pipeline = Pipeline::new(connection);
    pipeline.execute(MESSAGES, vec![nums(), column(pruned, |it| it.caller_id.as_str())]).await?;
    pipeline.execute(KEYS, vec![nums()]).await?;
    for sql in BESIDE {
        pipeline.execute(sql, vec![nums()]).await?;
    }
    let versions = column(pruned, |it| it.version.cast_signed());
    pipeline.execute(ROWS, vec![nums(), versions]).await?;
    let removed = pipeline.answers().await?.last().copied();
    if removed == Some(pruned.len() as u64) { Ok(()) } else { Err(Trouble::Moved(first.num)) }
}
