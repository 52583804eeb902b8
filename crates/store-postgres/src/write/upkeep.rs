//! Reports of passes, and forgetting what is kept only for a while.

use consign_ledger::Time;
use consign_ledger::query::SweepReport;

use super::pipeline::{Pipeline, Values};
use crate::connect::Connection;
use crate::failure::Trouble;

/// Reports that are kept.
const REPORTS_MAX: i64 = 1000;
/// How long a batch can be recognised, in milliseconds: a day.
const BATCH_MS_MAX: i64 = 24 * 3600 * 1000;
/// How long a gap can matter, in milliseconds: as long as the farthest deadline.
const GAP_MS_MAX: i64 = 366 * 24 * 3600 * 1000;
/// Rows of each kind that one transaction forgets.
const FORGET_MAX: i64 = 1000;
/// Forgetting does not wait for the disk: what comes back is forgotten again.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

pub(crate) async fn keep_report(
    connection: &Connection,
    report: &SweepReport,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO sweeps (deadline_failures, stuck_marked, errors, requeued, examined, rearmed, held,
                                   started_at, duration_ms)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let counts = [
        report.deadline_failures,
        report.stuck_marked,
        report.errors,
        report.requeued,
        report.examined,
        report.rearmed,
        report.held,
        report.started_at.0.cast_unsigned(),
        report.duration_ms,
    ];
    let values: Values<'_> =
        counts.iter().map(|count| Box::new(count.cast_signed()) as _).collect();
    let mut pipeline = Pipeline::new(connection);
    pipeline.command(BEGIN);
    pipeline.execute(sql, values).await?;
    // By place and not by number: a number may be skipped.
    let sql =
        "DELETE FROM sweeps WHERE id <= (SELECT id FROM sweeps ORDER BY id DESC OFFSET $1 LIMIT 1)";
    pipeline.execute(sql, vec![Box::new(REPORTS_MAX)]).await?;
    pipeline.commit().await?;
    Ok(())
}

/// Forgets some of what is old enough. Whether there may be more.
pub(crate) async fn tidy(connection: &Connection, now: Time) -> Result<bool, Trouble> {
    let batches = "DELETE FROM batches WHERE batch_id IN (
                       SELECT batch_id FROM batches WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let gaps = "DELETE FROM gaps WHERE id IN (
                    SELECT id FROM gaps WHERE to_at < $1 ORDER BY to_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let mut pipeline = Pipeline::new(connection);
    pipeline.command(BEGIN);
    for (sql, kept_ms) in [(batches, BATCH_MS_MAX), (gaps, GAP_MS_MAX)] {
        pipeline.execute(sql, vec![Box::new(now.0 - kept_ms), Box::new(FORGET_MAX)]).await?;
    }
    let forgotten = pipeline.commit().await?;
    Ok(forgotten.into_iter().skip(1).take(2).max() == Some(FORGET_MAX.unsigned_abs()))
}
