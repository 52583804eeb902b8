//! Reports of passes, and forgetting what is kept only for a while.

use consign_ledger::Time;
use consign_ledger::query::SweepReport;
use rusqlite::params;

use crate::failure::Trouble;
use crate::writer::{End, Flush, Pen};

/// Reports that are kept.
const REPORTS_MAX: i64 = 1000;
/// How long a batch can be recognised, in milliseconds: a day.
const BATCH_MS_MAX: i64 = 24 * 3600 * 1000;
/// How long a gap can matter, in milliseconds: as long as the farthest deadline.
const GAP_MS_MAX: i64 = 366 * 24 * 3600 * 1000;
/// Rows of each kind that one transaction forgets.
const FORGET_MAX: usize = 1000;

pub(crate) fn keep_report(pen: &mut Pen, report: &SweepReport) -> Result<(), Trouble> {
    pen.transaction(Flush::ToSystem, |transaction, _| {
        let sql = "INSERT INTO sweeps (deadline_failures, stuck_marked, errors, requeued, examined, rearmed, held,
                                       started_at, duration_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        transaction.prepare_cached(sql)?.execute(params![
            report.deadline_failures,
            report.stuck_marked,
            report.errors,
            report.requeued,
            report.examined,
            report.rearmed,
            report.held,
            report.started_at.0,
            report.duration_ms,
        ])?;
        let sql = "DELETE FROM sweeps WHERE id <= (SELECT max(id) FROM sweeps) - ?1";
        transaction.prepare_cached(sql)?.execute([REPORTS_MAX])?;
        Ok(((), End::Commit))
    })
}

/// Forgets some of what is old enough. Whether there may be more.
pub(crate) fn tidy(pen: &mut Pen, now: Time) -> Result<bool, Trouble> {
    pen.transaction(Flush::ToSystem, |transaction, _| {
        let batches = "DELETE FROM batches WHERE batch_id IN
                           (SELECT batch_id FROM batches WHERE at < ?1 ORDER BY at LIMIT ?2)";
        let batches =
            transaction.prepare_cached(batches)?.execute(params![now.0 - BATCH_MS_MAX, FORGET_MAX])?;
        let gaps = "DELETE FROM gaps WHERE id IN (SELECT id FROM gaps WHERE to_at < ?1 ORDER BY to_at LIMIT ?2)";
        let gaps = transaction.prepare_cached(gaps)?.execute(params![now.0 - GAP_MS_MAX, FORGET_MAX])?;
        Ok((batches.max(gaps) == FORGET_MAX, End::Commit))
    })
}
