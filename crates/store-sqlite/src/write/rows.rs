//! Delegations and their watch rows.

use std::collections::HashMap;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::waiting::Waiting;
use consign_ledger::delegation::watch::Watch;
use consign_ledger::{NewBodies, Payload, ProgressWrite, RowWrite, Seq, Time, Was, preview};
use rusqlite::params;

use crate::failure::Trouble;
use crate::prepared::Prepared;

/// The version of a delegation to which nothing happened since its creation.
const CREATED: u64 = 1;

/// Writes the rows; their numbers, place by place. `verdicts` are the numbers of their verdicts, by place.
pub(super) fn write(
    statements: &mut Prepared<'_>,
    rows: &[RowWrite],
    verdicts: &HashMap<usize, Seq>,
) -> Result<Vec<i64>, Trouble> {
    let new = rows.iter().filter(|row| matches!(row.was, Was::New(_))).count();
    let mut next = last_number(statements, "delegation", new)?;
    let mut nums = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let delegation = &row.delegation;
        let (num, version) = match &row.was {
            Was::Known(num, version) => (*num, *version),
            Was::New(bodies) => {
                next += 1;
                insert(statements, next, delegation)?;
                insert_bodies(statements, next, bodies)?;
                (next, CREATED)
            }
        };
        match (delegation.version - version, verdicts.get(&place)) {
            (0, _) => {}
            (1, Some(verdict)) => end(statements, (num, version), delegation, *verdict)?,
            // More may have happened to a new one in the batch that made it.
            (_, verdict) => update(statements, (num, version), delegation, verdict.copied())?,
        }
        beside(statements, num, row)?;
        nums.push(num);
    }
    Ok(nums)
}

/// The last number of this kind before `count` more are handed out.
pub(super) fn last_number(
    statements: &mut Prepared<'_>,
    kind: &str,
    count: usize,
) -> Result<i64, Trouble> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "UPDATE numbers SET last = last + ?1 WHERE kind = ?2 RETURNING last - ?1";
    Ok(statements.get(sql)?.query_row(params![count, kind], |row| row.get(0))?)
}

fn ms(time: Option<Time>) -> Option<i64> {
    time.map(|time| time.0)
}

fn insert(statements: &mut Prepared<'_>, num: i64, d: &Delegation) -> Result<(), Trouble> {
    let sql = "INSERT INTO delegations (
                   num, delegation_id, caller_id, callee_id, created_at, fingerprint, parent_id, retry_of,
                   depth, idempotency_key, status, attempt, max_attempts, epoch, held, queued_at, deadline,
                   on_not_started, priority, notify_stuck, notify_recovered, cancel_children, late_count,
                   version, updated_at, last_act_kind, last_act_role, stuck_threshold_s, stuck_grace_s,
                   start_within_s, progress_within_s, stuck_reason, finished_at, dispatched)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                       ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34)";
    let terms = &d.terms;
    statements.get(sql)?.execute(params![
        num,
        d.delegation_id.as_str(),
        d.caller_id.as_str(),
        d.callee_id.as_str(),
        d.created_at.0,
        d.fingerprint,
        d.parent_id.as_ref().map(|id| id.as_str()),
        d.retry_of.as_ref().map(|id| id.as_str()),
        d.depth,
        d.idempotency_key.as_ref().map(|key| key.as_str()),
        d.status.as_str(),
        d.attempt,
        d.max_attempts,
        d.epoch,
        d.held,
        d.queued_at.0,
        d.deadline.0,
        terms.on_not_started.as_str(),
        terms.priority,
        terms.notify.stuck,
        terms.notify.recovered,
        terms.cancel_children,
        d.late_count,
        CREATED,
        d.updated_at.0,
        d.last_act.0.as_str(),
        d.last_act.1.as_str(),
        terms.stuck_threshold_s,
        terms.stuck_grace_s,
        terms.start_within_s,
        terms.progress_within_s,
        d.stuck_reason.map(|reason| reason.as_str()),
        ms(d.finished_at),
        d.dispatched,
    ])?;
    Ok(())
}

/// Writes what events change, if the row still is at the version that was loaded.
fn update(
    statements: &mut Prepared<'_>,
    (num, version): (i64, u64),
    d: &Delegation,
    verdict_seq: Option<Seq>,
) -> Result<(), Trouble> {
    let sql = "UPDATE delegations SET
                   status = ?3, attempt = ?4, max_attempts = ?5, epoch = ?6, held = ?7, claim_id = ?8,
                   error_detail = ?9, failure = ?10, stuck_reason = ?11, stuck_at = ?12, waiting = ?13,
                   queued_at = ?14, clocks_from = ?15, last_heartbeat = ?16, progress_at = ?17, deadline = ?18,
                   answer_hash = ?19, late_count = ?20, version = ?21, updated_at = ?22, finished_at = ?23,
                   last_act_kind = ?24, last_act_role = ?25, dispatched = ?26,
                   verdict_seq = coalesce(?27, verdict_seq)
               WHERE num = ?1 AND version = ?2";
    let written = statements.get(sql)?.execute(params![
        num,
        version,
        d.status.as_str(),
        d.attempt,
        d.max_attempts,
        d.epoch,
        d.held,
        d.claim_id.as_ref().map(|id| id.as_str()),
        d.error_detail,
        d.failure.map(|failure| failure.as_str()),
        d.stuck_reason.map(|reason| reason.as_str()),
        ms(d.stuck_at),
        d.waiting.as_ref().map(Waiting::stored),
        d.queued_at.0,
        ms(d.clocks_from),
        ms(d.last_heartbeat),
        ms(d.progress_at),
        d.deadline.0,
        d.answer_hash,
        d.late_count,
        d.version,
        d.updated_at.0,
        ms(d.finished_at),
        d.last_act.0.as_str(),
        d.last_act.1.as_str(),
        d.dispatched,
        verdict_seq,
    ])?;
    is_one(written, num)?;
    if d.attempt > 1 {
        // Apart, because naming an indexed column costs its index a write even where the value stays.
        let sql = "UPDATE delegations SET callee_id = ?2 WHERE num = ?1 AND callee_id <> ?2";
        statements.get(sql)?.execute(params![num, d.callee_id.as_str()])?;
    }
    Ok(())
}

