//! Events, messages, late results and gaps.

use consign_ledger::delegation::listening::Gap;
use consign_ledger::{Append, Payload};

use super::beside::form;
use super::pipeline::{Pipeline, column};
use crate::failure::Trouble;

/// The channel of the doorbell: whoever listens there looks at the events.
pub(crate) const BELL: &str = "consign_events";

/// Takes the numbers and writes the events with them. The row of `numbers` stays locked until the commit, and
/// PostgreSQL gives up a row lock only after the transaction can be seen: so who has seen a number is never shown a
/// smaller one later.
const EVENTS: &str = "
    WITH taken AS (UPDATE numbers SET last = last + $11 WHERE kind = 'event' RETURNING last - $11 AS before)
    INSERT INTO events (seq, num, kind, attempt, at, role, actor_id, from_status, to_status, reason, data)
    SELECT taken.before + n.place, n.num, n.kind, n.attempt, $10::bigint, n.role, n.actor_id, n.from_status,
           n.to_status, n.reason, n.data
    FROM taken,
         unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[])
         WITH ORDINALITY n (num, kind, attempt, role, actor_id, from_status, to_status, reason, data, place)";

const MESSAGES: &str = "
    INSERT INTO messages (agent_id, seq)
    SELECT n.agent_id, taken.last - $3 + 1 + n.event
    FROM numbers taken, unnest($1::text[], $2::bigint[]) n (agent_id, event) WHERE taken.kind = 'event'";

pub(super) async fn write_events<'a>(
    pipeline: &mut Pipeline<'a>,
    append: &'a Append,
    nums: &[i64],
) -> Result<(), Trouble> {
    let events = &append.events;
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let data = |at: &'a consign_ledger::NewEvent| at.change.data(at.override_reason.as_deref());
    let data: Vec<Option<String>> =
        events.iter().map(|it| data(it).map(|json| json.as_str().to_owned())).collect();
    let of: Vec<i64> = events.iter().map(|it| nums[it.row]).collect();
    let reasons: Vec<Option<String>> =
        events.iter().map(|it| it.change.reason().map(Into::into)).collect();
    let values = vec![
        Box::new(of) as _,
        column(events, |it| it.change.kind().as_str()),
        column(events, |it| i64::from(it.attempt)),
        column(events, |it| it.role.as_str()),
        column(events, |it| it.actor_id.as_ref().map(|id| id.as_str())),
        column(events, |it| it.from.map(|from| from.as_str())),
        column(events, |it| it.to.as_str()),
        Box::new(reasons) as _,
        Box::new(data) as _,
        Box::new(append.now.0) as _,
        Box::new(count) as _,
    ];
    pipeline.execute(EVENTS, values).await?;
    if !append.messages.is_empty() {
        let place = |event: usize| i64::try_from(event).unwrap_or(i64::MAX);
        let values = vec![
            column(&append.messages, |it| it.agent_id.as_str()),
            column(&append.messages, |it| place(it.event)),
            Box::new(count),
        ];
        pipeline.execute(MESSAGES, values).await?;
    }
    // In this transaction alone: in that of a heartbeat it would cost most of the throughput.
    pipeline.execute("SELECT pg_notify($1, '')", vec![Box::new(BELL)]).await
}

pub(super) async fn write_late<'a>(
    pipeline: &mut Pipeline<'a>,
    append: &'a Append,
    nums: &[i64],
) -> Result<(), Trouble> {
    let late = &append.late;
    if late.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO late_results (num, epoch, content, attempt, at, role, actor_id, why, status, form, result,
                                         error_detail)
               SELECT num, epoch, content, attempt, $12, role, actor_id, why, status, form, result, error_detail
               FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                           $8::text[], $9::text[], $10::text[], $11::text[])
               WITH ORDINALITY n (num, epoch, content, attempt, role, actor_id, why, status, form, result,
                                  error_detail, place)
               ORDER BY place";
    let of: Vec<i64> = late.iter().map(|it| nums[it.row]).collect();
    let values = vec![
        Box::new(of) as _,
        column(late, |it| it.epoch),
        column(late, |it| &it.content[..]),
        column(late, |it| i64::from(it.attempt)),
        column(late, |it| it.role.as_str()),
        column(late, |it| it.actor_id.as_ref().map(|id| id.as_str())),
        column(late, |it| it.why),
        column(late, |it| it.status.as_str()),
        column(late, |it| it.result.as_ref().map(form)),
        column(late, |it| it.result.as_ref().map(Payload::as_str)),
        column(late, |it| it.error_detail.as_deref()),
        Box::new(append.now.0) as _,
    ];
    pipeline.execute(sql, values).await
}

pub(super) async fn write_gaps<'a>(
    pipeline: &mut Pipeline<'a>,
    gaps: &'a [Gap],
) -> Result<(), Trouble> {
    if gaps.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO gaps (from_at, to_at, cause)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])";
    let values = vec![
        column(gaps, |gap| gap.from.0),
        column(gaps, |gap| gap.to.0),
        column(gaps, |gap| gap.cause.as_str()),
    ];
    pipeline.execute(sql, values).await
}
