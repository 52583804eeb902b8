//! Events, messages, late results and gaps. Numbers are handed out here; the one writer commits in their order.

use consign_ledger::{Append, LateResult, NewEvent, Seq, Time};
use rusqlite::params;

use super::rows::{form, last_number};
use crate::failure::Trouble;
use crate::prepared::Prepared;

/// The numbers of the batch's events.
pub(super) fn seqs(statements: &mut Prepared<'_>, append: &Append) -> Result<Vec<Seq>, Trouble> {
    let count = append.events.len();
    if count == 0 {
        return Ok(vec![]);
    }
    let before = last_number(statements, "event", count)?;
    Ok((before + 1..).take(count).collect())
}

pub(super) fn write(
    statements: &mut Prepared<'_>,
    append: &Append,
    nums: &[i64],
    seqs: &[Seq],
) -> Result<(), Trouble> {
    for (event, seq) in append.events.iter().zip(seqs) {
        insert_event(statements, *seq, nums[event.row], event, append.now)?;
    }
    for message in &append.messages {
        let sql = "INSERT INTO messages (agent_id, seq) VALUES (?1, ?2)";
        statements.get(sql)?.execute(params![message.agent_id.as_str(), seqs[message.event]])?;
    }
    append
        .late
        .iter()
        .try_for_each(|late| insert_late(statements, nums[late.row], late, append.now))?;
    for gap in &append.gaps {
        insert_gap(statements, gap)?;
    }
    Ok(())
}

fn insert_event(
    statements: &mut Prepared<'_>,
    seq: i64,
    num: i64,
    event: &NewEvent,
    now: Time,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO events (seq, num, kind, attempt, at, role, actor_id, from_status, to_status, reason, data)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let data = event.change.data(event.override_reason.as_deref());
    statements.get(sql)?.execute(params![
        seq,
        num,
        event.change.kind().as_str(),
        event.attempt,
        now.0,
        event.role.as_str(),
        event.actor_id.as_ref().map(|id| id.as_str()),
        event.from.map(|from| from.as_str()),
        event.to.as_str(),
        event.change.reason(),
        data.as_ref().map(|json| json.as_str()),
    ])?;
    Ok(())
}

fn insert_late(
    statements: &mut Prepared<'_>,
    num: i64,
    late: &LateResult,
    now: Time,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO late_results (num, epoch, content, attempt, at, role, actor_id, why, status, form,
                                         result, error_detail)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    statements.get(sql)?.execute(params![
        num,
        late.epoch,
        late.content,
        late.attempt,
        now.0,
        late.role.as_str(),
        late.actor_id.as_ref().map(|id| id.as_str()),
        late.why,
        late.status.as_str(),
        late.result.as_ref().map(form),
        late.result.as_ref().map(|result| result.as_str()),
        late.error_detail,
    ])?;
    Ok(())
}

pub(super) fn insert_gap(
    statements: &mut Prepared<'_>,
    gap: &consign_ledger::delegation::listening::Gap,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO gaps (from_at, to_at, cause) VALUES (?1, ?2, ?3)";
    statements.get(sql)?.execute(params![gap.from.0, gap.to.0, gap.cause.as_str()])?;
    Ok(())
}
