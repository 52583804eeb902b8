//! Heartbeats and re-armings: narrow writes to watch rows, committed and not flushed.
//!
//! A prepared statement run row by row inside one transaction: SQLite has no round trip to save, and this
//! is faster here than one statement over a list of values.

use consign_ledger::{BeatRow, Heard, Json, Mark, Rearm, Time};
use rusqlite::{OptionalExtension, params};

use super::facts::insert_gap;
use super::rows::put_progress;
use crate::failure::Trouble;
use crate::prepared::Prepared;
use crate::writer::{End, Flush, Pen};

/// The watch row that a beat matches: only the epoch that it was sent under.
pub(crate) const MATCH: &str = "
    SELECT w.num, w.attempt, w.deadline FROM delegations d CROSS JOIN watch w ON w.num = d.num
    WHERE d.delegation_id = ?1 AND w.epoch = ?2";

/// Apart from the match: for `RETURNING`, SQLite makes and drops a table at every call.
const ALIVE: &str = "UPDATE watch SET alive_at = max(alive_at, ?1) WHERE num = ?2";

pub(crate) fn beat(
    pen: &mut Pen,
    beats: &[BeatRow],
    mark: Option<Mark>,
) -> Result<Vec<Option<Heard>>, Trouble> {
    // A gap must outlive what the beats behind it may not.
    let flush =
        if mark.is_some_and(|mark| mark.gap.is_some()) { Flush::ToDisk } else { Flush::ToSystem };
    pen.transaction(flush, |transaction, time| {
        let statements = &mut Prepared::on(transaction);
        let now = time.now();
        let heard =
            beats.iter().map(|beat| beat_one(statements, beat, now)).collect::<Result<_, _>>()?;
        if let Some(mark) = mark {
            move_mark(statements, mark)?;
        }
        Ok((heard, End::Commit))
    })
}

fn beat_one(
    statements: &mut Prepared<'_>,
    beat: &BeatRow,
    now: Time,
) -> Result<Option<Heard>, Trouble> {
    let matched = statements
        .get(MATCH)?
        .query_row(params![beat.delegation_id.as_str(), beat.epoch], |row| {
            Ok((row.get(0)?, Heard { attempt: row.get(1)?, deadline: Time(row.get(2)?) }))
        })
        .optional()?;
    let Some((num, heard)) = matched else { return Ok(None) };
    statements.get(ALIVE)?.execute([now.0, num])?;
    if let Some(progress) = &beat.progress {
        advance(statements, num, progress, now)?;
    }
    Ok(Some(heard))
}

/// Progress counts when it differs from what was last sent.
fn advance(
    statements: &mut Prepared<'_>,
    num: i64,
    progress: &Json,
    now: Time,
) -> Result<(), Trouble> {
    let sql = "SELECT progress FROM progress WHERE num = ?1";
    let before: Option<String> =
        statements.get(sql)?.query_row([num], |row| row.get(0)).optional()?;
    if before.as_deref() == Some(progress.as_str()) {
        return Ok(());
    }
    put_progress(statements, num, progress.as_str())?;
    let sql = "UPDATE watch SET progress_at = ?2 WHERE num = ?1";
    statements.get(sql)?.execute([num, now.0])?;
    Ok(())
}

fn move_mark(statements: &mut Prepared<'_>, mark: Mark) -> Result<(), Trouble> {
    if let Some(gap) = &mark.gap {
        insert_gap(statements, gap)?;
    }
    let sql = "INSERT INTO mark (id, heard_until) VALUES (1, ?1)
               ON CONFLICT (id) DO UPDATE SET heard_until = max(heard_until, excluded.heard_until)";
    statements.get(sql)?.execute([mark.heard_until.0])?;
    Ok(())
}

/// Each row that still is what was looked at gets its new time.
pub(crate) fn rearm(pen: &mut Pen, rearms: &[Rearm]) -> Result<u64, Trouble> {
    pen.transaction(Flush::ToSystem, |transaction, _| {
        let sql = "UPDATE watch SET check_at = ?1
                   WHERE num = ?2 AND epoch IS ?3 AND check_at IS ?4 AND deadline = ?5";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut rearmed = 0;
        for Rearm { seen, check_at, .. } in rearms {
            let (next, seen_at) = (check_at.map(|at| at.0), seen.check_at.map(|at| at.0));
            let values = params![next, seen.num, seen.epoch, seen_at, seen.deadline.0];
            rearmed += statement.execute(values)? as u64;
        }
        Ok((rearmed, End::Commit))
    })
}
