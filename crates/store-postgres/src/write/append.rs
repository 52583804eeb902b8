//! Writes down what a batch decided, and commits it.
//!
//! In two steps. First what another writer may have done before, so that nothing is sent for a loser. Then
//! everything else and COMMIT in one go: the events last, because who takes numbers holds up all other writers
//! until its commit.

use std::collections::HashMap;

use consign_ledger::Append;
use consign_ledger::delegation::status::Status;

use super::pipeline::{Pipeline, column};
use super::{agents, beside, facts, prune, rows};
use crate::connect::Connection;
use crate::failure::Trouble;

pub(super) async fn append(connection: &Connection, append: &Append) -> Result<(), Trouble> {
    prune::write(connection, &append.pruned).await?;
    let nums = claim(connection, append).await?;
    let mut pipeline = Pipeline::new(connection);
    beside::write(&mut pipeline, &append.rows, &nums).await?;
    facts::write_late(&mut pipeline, append, &nums).await?;
    facts::write_gaps(&mut pipeline, &append.gaps).await?;
    cascades(&mut pipeline, append, &nums).await?;
    agents::write(&mut pipeline, append).await?;
    facts::write_events(&mut pipeline, append, &nums).await?;
    tally(&mut pipeline, append).await?;
    pipeline.commit().await?;
    Ok(())
}

/// Writes the rows and takes the keys; the numbers of the rows, place by place.
async fn claim(connection: &Connection, append: &Append) -> Result<Vec<i64>, Trouble> {
    let new = rows::New::of(&append.rows);
    let changed = rows::Changed::of(&append.rows);
    let mut before = Pipeline::new(connection);
    free_keys(&mut before, append).await?;
    changed.write(&mut before).await?;
    let mut behind = Pipeline::new(connection);
    take_keys(&mut behind, append).await?;
    let insert = new.prepare(connection).await?;
    let (before, inserted, taken) = tokio::join! {
        biased;
        before.answers(),
        new.insert(connection, insert),
        behind.answers(),
    };
    changed.check(before?.last().copied())?;
    let inserted = inserted?;
    let taken = taken?.last().copied().unwrap_or_default();
    if inserted.len() < new.len() || taken < append.keys_taken.len() as u64 {
        return Err(Trouble::Lost);
    }
    Ok(rows::nums(&append.rows, &inserted))
}

async fn free_keys<'a>(pipeline: &mut Pipeline<'a>, append: &'a Append) -> Result<(), Trouble> {
    let freed = &append.keys_freed;
    if freed.is_empty() {
        return Ok(());
    }
    let sql =
        "DELETE FROM keys k USING unnest($1::text[], $2::text[]) f (caller_id, idempotency_key)
               WHERE k.caller_id = f.caller_id AND k.idempotency_key = f.idempotency_key";
    let values = vec![column(freed, |it| it.0.as_str()), column(freed, |it| it.1.as_str())];
    pipeline.execute(sql, values).await
}

async fn take_keys<'a>(pipeline: &mut Pipeline<'a>, append: &'a Append) -> Result<(), Trouble> {
    let taken = &append.keys_taken;
    if taken.is_empty() {
        return Ok(());
    }
    // By id: it is sent before the numbers of the rows are known here.
    let sql = "INSERT INTO keys (caller_id, idempotency_key, num)
               SELECT t.caller_id, t.idempotency_key, d.num
               FROM unnest($1::text[], $2::text[], $3::text[]) t (caller_id, idempotency_key, delegation_id)
               JOIN delegations d ON d.delegation_id = t.delegation_id
               ORDER BY t.caller_id, t.idempotency_key
               ON CONFLICT DO NOTHING";
    let values = vec![
        column(taken, |it| it.0.as_str()),
        column(taken, |it| it.1.as_str()),
        column(taken, |it| append.rows[it.2].delegation.delegation_id.as_str()),
    ];
    pipeline.execute(sql, values).await
}

async fn cascades<'a>(
    pipeline: &mut Pipeline<'a>,
    append: &'a Append,
    nums: &[i64],
) -> Result<(), Trouble> {
    if !append.cascades_begun.is_empty() {
        // Only where there are children: most delegations have none. A child that is created later has a
        // greater number: its parent's row is locked here until then.
        let sql = "INSERT INTO cascades (num, through)
                   SELECT b.num, coalesce(b.through, pg_sequence_last_value('delegation_nums'))
                   FROM unnest($1::bigint[], $2::text[], $3::bigint[]) b (num, delegation_id, through)
                   WHERE EXISTS (SELECT 1 FROM delegations c WHERE c.parent_id = b.delegation_id)
                   ON CONFLICT (num) DO UPDATE SET through = excluded.through";
        let begun = &append.cascades_begun;
        let values = vec![
            column(begun, |it| nums[it.row]),
            column(begun, |it| append.rows[it.row].delegation.delegation_id.as_str()),
            column(begun, |it| it.through(nums)),
        ];
        pipeline.execute(sql, values).await?;
    }
    if !append.cascades_ended.is_empty() {
        // Unless it began again in the meantime.
        let sql = "DELETE FROM cascades c USING unnest($1::bigint[], $2::bigint[]) e (num, through)
                   WHERE c.num = e.num AND c.through = e.through";
        let ended = &append.cascades_ended;
        pipeline
            .execute(sql, vec![column(ended, |it| it.num), column(ended, |it| it.through)])
            .await?;
    }
    Ok(())
}

/// After the numbers of the events, so that these few rows are written by one batch at a time.
async fn tally(pipeline: &mut Pipeline<'_>, append: &Append) -> Result<(), Trouble> {
    let moved: HashMap<&str, i64> = Status::ALL
        .iter()
        .map(|status| (status.as_str(), append.tallies[status.index()]))
        .filter(|(_, by)| *by != 0)
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    if append.events.is_empty() {
        // What goes has no events, and so did not wait for its turn yet.
        let turn = "SELECT 1 FROM numbers WHERE kind = 'event' FOR UPDATE";
        pipeline.execute(turn, vec![]).await?;
    }
    let sql = "UPDATE tallies t SET count = count + m.by FROM unnest($1::text[], $2::bigint[]) m (status, by)
               WHERE t.status = m.status";
    let (statuses, by): (Vec<_>, Vec<_>) = moved.into_iter().unzip();
    pipeline.execute(sql, vec![Box::new(statuses), Box::new(by)]).await
}
