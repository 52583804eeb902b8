//! The one appending transaction: the batch's id, what it asked, what it decided.

use std::panic::{AssertUnwindSafe, catch_unwind};

use consign_ledger::{BatchId, Decide, Questions, Time};
use rusqlite::{Transaction, params};

use super::{append, load};
use crate::failure::Trouble;
use crate::writer::{End, Flush, Pen};

pub(crate) fn transact(
    pen: &mut Pen,
    batch: BatchId,
    questions: &Questions,
    mut decide: Decide,
) -> Result<(), Trouble> {
    pen.transaction(Flush::ToDisk, |transaction, time| {
        let now = time.now();
        if !is_new(transaction, batch, now)? {
            return Ok(((), End::RollBack));
        }
        let loaded = load::load(transaction, questions, now)?;
        let decided = catch_unwind(AssertUnwindSafe(|| decide(loaded)));
        let append = decided.map_err(|_| Trouble::Panicked)?;
        // A batch of refusals and replays wrote nothing, so there is nothing to recognise later.
        if append.is_empty() {
            return Ok(((), End::RollBack));
        }
        append::append(transaction, &append)?;
        Ok(((), End::Commit))
    })
}

/// Whether this is the batch's first run to come this far. If not, an earlier one had committed.
fn is_new(transaction: &Transaction<'_>, batch: BatchId, now: Time) -> Result<bool, Trouble> {
    let sql = "INSERT INTO batches (batch_id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(transaction.prepare_cached(sql)?.execute(params![batch.0, now.0])? == 1)
}
