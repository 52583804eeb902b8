//! The one appending transaction: the batch's id, what it asked, what it decided.

use std::panic::{AssertUnwindSafe, catch_unwind};

use consign_ledger::{BatchId, Decide, Questions};

use super::append;
use super::load::{self, Asked};
use crate::connect::Connection;
use crate::failure::Trouble;
use crate::time::LedgerTime;

/// How often a batch is decided anew because another writer inserted first.
const LOST_MAX: usize = 16;

pub(crate) async fn transact(
    connection: &Connection,
    time: &LedgerTime,
    batch: BatchId,
    questions: &Questions,
    decide: &mut Decide,
) -> Result<(), Trouble> {
    let mut asked = Asked::of(questions);
    for _ in 0..LOST_MAX {
        match once(connection, time, batch, &mut asked, decide).await {
            Err(Trouble::Lost) => connection.batch_execute("ROLLBACK").await?,
            ended => return ended,
        }
    }
    Err(Trouble::Contended)
}

async fn once(
    connection: &Connection,
    time: &LedgerTime,
    batch: BatchId,
    asked: &mut Asked<'_>,
    decide: &mut Decide,
) -> Result<(), Trouble> {
    let Some(locked) = load::lock(connection, batch, asked, time).await? else {
        return Ok(connection.batch_execute("ROLLBACK").await?);
    };
    let loaded = load::read(connection, asked, &locked, time).await?;
    let decided = catch_unwind(AssertUnwindSafe(|| decide(loaded)));
    let append = decided.map_err(|_| Trouble::Panicked)?;
    // A batch of refusals and replays wrote nothing, so there is nothing to recognise later.
    if append.is_empty() {
        return Ok(connection.batch_execute("ROLLBACK").await?);
    }
    append::append(connection, &append).await
}
