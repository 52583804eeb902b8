//! One run of the server: open, take the port, say so, serve until asked to stop.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use consign_api_http::{App, Hosts, router};
use consign_engine::{Engine, Opened, PartEnded};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::ServeError;
use crate::http::{self, Places};
use crate::port::{at_once, bind};
use crate::resources::{connections_max, raise_open_files};
use crate::settings::Settings;
use crate::signals::StopSignals;

/// Runs a server until it is asked to stop, or cannot go on.
pub async fn serve(settings: Settings) -> Result<(), ServeError> {
    for ignored in &settings.ignored {
        tracing::warn!("{ignored}");
    }
    raise_open_files();
    // Heard before anything is open: a signal during the start is a request to stop, not a crash.
    let mut signals = StopSignals::heard_from_now()?;
    let opened = Opened::at(&settings.database, settings.of_engine()).await?;
    let (listener, address) = bind(settings.listen)?;
    let mut server =
        Server::start(opened.start(), listener, address, settings.database.to_string());
    announce(&settings, address);
    server.until_asked(&mut signals).await?;
    server.stop(&mut signals).await;
    Ok(())
}

/// What runs.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) http: JoinHandle<()>,
}

impl Server {
    fn start(
        engine: Engine,
        listener: TcpListener,
        address: SocketAddr,
        ledger_shown: String,
    ) -> Self {
        let app = App {
            ledger: engine.ledger.clone(),
            sweeper: Arc::clone(&engine.sweeper),
            follower: Arc::clone(&engine.follower),
            pruner: Arc::clone(&engine.pruner),
            ledger_shown,
            hosts: Hosts::of(address),
        };
        let (places, stop) = (Places::new(connections_max()), told_to_stop(engine.stopping()));
        let http = tokio::spawn(http::serve(at_once(listener), places, router(app), stop));
        Self { engine, http }
    }

    /// Waits for a signal, or for the end of a part that should not have ended.
    async fn until_asked(&mut self, signals: &mut StopSignals) -> Result<(), ServeError> {
        tokio::select! {
            failed = self.engine.first_to_end() => Err(ServeError::PartEnded(failed)),
            ended = &mut self.http => {
                let how = format!("ended: {ended:?}");
                Err(ServeError::PartEnded(PartEnded { part: "the HTTP server", how }))
            }
            signal = signals.next() => {
                tracing::info!("{signal}: stopping");
                Ok(())
            }
        }
    }
}

async fn told_to_stop(mut stopping: watch::Receiver<bool>) {
    // A sender that is gone is a server that is gone.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// The start line. On standard output, whatever the log shows: scripts read the port from it.
fn announce(settings: &Settings, address: SocketAddr) {
    let Settings { database, sweeper_interval_s, stuck_threshold_s, brake, .. } = settings;
    let said = writeln!(
        io::stdout(),
        "consign listens on http://{address} · ledger {database} · sweeper interval {sweeper_interval_s} s · \
         stuck threshold {stuck_threshold_s} s · brake {brake} · open: no tokens, anyone on this machine is anyone",
    );
    if let Err(error) = said {
        tracing::debug!(%error, %address, "nobody reads the start line");
    }
}
