//! Keeps a ledger running until it is to close, and closes it in the order that loses nothing.

use std::convert::Infallible;
use std::time::Duration;

use consign_engine::Engine;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::ledger::State;

/// How long requests that run may take to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// `idle` is over once no request runs any more; `orders`, where nobody is left to give one, is an order, too.
pub(crate) async fn keep(
    mut engine: Engine,
    mut idle: mpsc::Receiver<Infallible>,
    mut orders: mpsc::Receiver<()>,
    state: watch::Sender<State>,
) {
    let why = tokio::select! {
        failed = engine.first_to_end() => {
            tracing::error!(%failed, "THE LEDGER CLOSES, because it could not keep its promises without this part");
            format!("{failed}; open it again")
        }
        _ = orders.recv() => "somebody closed it; open it again".to_owned(),
    };
    engine.say_stop().await;
    state.send_replace(State::Closed(why.into()));
    if timeout(FINISH_WITHIN, idle.recv()).await.is_err() {
        tracing::warn!("requests still ran after {FINISH_WITHIN:?} and were cut off");
    }
    engine.end().await;
}
