//! For whoever looks after a ledger: lists, histories, the sweeper.

use consign_ledger::Reader as _;
use consign_ledger::query::{
    Entry, EventPage, EventQuery, Filter, Late, Outlook, PAGE_MAX, Page, Stats, SweepReport,
};
use consign_ledger::{Refusal, Seq};
use consign_sweeper::DryRun;

use crate::caller::named;
use crate::error::Error;
use crate::ledger::Ledger;

/// Items in one page, where the filter does not say.
const PAGE_ITEMS_DEFAULT: usize = 100;

impl Ledger {
    /// One page of delegations, newest first; a limit of 0 is a hundred, and a thousand is the most. [`Page::next`] is
    /// the `before` of the next page.
    pub async fn list(&self, filter: Filter) -> Result<Page<Entry>, Error> {
        let limit = match filter.limit {
            0 => PAGE_ITEMS_DEFAULT,
            limit @ 1..=PAGE_MAX => limit,
            _ => return Err(Error::invalid("limit", format!("must be at most {PAGE_MAX}"))),
        };
        Ok(self.core()?.ledger.reader().list(Filter { limit, ..filter }).await?)
    }

    /// What happened to a delegation behind the event `after`, in order, up to a thousand events.
    pub async fn events(&self, id: impl AsRef<str>, after: Seq) -> Result<EventPage, Error> {
        let delegation_id = Some(named(id)?);
        let query = EventQuery { delegation_id, after, limit: PAGE_MAX };
        Ok(self.core()?.ledger.reader().events(query).await?)
    }

    /// What comes next by the clock, when, and why; the silence counted so far.
    pub async fn explain(&self, id: impl AsRef<str>) -> Result<Outlook, Error> {
        let id = named(id)?;
        let outlook = self.core()?.sweeper.explain(&id).await?;
        outlook.ok_or_else(|| Refusal::NotFound(id.to_string()).into())
    }

    /// The answers that came too late.
    pub async fn late_results(&self, id: impl AsRef<str>) -> Result<Vec<Late>, Error> {
        Ok(self.core()?.ledger.reader().late_results(&named(id)?).await?)
    }

    /// How many delegations have each status.
    pub async fn stats(&self) -> Result<Stats, Error> {
        Ok(self.core()?.ledger.reader().stats().await?)
    }

    /// A pass of the sweeper now, or the one that is running. It runs by itself, too.
    pub async fn sweep(&self) -> Result<SweepReport, Error> {
        Ok(self.core()?.sweeper.pass().await)
    }

    /// What a pass would do now. Nothing changes.
    pub async fn dry_run(&self) -> Result<DryRun, Error> {
        Ok(self.core()?.sweeper.dry_run().await?)
    }
}
