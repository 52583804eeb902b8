//! The handle to an open ledger.

use std::convert::Infallible;
use std::sync::Arc;

use consign_delivery::Follower;
use consign_engine::{AnyStore, Engine, Opened};
use consign_ledger::command::{Command, Outcome};
use consign_sweeper::Sweeper;
use tokio::sync::{mpsc, watch};

use crate::error::Error;
use crate::keeper;
use crate::options::{OpenError, Options};

/// An open ledger, its sweeper running. A clone is another handle to the same one.
///
/// It closes when the last handle is dropped, or at once with [`Ledger::close`].
#[derive(Clone)]
pub struct Ledger {
    state: watch::Receiver<State>,
    /// An order to close; without a sender it is one, too.
    orders: mpsc::Sender<()>,
}

/// Whether there is something to ask.
pub(crate) enum State {
    Open(Arc<Core>),
    /// And why.
    Closed(Arc<str>),
}

/// What an open ledger is asked through.
pub(crate) struct Core {
    pub(crate) ledger: consign_ledger::Ledger<AnyStore>,
    pub(crate) follower: Arc<Follower<AnyStore>>,
    pub(crate) sweeper: Arc<Sweeper<AnyStore>>,
    /// Dropped with the last request that runs.
    _busy: mpsc::Sender<Infallible>,
}

impl Core {
    fn of(engine: &Engine, busy: mpsc::Sender<Infallible>) -> Self {
        Self {
            ledger: engine.ledger.clone(),
            follower: Arc::clone(&engine.follower),
            sweeper: Arc::clone(&engine.sweeper),
            _busy: busy,
        }
    }
}

impl Ledger {
    /// Opens or makes the ledger at `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`, by the default
    /// [`Options`].
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Options::default().open(url).await
    }

    pub(crate) fn start(opened: Opened) -> Self {
        let engine = opened.start();
        let (busy, idle) = mpsc::channel(1);
        let (orders, ordered) = mpsc::channel(1);
        let (tell, state) = watch::channel(State::Open(Arc::new(Core::of(&engine, busy))));
        tokio::spawn(keeper::keep(engine, idle, ordered, tell));
        Self { state, orders }
    }

    /// Closes the ledger: lets what runs finish, answers who waits, ends the sweeper, gives the file or the database
    /// back. Every later call on any handle ends with [`Error::Closed`].
    ///
    /// Without it, nothing is lost either; but this is over only when everything is closed.
    pub async fn close(&self) {
        // Where it is full, or its receiver gone, the order was given already.
        let _ = self.orders.try_send(());
        let mut state = self.state.clone();
        while state.changed().await.is_ok() {}
    }

    /// Waits until the ledger is closed, and says why: somebody closed it, or a part of it failed without which it
    /// could not keep its promises. Open it again then, or end the program.
    pub async fn closed(&self) -> String {
        let mut state = self.state.clone();
        match state.wait_for(|state| matches!(state, State::Closed(_))).await.as_deref() {
            Ok(State::Closed(why)) => why.to_string(),
            Ok(State::Open(_)) | Err(_) => "its runtime ended".to_owned(),
        }
    }

    pub(crate) fn core(&self) -> Result<Arc<Core>, Error> {
        match &*self.state.borrow() {
            State::Open(core) => Ok(Arc::clone(core)),
            State::Closed(why) => Err(Error::Closed(Arc::clone(why))),
        }
    }

    /// Does one thing.
    pub(crate) async fn act(&self, command: Command) -> Result<Outcome, Error> {
        Ok(self.core()?.ledger.act(command).await?)
    }
}
