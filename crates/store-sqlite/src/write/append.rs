//! Writes down what a batch decided.

use std::collections::HashMap;

use consign_ledger::delegation::status::Status;
use consign_ledger::{Append, Cascade, Seq};
use rusqlite::{Transaction, params};

use super::{agents, facts, prune, rows};
use crate::failure::Trouble;
use crate::prepared::Prepared;

pub(super) fn append(transaction: &Transaction<'_>, append: &Append) -> Result<(), Trouble> {
    let statements = &mut Prepared::on(transaction);
    for (caller, key) in &append.keys_freed {
        let sql = "DELETE FROM keys WHERE caller_id = ?1 AND idempotency_key = ?2";
        statements.get(sql)?.execute([caller.as_str(), key.as_str()])?;
    }
    let seqs = facts::seqs(statements, append)?;
    let nums = rows::write(statements, &append.rows, &verdict_seqs(append, &seqs))?;
    for (caller, key, row) in &append.keys_taken {
        let sql = "INSERT INTO keys (caller_id, idempotency_key, num) VALUES (?1, ?2, ?3)";
        statements.get(sql)?.execute(params![caller.as_str(), key.as_str(), nums[*row]])?;
    }
    facts::write(statements, append, &nums, &seqs)?;
    for begun in &append.cascades_begun {
        let id = append.rows[begun.row].delegation.delegation_id.as_str();
        begin_cascade(statements, nums[begun.row], begun.through(&nums), id)?;
    }
    append.cascades_ended.iter().try_for_each(|cascade| end_cascade(statements, cascade))?;
    agents::write(statements, append)?;
    prune::write(transaction, &append.pruned)?;
    tally(statements, append)
}

/// The number of the verdict of each row that this batch ends, by the row's place.
fn verdict_seqs(append: &Append, seqs: &[Seq]) -> HashMap<usize, Seq> {
    let numbered = append.events.iter().zip(seqs);
    let verdicts = numbered.filter(|(event, _)| event.change.kind().is_verdict());
    verdicts.map(|(event, seq)| (event.row, *seq)).collect()
}

/// Only where there are children: most delegations have none.
fn begin_cascade(
    statements: &mut Prepared<'_>,
    num: i64,
    through: Option<i64>,
    id: &str,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO cascades (num, through)
               SELECT ?1, coalesce(?3, (SELECT last FROM numbers WHERE kind = 'delegation'))
               WHERE EXISTS (SELECT 1 FROM delegations WHERE parent_id = ?2)
               ON CONFLICT (num) DO UPDATE SET through = excluded.through";
    statements.get(sql)?.execute(params![num, id, through])?;
    Ok(())
}

/// Unless it began again in the meantime.
fn end_cascade(statements: &mut Prepared<'_>, cascade: &Cascade) -> Result<(), Trouble> {
    let sql = "DELETE FROM cascades WHERE num = ?1 AND through = ?2";
    statements.get(sql)?.execute([cascade.num, cascade.through])?;
    Ok(())
}

fn tally(statements: &mut Prepared<'_>, append: &Append) -> Result<(), Trouble> {
    for (status, change) in changes(&append.tallies) {
        let sql = "UPDATE tallies SET count = count + ?1 WHERE status = ?2";
        statements.get(sql)?.execute(params![change, status])?;
    }
    for (callee_id, tallies) in &append.callee_tallies {
        for (status, change) in changes(tallies) {
            tally_callee(statements, callee_id.as_str(), status, change)?;
        }
    }
    Ok(())
}

/// Who has nothing of a status is not counted.
fn tally_callee(
    statements: &mut Prepared<'_>,
    callee_id: &str,
    status: &str,
    change: i64,
) -> Result<(), Trouble> {
    let values = params![callee_id, status, change];
    if change > 0 {
        let more = "INSERT INTO callee_tallies (callee_id, status, count) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET count = count + excluded.count";
        statements.get(more)?.execute(values)?;
        return Ok(());
    }
    let less = "UPDATE callee_tallies SET count = count + ?3
                WHERE callee_id = ?1 AND status = ?2 AND count <> -?3";
    if statements.get(less)?.execute(values)? == 0 {
        let forget = "DELETE FROM callee_tallies WHERE callee_id = ?1 AND status = ?2";
        statements.get(forget)?.execute([callee_id, status])?;
    }
    Ok(())
}

fn changes(tallies: &[i64; Status::ALL.len()]) -> impl Iterator<Item = (&'static str, i64)> {
    let all = Status::ALL.iter().map(|status| (status.as_str(), tallies[status.index()]));
    all.filter(|(_, change)| *change != 0)
}
