//! A ledger with a server's life around it: started, killed, suspended, its clock moved by hand.

mod act;
mod audit;
mod check;
mod look;
mod said;

use std::collections::HashMap;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::retention::Retention;
use consign_ledger::query::SweepReport;
use consign_ledger::{
    Bodies, Clock as _, DelegationId, Desk, Failure, Ledger, Reader, Settings, Time,
};
use consign_sweeper::{DryRun, Pruner, Pruning, Sweeper};
use tokio::task::JoinHandle;

use crate::scenario::{Cut, Step, parse};
use crate::{Backend, Fault, Faults, Faulty, HandClock, SeededIds};

pub use look::Everything;
pub use said::Said;
pub(crate) use said::takes;

/// The threshold of a world that does not say otherwise, in seconds: the product's own default.
pub const THRESHOLD_S: u32 = 600;

/// The cast, the clock, and the ledger that they use.
pub struct World<B: Backend> {
    backend: B,
    clock: HandClock,
    ids: SeededIds,
    threshold_s: u32,
    server: Option<Server<B::Store>>,
    /// Delegations whose name in the script is not their id.
    names: HashMap<String, DelegationId>,
    /// The last lease that each got for each delegation.
    leases: HashMap<(String, DelegationId), String>,
}

/// A running server, as far as the ledger is concerned.
struct Server<S> {
    ledger: Ledger<Faulty<S>>,
    sweeper: Sweeper<Faulty<S>>,
    store: Faulty<S>,
    desk: JoinHandle<()>,
}

/// What a step showed.
#[derive(Clone, Debug)]
pub enum Seen {
    /// What each act was answered.
    Said(Vec<Said>),
    /// What a pass reported, and whether anything happened in it.
    Pass(SweepReport, Happened),
    /// Nothing to tell.
    Quiet,
}

/// Whether events were appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// None.
    Nothing,
    /// At least one.
    Something,
}

impl<B: Backend> World<B> {
    /// A new world with a server that has just started.
    pub async fn new() -> Self {
        let clock = HandClock::default();
        let mut world = Self {
            backend: B::fresh(clock.clone()).await,
            clock,
            ids: SeededIds::new(1),
            threshold_s: THRESHOLD_S,
            server: None,
            names: HashMap::new(),
            leases: HashMap::new(),
        };
        world.start().await;
        world.listen().await;
        world
    }

    /// Plays a script.
    pub async fn play(&mut self, script: &str) {
        let lines = parse(script).unwrap_or_else(|misread| panic!("{misread}"));
        for (nth, line) in lines.iter().enumerate() {
            let seen = self.step(&line.step).await;
            if let Err(why) = self.check(line, &seen).await {
                let story: Vec<&str> =
                    lines[..=nth].iter().map(|line| line.text.as_str()).collect();
                panic!("\n\n    {}\n\n    but {why}\n", story.join("\n    "));
            }
        }
    }

    /// Lets one thing happen.
    pub async fn step(&mut self, step: &Step) -> Seen {
        match step {
            Step::Acts(acts) => return Seen::Said(self.act(acts).await),
            Step::Sweep => return self.sweep_and_look().await,
            Step::Prune => self.prune().await,
            Step::Wait(seconds) => self.wait(*seconds).await,
            Step::Serve(seconds) => {
                for _ in 0..*seconds {
                    self.wait(1).await;
                    self.sweep().await;
                }
            }
            Step::Freeze(seconds) => self.clock.advance_ms(seconds * 1000),
            Step::Down(seconds) => {
                self.kill().await;
                self.clock.advance_ms(seconds * 1000);
                self.start().await;
            }
            Step::Restart(threshold_s) => {
                self.kill().await;
                self.threshold_s = threshold_s.unwrap_or(self.threshold_s);
                self.start().await;
            }
            Step::ClockBy(seconds) => self.clock.step_wall_ms(seconds * 1000),
            Step::Cut(cut) => self.cut(*cut),
            Step::Listen => self.listen().await,
            Step::Limit(limit) => self.limit(limit).await,
        }
        Seen::Quiet
    }

    /// A second cut changes nothing: the ledger gives up after a few in a row, as it must.
    fn cut(&self, cut: Cut) {
        let fault = match cut {
            Cut::Before => Fault::LostUnknown,
            Cut::After => Fault::CommittedUnknown,
        };
        if self.faults().pending() == 0 {
            self.faults().fail_batches([fault]);
        }
    }

