//! Heartbeats and re-armings: narrow writes to watch rows, committed and not flushed.

use std::collections::HashMap;

use consign_ledger::{BeatRow, Heard, Mark, Rearm, Time};

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
/// appending transactions do.
pub(crate) fn alive_sql() -> String {
    format!(
        "WITH moment AS MATERIALIZED (SELECT greatest($2::bigint, {WALL_MS}) AS now), heard AS MATERIALIZED (
             SELECT w.num, b.delegation_id
             FROM unnest($3::text[], $4::bigint[]) b (delegation_id, epoch)
             JOIN delegations d ON d.delegation_id = b.delegation_id
             JOIN watch w ON w.num = d.num AND w.epoch = b.epoch
             ORDER BY w.num FOR UPDATE OF w
         )
         UPDATE watch w SET alive_at = greatest(w.alive_at, moment.now)
         FROM heard, moment WHERE w.num = heard.num
         RETURNING heard.delegation_id, w.epoch, w.attempt, w.deadline"
    )
}

/// Progress counts when it differs from what was last sent; what differs within the batch does in any case.
fn advance_sql() -> String {
    format!(
        "WITH moment AS MATERIALIZED (SELECT greatest($2::bigint, {WALL_MS}) AS now), said AS MATERIALIZED (
             SELECT w.num, s.progress
             FROM unnest($3::text[], $4::bigint[], $5::text[], $6::boolean[])
                  s (delegation_id, epoch, progress, moved)
             JOIN delegations d ON d.delegation_id = s.delegation_id
             JOIN watch w ON w.num = d.num AND w.epoch = s.epoch
             LEFT JOIN progress p ON p.num = w.num
             WHERE s.moved OR p.progress IS DISTINCT FROM s.progress
         ), put AS (
             INSERT INTO progress (num, progress) SELECT num, progress FROM said
             ON CONFLICT (num) DO UPDATE SET progress = excluded.progress
         )
         UPDATE watch w SET progress_at = moment.now FROM said, moment WHERE w.num = said.num"
    )
}

/// A beat's delegation and epoch.
type Sender<'b> = (&'b str, u32);

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
    advance(&mut rest, time, beats).await?;
    if let Some(mark) = &mark {
        replicas::move_mark(&mut rest, replica_id, mark).await?;
    }
    let senders = senders(beats);
    let (given_ms, latest) = (time.given_ms(), time.latest().0);
    let ids: Vec<&str> = senders.iter().map(|sender| sender.0).collect();
    let epochs: Vec<i64> = senders.iter().map(|sender| i64::from(sender.1)).collect();
    let (begun, heard, committed) = tokio::join! {
        biased;
        connection.batch_execute(begin),
        async {
            if senders.is_empty() { return Ok(vec![]) }
            connection.query(&alive, &[&given_ms, &latest, &ids, &epochs]).await
        },
        rest.commit(),
    };
    begun?;
    let mut answers: HashMap<Sender<'_>, Heard> = HashMap::with_capacity(senders.len());
    let heard = heard?;
    committed?;
    for row in &heard {
        let epoch = u32::try_from(row.try_get::<_, i64>(1)?).unwrap_or_default();
        let attempt = u32::try_from(row.try_get::<_, i64>(2)?).unwrap_or_default();
        let heard = Heard { attempt, deadline: Time(row.try_get(3)?) };
        answers.insert((row.try_get(0)?, epoch), heard);
    }
    Ok(beats.iter().map(|beat| answers.get(&sender(beat)).copied()).collect())
}

fn sender(beat: &BeatRow) -> Sender<'_> {
    (beat.delegation_id.as_str(), beat.epoch)
}

/// Each sender once: a batch may bring several beats of one.
fn senders(beats: &[BeatRow]) -> Vec<Sender<'_>> {
    let mut senders: Vec<_> = beats.iter().map(sender).collect();
    senders.sort_unstable();
    senders.dedup();
    senders
}

/// The last progress of each sender, and whether it changed within the batch.
async fn advance<'a>(
    pipeline: &mut Pipeline<'a>,
    time: &LedgerTime,
    beats: &'a [BeatRow],
) -> Result<(), Trouble> {
    let mut said: HashMap<Sender<'a>, (&'a str, bool)> = HashMap::new();
    for beat in beats {
        let Some(progress) = &beat.progress else { continue };
        let progress = progress.as_str();
        let last = said.entry(sender(beat)).or_insert((progress, false));
        *last = (progress, last.1 || last.0 != progress);
    }
    if said.is_empty() {
        return Ok(());
    }
    let said: Vec<_> = said.into_iter().collect();
    let values: Values<'a> = vec![
        Box::new(time.given_ms()),
        Box::new(time.latest().0),
        Box::new(said.iter().map(|it| it.0.0).collect::<Vec<_>>()),
        Box::new(said.iter().map(|it| i64::from(it.0.1)).collect::<Vec<_>>()),
        Box::new(said.iter().map(|it| it.1.0).collect::<Vec<_>>()),
        Box::new(said.iter().map(|it| it.1.1).collect::<Vec<_>>()),
    ];
    pipeline.execute(&advance_sql(), values).await
}

/// Each row that still is what was looked at gets its new time.
pub(crate) async fn rearm(connection: &Connection, rearms: &[Rearm]) -> Result<u64, Trouble> {
    let sql = "WITH seen AS MATERIALIZED (
                   SELECT w.num, s.next FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
                        s (num, epoch, check_at, next)
                   JOIN watch w ON w.num = s.num AND w.epoch IS NOT DISTINCT FROM s.epoch
                        AND w.check_at IS NOT DISTINCT FROM s.check_at
                   ORDER BY w.num FOR UPDATE OF w
               )
               UPDATE watch w SET check_at = seen.next FROM seen WHERE w.num = seen.num";
    let values: Values<'_> = vec![
        column(rearms, |it| it.seen.num),
        column(rearms, |it| it.seen.epoch.map(i64::from)),
        column(rearms, |it| ms(it.seen.check_at)),
        column(rearms, |it| it.check_at.0),
    ];
    let mut pipeline = Pipeline::new(connection);
    pipeline.command(NOT_FLUSHED);
    pipeline.execute(sql, values).await?;
    Ok(pipeline.commit().await?.get(1).copied().unwrap_or_default())
}
