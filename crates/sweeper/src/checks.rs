//! The check lane: a glance shows who is alive, one statement says when to look again, the rest is examined.

use consign_ledger::delegation::listening::Listening;
use consign_ledger::delegation::watch::{RowNum, Watch};
use consign_ledger::query::Lane;
use consign_ledger::{Failure, Reader, SWEEP_BATCH_MAX, Store};
use futures_util::stream;

use crate::brake::{self, Brake};
use crate::pass::{Broken, Pass};
use crate::plan::{Plan, listens_from};
use crate::walk::{PAGE_ROWS, Walk};

impl<S: Store> Pass<S> {
    pub(crate) async fn checks(&mut self) -> Result<(), Broken> {
        let mut walk = Walk::new(Lane::Check, self.now, self.behind());
        loop {
            let page = walk.next(self.ledger().reader()).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.look_at(page.iter().map(|due| due.watch).collect()).await?;
            self.deadlines_meanwhile().await;
        }
    }

    /// Once per process: what was armed under a higher default threshold is looked at now.
    pub(crate) async fn bring_forward(&mut self) -> Result<(), Broken> {
        let threshold_s = self.ledger().settings().stuck_threshold_s;
        let mut after = (!self.memory().brought_forward).then_some(RowNum::MIN);
        while let Some(num) = after {
            let reader = self.ledger().reader();
            let page = reader.armed_beyond(threshold_s, num, PAGE_ROWS).await?;
            after = page.last().filter(|_| page.len() == PAGE_ROWS).map(|last| last.num);
            self.look_at(page).await?;
            self.deadlines_meanwhile().await;
        }
        self.memory().brought_forward = true;
        Ok(())
    }

    async fn look_at(&mut self, mut page: Vec<Watch>) -> Result<(), Broken> {
        page.retain(|row| !self.skips(row.num));
        let listening = self.listening_for(&page).await?;
        let threshold_s = self.ledger().settings().stuck_threshold_s;
        let mut plan = Plan::of(&page, &listening, self.now, threshold_s);
        if plan.somebody_is_silent && !self.brake_is_settled().await {
            plan.spare_the_silent(self.now);
        }
        self.rearm(&mut plan).await?;
        let nums: Vec<RowNum> = plan.examine.iter().map(|row| row.num).collect();
        let batches: Vec<_> = nums.chunks(SWEEP_BATCH_MAX).map(|nums| Ok(nums.to_vec())).collect();
        self.examine(stream::iter(batches)).await
    }

    async fn listening_for(&self, page: &[Watch]) -> Result<Listening, Failure> {
        match listens_from(page) {
            Some(since) => self.ledger().reader().listening(since).await,
            None => Ok(Listening::default()),
        }
    }

    /// Before the first silence verdict of a pass. A brake that cannot be asked spares the silent for now.
    async fn brake_is_settled(&mut self) -> bool {
        if self.brake == Brake::NotAsked {
            let asked = brake::ask(self.ledger(), self.now).await;
            self.brake = if asked.is_ok() { Brake::Settled } else { Brake::Unknown };
            self.tally().brakes += u64::from(matches!(asked, Ok(true)));
            self.say("the brake", asked.map(drop));
        }
        self.brake == Brake::Settled
    }

    /// Re-arms the living. Where the store rejects the statement they are examined, each for itself.
    async fn rearm(&mut self, plan: &mut Plan) -> Result<(), Broken> {
        let alive = std::mem::take(&mut plan.alive);
        if alive.is_empty() {
            return Ok(());
        }
        let rows = alive.iter().map(|(row, _)| *row).collect::<Vec<_>>();
        match self.ledger().rearm(alive).await {
            Ok(rearmed) => self.tally().report.rearmed += rearmed,
            Err(Failure::Rejected(why)) => {
                tracing::warn!(%why, rows = rows.len(), "re-arming was rejected; each is examined");
                plan.examine.extend(rows);
            }
            Err(failure) => return Err(failure.into()),
        }
        Ok(())
    }
}
