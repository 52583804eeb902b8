//! A walk through one lane, by (time, number), so that no row is met twice.

use consign_ledger::delegation::watch::RowNum;
use consign_ledger::query::{Due, Lane};
use consign_ledger::{Failure, Reader, Time};
use futures_util::{Stream, stream};

/// Most rows that a walk reads at once.
pub(crate) const PAGE_ROWS: usize = 1000;

/// A place in a lane.
pub(crate) struct Walk {
    lane: Lane,
    now: Time,
    limit: usize,
    after: Option<(Time, RowNum)>,
    ended: bool,
}

impl Walk {
    /// Through all that is due at `now` behind a place. What becomes due meanwhile is for another walk.
    pub(crate) fn new(lane: Lane, now: Time, after: Option<(Time, RowNum)>) -> Self {
        Self { lane, now, limit: PAGE_ROWS, after, ended: false }
    }

    /// In pages of so many rows.
    pub(crate) fn by(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Page by page, to the end.
    pub(crate) fn pages(
        self,
        reader: &impl Reader,
    ) -> impl Stream<Item = Result<Vec<Due>, Failure>> {
        stream::try_unfold(self, async |mut walk| {
            let page = walk.next(reader).await?;
            Ok((!page.is_empty()).then_some((page, walk)))
        })
    }

    /// The next page; empty at the end.
    pub(crate) async fn next(&mut self, reader: &impl Reader) -> Result<Vec<Due>, Failure> {
        if self.ended {
            return Ok(vec![]);
        }
        let page = reader.due(self.lane, self.now, self.after, self.limit).await?;
        self.ended = page.len() < self.limit;
        self.after = page.last().map(|due| (due.at, due.watch.num)).or(self.after);
        Ok(page)
    }
}
