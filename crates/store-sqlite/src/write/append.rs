//! Writes down what a batch decided.

use consign_ledger::delegation::status::Status;
use consign_ledger::{Append, Cascade};
use rusqlite::{Transaction, params};

use super::{agents, facts, prune, rows};
use crate::failure::Trouble;

pub(super) fn append(transaction: &Transaction<'_>, append: &Append) -> Result<(), Trouble> {
    for (caller, key) in &append.keys_freed {
        let sql = "DELETE FROM keys WHERE caller_id = ?1 AND idempotency_key = ?2";
        transaction.prepare_cached(sql)?.execute([caller.as_str(), key.as_str()])?;
    }
    let nums = rows::write(transaction, &append.rows)?;
    for (caller, key, row) in &append.keys_taken {
        let sql = "INSERT INTO keys (caller_id, idempotency_key, num) VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![
            caller.as_str(),
            key.as_str(),
            nums[*row]
        ])?;
    }
    facts::write(transaction, append, &nums)?;
    for begun in &append.cascades_begun {
        let id = append.rows[begun.row].delegation.delegation_id.as_str();
        begin_cascade(transaction, nums[begun.row], begun.through(&nums), id)?;
    }
    append.cascades_ended.iter().try_for_each(|cascade| end_cascade(transaction, cascade))?;
    agents::write(transaction, append)?;
    prune::write(transaction, &append.pruned)?;
    tally(transaction, &append.tallies)
}

/// Only where there are children: most delegations have none.
fn begin_cascade(
    transaction: &Transaction<'_>,
    num: i64,
    through: Option<i64>,
    id: &str,
) -> Result<(), Trouble> {
    let sql = "INSERT INTO cascades (num, through)
               SELECT ?1, coalesce(?3, (SELECT last FROM numbers WHERE kind = 'delegation'))
               WHERE EXISTS (SELECT 1 FROM delegations WHERE parent_id = ?2)
               ON CONFLICT (num) DO UPDATE SET through = excluded.through";
    transaction.prepare_cached(sql)?.execute(params![num, id, through])?;
    Ok(())
}

/// Unless it began again in the meantime.
fn end_cascade(transaction: &Transaction<'_>, cascade: &Cascade) -> Result<(), Trouble> {
    let sql = "DELETE FROM cascades WHERE num = ?1 AND through = ?2";
    transaction.prepare_cached(sql)?.execute([cascade.num, cascade.through])?;
    Ok(())
}

fn tally(transaction: &Transaction<'_>, tallies: &[i64; Status::ALL.len()]) -> Result<(), Trouble> {
    for status in Status::ALL.iter().filter(|status| tallies[status.index()] != 0) {
        let sql = "UPDATE tallies SET count = count + ?1 WHERE status = ?2";
        transaction
            .prepare_cached(sql)?
            .execute(params![tallies[status.index()], status.as_str()])?;
    }
    Ok(())
}
