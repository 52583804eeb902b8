//! Lets delegations go, each with everything that belongs to it.

use consign_ledger::Pruned;
use rusqlite::{Transaction, params};

use crate::failure::Trouble;

/// What has a delegation's number and nothing else to be found by.
const BESIDE: [&str; 7] =
    ["events", "tasks", "results", "progress", "late_results", "cascades", "watch"];

pub(super) fn write(transaction: &Transaction<'_>, pruned: &[Pruned]) -> Result<(), Trouble> {
    pruned.iter().try_for_each(|it| remove(transaction, it))
}

/// Messages and keys first: they are found by what goes after them.
fn remove(transaction: &Transaction<'_>, it: &Pruned) -> Result<(), Trouble> {
    let messages = "DELETE FROM messages WHERE agent_id = ?1 AND seq IN (SELECT seq FROM events WHERE num = ?2)";
    transaction.prepare_cached(messages)?.execute(params![it.caller_id.as_str(), it.num])?;
    let key = "DELETE FROM keys WHERE caller_id = ?1 AND num = ?2
               AND idempotency_key = (SELECT idempotency_key FROM delegations WHERE num = ?2)";
    transaction.prepare_cached(key)?.execute(params![it.caller_id.as_str(), it.num])?;
    for table in BESIDE {
        let sql = format!("DELETE FROM {table} WHERE num = ?1");
        transaction.prepare_cached(&sql)?.execute([it.num])?;
    }
    let row = "DELETE FROM delegations WHERE num = ?1 AND version = ?2 AND finished_at IS NOT NULL";
    if transaction.prepare_cached(row)?.execute(params![it.num, it.version])? != 1 {
        return Err(Trouble::Moved(it.num));
    }
    Ok(())
}
