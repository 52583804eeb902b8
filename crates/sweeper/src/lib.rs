//! When to sweep, the brake, the report. Writes only through the ledger.

use consign_ledger::query::{Outlook, SweepReport};
use consign_ledger::{DelegationId, Failure, Ledger, Reader, Store};
use tokio::sync::watch;

/// What a sweeper is told at its start.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The longest pause between two passes, in seconds.
    pub interval_s: u32,
    /// Whether mass silence holds the silence verdicts.
    pub brake: bool,
}

/// What a pass would do.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// What the report would say.
    pub report: SweepReport,
    /// Row by row, at most 1000.
    pub rows: Vec<Outlook>,
    /// Whether there are more than 1000.
    pub truncated: bool,
}

/// The sweeper of one ledger.
pub struct Sweeper<S> {
    ledger: Ledger<S>,
    settings: Settings,
}

impl<S: Store> Sweeper<S> {
    /// A sweeper that does nothing until it is run or asked.
    #[must_use]
    pub fn new(ledger: Ledger<S>, settings: Settings) -> Self {
        Self { ledger, settings }
    }

    /// Sweeps at once, then whenever something is due, until `stop` becomes true or its sender is gone.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let _ = (stop, &self.settings, &self.ledger);
    }

    /// One pass now, or the one that is running.
    pub async fn pass(&self) -> SweepReport {
        SweepReport::default()
    }

    /// What a pass would do now. Nothing is written.
    pub async fn dry_run(&self) -> Result<DryRun, Failure> {
        Ok(DryRun { report: SweepReport::default(), rows: vec![], truncated: false })
    }

    /// What would happen to one delegation if nobody said anything any more; `None` if it is unknown.
    pub async fn explain(&self, id: &DelegationId) -> Result<Option<Outlook>, Failure> {
        let reader = self.ledger.reader();
        let Some((delegation, _)) = reader.find(id).await? else { return Ok(None) };
        let listening = reader.listening(delegation.listens_from()).await?;
        let now = reader.reading().await?.now;
        let threshold_s = self.ledger.settings().stuck_threshold_s;
        Ok(Some(Outlook::of(&delegation, &listening, now, threshold_s)))
    }
}
