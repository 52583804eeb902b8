//! Who listens: each replica moves its own mark, and strikes off those that are gone.

use consign_ledger::Mark;
use consign_ledger::delegation::listening::STEP_MS_MAX;

use super::facts::write_gaps;
use super::pipeline::{Pipeline, Values};
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::migrate::LOCKS;

/// A replica whose mark is older than this is struck off, also where its connection stands.
const SILENT_MS_MAX: i64 = 15_000;

/// Registers anew who was struck off.
const MOVE: &str = "
    INSERT INTO replicas (replica_id, heard_until) VALUES ($1, $2)
    ON CONFLICT (replica_id) DO UPDATE SET heard_until = greatest(replicas.heard_until, excluded.heard_until)";

/// Strikes off whose connection is gone, which gave up its lock, and who is silent for too long; and writes down
/// since when they were not listening, unless this mark's own gap says so already.
const STRIKE: &str = "
    WITH struck AS (
        DELETE FROM replicas
        WHERE replica_id <> $1 AND (heard_until < $2 - $5::bigint OR pg_try_advisory_xact_lock($6, replica_id))
        RETURNING heard_until, heard_until < $2 - $5::bigint AS silent
    )
    INSERT INTO gaps (from_at, to_at, cause)
    SELECT heard_until, $2, CASE WHEN silent THEN 'pause' ELSE 'restart' END
    FROM struck WHERE $2 - heard_until > $4::bigint AND heard_until < coalesce($3::bigint, $2)";

/// What a connection for beats is told first: it holds the lock that shows that this replica lives. An older
/// connection of the same replica may not have been seen to be dead yet.
pub(crate) fn greeting(replica_id: i32) -> String {
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND classid = {LOCKS} AND objid = {replica_id} AND objsubid = 2
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
         SELECT pg_advisory_lock({LOCKS}, {replica_id})"
    )
}

pub(super) async fn move_mark<'a>(
    pipeline: &mut Pipeline<'a>,
    replica_id: i32,
    mark: &'a Mark,
) -> Result<(), Trouble> {
    write_gaps(pipeline, mark.gap.as_slice()).await?;
    let heard_until = mark.heard_until.0;
    pipeline.execute(MOVE, vec![Box::new(replica_id), Box::new(heard_until)]).await?;
    let values: Values<'_> = vec![
        Box::new(replica_id),
        Box::new(heard_until),
        Box::new(mark.gap.map(|gap| gap.from.0)),
        Box::new(STEP_MS_MAX),
        Box::new(SILENT_MS_MAX),
        Box::new(LOCKS),
    ];
    pipeline.execute(STRIKE, values).await
}

/// Takes this replica off the list, unless it is the last: then its mark says since when nobody listens.
pub(crate) async fn leave(connection: &Connection, replica_id: i32) -> Result<(), Trouble> {
    let sql = "DELETE FROM replicas WHERE replica_id = $1 AND EXISTS (
                   SELECT 1 FROM replicas other WHERE other.replica_id <> $1
                   AND NOT pg_try_advisory_xact_lock($2, other.replica_id))";
    let mut pipeline = Pipeline::new(connection);
    // One after the other: two that leave at once must not both count on each other.
    pipeline.command("BEGIN; LOCK TABLE replicas IN SHARE ROW EXCLUSIVE MODE");
    pipeline.execute(sql, vec![Box::new(replica_id), Box::new(LOCKS)]).await?;
    pipeline.commit().await?;
    Ok(())
}
