//! Heartbeats and re-armings: narrow writes to watch rows, committed and not flushed.

use std::collections::HashMap;

use consign_ledger::delegation::lease::Epoch;
use consign_ledger::{BeatRow, Heard, Json, Mark, Rearm, Time};
use tokio_postgres::Row;

use super::pipeline::{Pipeline, Values, column};
use super::replicas;
use super::rows::ms;
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::time::{LedgerTime, WALL_MS};

/// What does not wait for the disk, says so in its transaction.
const NOT_FLUSHED: &str = "BEGIN; SET LOCAL synchronous_commit = off";
const FLUSHED: &str = "BEGIN";

/// Each watch row that was sent under its epoch is alive now. Locked in the order of their numbers, as the
/// appending transactions do. Progress counts when it differs from what was last sent; what differs within the
/// batch does in any case. One update for both, since each leaves a version on its page.
pub(crate) fn alive_sql() -> String {
    format!(
        "WITH moment AS MATERIALIZED (SELECT greatest($2::bigint, {WALL_MS}) AS now), heard AS MATERIALIZED (
             SELECT w.num, b.delegation_id, b.progress,
                    CASE WHEN b.progress IS NULL THEN false
                         ELSE b.moved OR b.progress IS DISTINCT FROM
                              (SELECT p.progress FROM progress p WHERE p.num = w.num) END AS advanced
             FROM unnest($3::text[], $4::bigint[], $5::text[], $6::boolean[])
                  b (delegation_id, epoch, progress, moved)
             JOIN delegations d ON d.delegation_id = b.delegation_id
             JOIN watch w ON w.num = d.num AND w.epoch = b.epoch
             ORDER BY w.num FOR UPDATE OF w
         ), put AS (
             INSERT INTO progress (num, progress) SELECT num, progress FROM heard WHERE advanced
             ON CONFLICT (num) DO UPDATE SET progress = excluded.progress
         )
         UPDATE watch w SET alive_at = greatest(w.alive_at, moment.now),
                            progress_at = CASE WHEN advanced THEN moment.now ELSE w.progress_at END
         FROM heard, moment WHERE w.num = heard.num
         RETURNING heard.delegation_id, w.epoch, w.attempt, w.deadline"
    )
}

/// A beat's delegation and epoch.
type Sender<'b> = (&'b str, Epoch);

/// What one sender said last, and whether it changed within the batch.
type Said<'b> = (Option<&'b str>, bool);

pub(crate) async fn beat(
    connection: &Connection,
    time: &LedgerTime,
    replica_id: i32,
    beats: &[BeatRow],
    mark: Option<Mark>,
) -> Result<Vec<Option<Heard>>, Trouble> {
    // A gap must outlive what the beats behind it may not.
    let begin = if mark.is_some_and(|mark| mark.gap.is_some()) { FLUSHED } else { NOT_FLUSHED };
    let alive = connection.prepare_cached(&alive_sql()).await?;
    let mut rest = Pipeline::new(connection);
    if let Some(mark) = &mark {
        replicas::move_mark(&mut rest, replica_id, mark).await?;
    }
    let senders: Vec<(Sender<'_>, Said<'_>)> = senders(beats).into_iter().collect();
    let values: Values<'_> = vec![
        Box::new(time.given_ms()),
        Box::new(time.latest().0),
        column(&senders, |it| it.0.0),
        column(&senders, |it| it.0.1),
        column(&senders, |it| it.1.0),
        column(&senders, |it| it.1.1),
    ];
    let values: Vec<_> = values.iter().map(|value| &**value as _).collect();
    let (open, heard, committed) = tokio::join! {
        biased;
        connection.batch_execute(begin),
        async {
            if senders.is_empty() { return Ok(vec![]) }
            connection.query(&alive, &values).await
        },
        rest.commit(),
    };
    open?;
    let rows = heard?;
    committed?;
    let heard = answers(&rows)?;
    Ok(beats.iter().map(|beat| heard.get(&sender(beat)).copied()).collect())
}

fn sender(beat: &BeatRow) -> Sender<'_> {
    (beat.delegation_id.as_str(), beat.epoch)
}

/// Each sender once: a batch may bring several beats of one.
fn senders(beats: &[BeatRow]) -> HashMap<Sender<'_>, Said<'_>> {
    let mut senders: HashMap<Sender<'_>, Said<'_>> = HashMap::with_capacity(beats.len());
    for beat in beats {
        let said = senders.entry(sender(beat)).or_default();
        if let Some(progress) = beat.progress.as_ref().map(Json::as_str) {
            let moved = said.1 || said.0.is_some_and(|before| before != progress);
            *said = (Some(progress), moved);
        }
    }
    senders
}

fn answers(rows: &[Row]) -> Result<HashMap<Sender<'_>, Heard>, Trouble> {
    let mut answers = HashMap::with_capacity(rows.len());
    for row in rows {
        let attempt = u32::try_from(row.try_get::<_, i64>(2)?).unwrap_or_default();
        let heard = Heard { attempt, deadline: Time(row.try_get(3)?) };
        answers.insert((row.try_get(0)?, row.try_get(1)?), heard);
    }
    Ok(answers)
}

/// Each row that still is what was looked at gets its new time.
pub(super) const REARM: &str = "
    WITH seen AS MATERIALIZED (
        SELECT w.num, s.next FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
             s (num, epoch, check_at, deadline, next)
        JOIN watch w ON w.num = s.num AND w.epoch IS NOT DISTINCT FROM s.epoch
             AND w.check_at IS NOT DISTINCT FROM s.check_at AND w.deadline = s.deadline
        ORDER BY w.num FOR UPDATE OF w
    )
    UPDATE watch w SET check_at = seen.next FROM seen WHERE w.num = seen.num";

pub(crate) async fn rearm(connection: &Connection, rearms: &[Rearm]) -> Result<u64, Trouble> {
    let values: Values<'_> = vec![
        column(rearms, |it| it.seen.num),
        column(rearms, |it| it.seen.epoch),
        column(rearms, |it| ms(it.seen.check_at)),
        column(rearms, |it| it.seen.deadline.0),
        column(rearms, |it| ms(it.check_at)),
    ];
    let mut pipeline = Pipeline::new(connection);
    pipeline.command(NOT_FLUSHED);
    pipeline.execute(REARM, values).await?;
    Ok(pipeline.commit().await?.get(1).copied().unwrap_or_default())
}