    /// The server starts over the data as they are.
    pub async fn start(&mut self) {
        let store = Faulty::new(self.backend.open().await);
        self.server = Some(self.serve(store).await);
    }

    /// A second server over the same store, with its own door and its own faults.
    pub async fn second_writer(&self) -> (Ledger<Faulty<B::Store>>, Faults) {
        let store = self.running().store.beside();
        let faults = store.faults();
        let (ledger, desk) = self.open(store).await;
        tokio::spawn(desk.run());
        (ledger, faults)
    }

    async fn serve(&self, store: Faulty<B::Store>) -> Server<B::Store> {
        let (ledger, desk) = self.open(store.same()).await;
        let settings = consign_sweeper::Settings { interval_s: 300, brake: true };
        let sweeper = Sweeper::new(ledger.clone(), settings);
        Server { ledger, sweeper, store, desk: tokio::spawn(desk.run()) }
    }

    async fn open(
        &self,
        store: Faulty<B::Store>,
    ) -> (Ledger<Faulty<B::Store>>, Desk<Faulty<B::Store>>) {
        let settings = Settings { stuck_threshold_s: self.threshold_s };
        Ledger::open(store, settings, self.ids.clone()).await.expect("a sound store opens")
    }

    /// The server is gone from one moment to the next.
    pub async fn kill(&mut self) {
        let server = self.server.take().expect("only a running server can be killed");
        server.desk.abort();
        assert!(server.desk.await.is_err_and(|end| end.is_cancelled()), "the desk panicked");
    }

    /// Time passes. A server that runs listens every second.
    pub async fn wait(&self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance_ms(1000);
            self.listen().await;
        }
    }

    /// The server listens, if it runs and its store lets it.
    pub async fn listen(&self) {
        if let Some(server) = &self.server {
            // A store that fails on purpose fails here, too: then nothing was heard.
            let _heard = server.ledger.listen().await;
        }
    }

    /// One pass.
    pub async fn sweep(&self) -> SweepReport {
        self.running().sweeper.pass().await
    }

    /// The server listens, and lets everything go that is over and that no other names.
    pub async fn prune(&self) {
        self.listen().await;
        let retention = Retention { acknowledged_days: Some(0), any_days: Some(0) };
        let pruner = Pruner::new(self.ledger().clone(), retention, Pruning::Asked);
        pruner.pass().await.expect("a reader that answers");
    }

    /// What a pass would do.
    pub async fn dry_run(&self) -> Result<DryRun, Failure> {
        self.running().sweeper.dry_run().await
    }

    async fn sweep_and_look(&self) -> Seen {
        let before = self.reader().newest_seq().await.expect("a reader that answers");
        let report = self.sweep().await;
        let after = self.reader().newest_seq().await.expect("a reader that answers");
        let happened = if before == after { Happened::Nothing } else { Happened::Something };
        Seen::Pass(report, happened)
    }

    /// The ledger of the running server.
    #[must_use]
    pub fn ledger(&self) -> &Ledger<Faulty<B::Store>> {
        &self.running().ledger
    }

    /// What anyone may ask of the running server.
    #[must_use]
    pub fn reader(&self) -> &(impl Reader + use<B>) {
        self.ledger().reader()
    }

    /// What makes the running server's store fail.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.running().store.faults()
    }

    fn running(&self) -> &Server<B::Store> {
        self.server.as_ref().expect("the server runs")
    }

    /// Where the data live.
    #[must_use]
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &HandClock {
        &self.clock
    }

    /// What the clock on the wall says.
    #[must_use]
    pub fn wall(&self) -> Time {
        Time(self.clock.wall_ms())
    }

    /// The id behind a name in the script.
    #[must_use]
    pub fn id(&self, name: &str) -> DelegationId {
        let known = self.names.get(name).cloned();
        known.unwrap_or_else(|| DelegationId::new(name).expect("a name is an id"))
    }

    /// The delegation with this name, if there is one.
    pub async fn find(&self, name: &str) -> Option<(Delegation, Bodies)> {
        self.reader().find(&self.id(name)).await.expect("a reader that answers")
    }

    /// The delegation with this name.
    pub async fn see(&self, name: &str) -> Delegation {
        self.find(name).await.unwrap_or_else(|| panic!("there is no {name}")).0
    }

    /// The last lease that somebody got for a delegation.
    #[must_use]
    pub fn lease(&self, who: &str, name: &str) -> String {
        let lease = self.leases.get(&(who.to_owned(), self.id(name)));
        lease.unwrap_or_else(|| panic!("{who} never got a lease for {name}")).clone()
    }
}