/// The same where nothing but its verdict happened to it: a pass writes thousands of these, and SQLite takes its time for
/// each column that is named, changed or not.
fn end(
    statements: &mut Prepared<'_>,
    (num, version): (i64, u64),
    d: &Delegation,
    verdict: Seq,
) -> Result<(), Trouble> {
    let sql = "UPDATE delegations SET
                   status = ?3, error_detail = ?4, failure = ?5, stuck_reason = NULL, stuck_at = NULL, waiting = NULL,
                   clocks_from = ?6, last_heartbeat = ?7, progress_at = ?8, answer_hash = ?9, version = ?10,
                   updated_at = ?11, finished_at = ?11, last_act_kind = ?12, last_act_role = ?13, verdict_seq = ?14
               WHERE num = ?1 AND version = ?2";
    let written = statements.get(sql)?.execute(params![
        num,
        version,
        d.status.as_str(),
        d.error_detail,
        d.failure.map(|failure| failure.as_str()),
        ms(d.clocks_from),
        ms(d.last_heartbeat),
        ms(d.progress_at),
        d.answer_hash,
        d.version,
        d.updated_at.0,
        d.last_act.0.as_str(),
        d.last_act.1.as_str(),
        verdict,
    ])?;
    is_one(written, num)
}

/// Nobody but the one writer changes a row, so it is at the version that was loaded.
fn is_one(written: usize, num: i64) -> Result<(), Trouble> {
    if written == 1 { Ok(()) } else { Err(Trouble::Moved(num)) }
}

fn insert_bodies(
    statements: &mut Prepared<'_>,
    num: i64,
    bodies: &NewBodies,
) -> Result<(), Trouble> {
    match bodies {
        NewBodies::CopyOf(old) => {
            let sql = "INSERT INTO tasks (num, form, preview, metadata, whole)
                       SELECT ?1, form, preview, metadata, whole FROM tasks WHERE num = ?2";
            statements.get(sql)?.execute([num, *old])?;
        }
        NewBodies::Given(given) => {
            let (task, metadata) = &**given;
            let (form, short, whole) = parts(task);
            let sql = "INSERT INTO tasks (num, form, preview, metadata, whole) VALUES (?1, ?2, ?3, ?4, ?5)";
            let metadata = metadata.as_ref().map(|json| json.as_str());
            statements.get(sql)?.execute(params![num, form, short, metadata, whole])?;
        }
    }
    Ok(())
}

/// A payload's form, its preview, and the whole where that is longer.
pub(super) fn parts(payload: &Payload) -> (&'static str, &str, Option<&str>) {
    let text = payload.as_str();
    let short = preview(text);
    (form(payload), short, (short.len() < text.len()).then_some(text))
}

pub(super) fn form(payload: &Payload) -> &'static str {
    match payload {
        Payload::Text(_) => "text",
        Payload::Json(_) => "json",
    }
}

/// What stands beside the row: its result, its progress, its watch row.
fn beside(statements: &mut Prepared<'_>, num: i64, row: &RowWrite) -> Result<(), Trouble> {
    if let Some(result) = &row.result {
        let (form, short, whole) = parts(result);
        let sql = "INSERT INTO results (num, form, preview, whole) VALUES (?1, ?2, ?3, ?4)";
        statements.get(sql)?.execute(params![num, form, short, whole])?;
    }
    match &row.progress {
        ProgressWrite::Keep => {}
        ProgressWrite::Put(json) => put_progress(statements, num, json.as_str())?,
        ProgressWrite::Forget => {
            statements.get("DELETE FROM progress WHERE num = ?1")?.execute([num])?;
        }
    }
    match (&row.watch, &row.was) {
        (Some(watch), _) => put_watch(statements, num, watch),
        (None, Was::New(_)) => Ok(()),
        (None, Was::Known(..)) => {
            statements.get("DELETE FROM watch WHERE num = ?1")?.execute([num])?;
            Ok(())
        }
    }
}

pub(super) fn put_progress(
    statements: &mut Prepared<'_>,
    num: i64,
    progress: &str,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO progress (num, progress) VALUES (?1, ?2)
               ON CONFLICT (num) DO UPDATE SET progress = excluded.progress";
    statements.get(sql)?.execute(params![num, progress])?;
    Ok(())
}

fn put_watch(statements: &mut Prepared<'_>, num: i64, watch: &Watch) -> Result<(), Trouble> {
    let sql = "INSERT INTO watch (num, epoch, attempt, alive_at, progress_at, clocks_from, threshold_s,
                                  progress_within_s, check_at, deadline)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (num) DO UPDATE SET
                   epoch = excluded.epoch, attempt = excluded.attempt, alive_at = excluded.alive_at,
                   progress_at = excluded.progress_at, clocks_from = excluded.clocks_from,
                   threshold_s = excluded.threshold_s, progress_within_s = excluded.progress_within_s,
                   check_at = excluded.check_at, deadline = excluded.deadline";
    statements.get(sql)?.execute(params![
        num,
        watch.epoch,
        watch.attempt,
        ms(watch.alive_at),
        ms(watch.progress_at),
        ms(watch.clocks_from),
        watch.threshold_s,
        watch.progress_within_s,
        ms(watch.check_at),
        watch.deadline.0,
    ])?;
    Ok(())
}
