//! Lets delegations go, each with everything that belongs to it.

use consign_ledger::Pruned;
use rusqlite::{Transaction, params};

use crate::failure::Trouble;

/// What has a delegation's number and nothing else to be found by.
const BESIDE: [&str; 6] = ["tasks", "results", "progress", "late_results", "cascades", "watch"];

/// The numbers of all its events.
const SEQS: &str = "
    SELECT seq FROM events WHERE num = ?1 AND kind <> 'completed' AND kind <> 'failed' AND kind <> 'cancelled'
    UNION ALL SELECT verdict_seq FROM delegations WHERE num = ?1";

pub(super) fn write(transaction: &Transaction<'_>, pruned: &[Pruned]) -> Result<(), Trouble> {
    pruned.iter().try_for_each(|it| remove(transaction, it))
}

/// Messages and keys first: they are found by what goes after them.
fn remove(transaction: &Transaction<'_>, it: &Pruned) -> Result<(), Trouble> {
    let messages = format!("DELETE FROM messages WHERE agent_id = ?2 AND seq IN ({SEQS})");
    transaction.prepare_cached(&messages)?.execute(params![it.num, it.caller_id.as_str()])?;
    let events = format!("DELETE FROM events WHERE seq IN ({SEQS})");
    transaction.prepare_cached(&events)?.execute([it.num])?;
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
