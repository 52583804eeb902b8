//! One run of the server: open, wire, say so, serve until asked to stop.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use consign_api_http::{App, Hosts, router};
use consign_delivery::Follower;
use consign_ledger::{Desk, Ledger, Store};
use consign_store_postgres::{PostgresStore, Wall};
use consign_store_sqlite::SqliteStore;
use consign_sweeper::Sweeper;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SystemClock;
use crate::database::Database;
use crate::error::ServeError;
use crate::http;
use crate::ids::Uuids;
use crate::listen::keep_listening;
use crate::port::{at_once, bind};
use crate::resources::raise_open_files;
use crate::settings::{Brake, Settings};
use crate::signals::StopSignals;
use crate::vital::VitalParts;

/// Runs a server until it is asked to stop, or cannot go on.
pub async fn serve(settings: Settings) -> Result<(), ServeError> {
    for ignored in &settings.ignored {
        tracing::warn!("{ignored}");
    }
    raise_open_files();
    // Heard before anything is open: a signal during the start is a request to stop, not a crash.
    let mut signals = StopSignals::heard_from_now()?;
    match &settings.database {
        Database::Sqlite(path) => {
            let store = SqliteStore::open(path, SystemClock)?;
            serve_over(store, &settings, &mut signals).await
        }
        Database::Postgres { url, .. } => {
            // The machine's clock tells the time since boot alone: all replicas share the server's on the wall.
            let store = PostgresStore::open(url, SystemClock, Wall::Server).await?;
            serve_over(store, &settings, &mut signals).await
        }
    }
}

async fn serve_over<S: Store>(
    store: S,
    settings: &Settings,
    signals: &mut StopSignals,
) -> Result<(), ServeError> {
    let rules = consign_ledger::Settings { stuck_threshold_s: settings.stuck_threshold_s };
    let (ledger, desk) = Ledger::open(store, rules, Uuids(SystemClock)).await?;
    let (listener, address) = bind(settings.listen)?;
    let mut server = Server::start(ledger, desk, (listener, address), settings);
    announce(settings, address);
    server.until_asked(signals).await?;
    server.stop(signals).await;
    Ok(())
}

/// What runs.
pub(crate) struct Server<S> {
    pub(crate) ledger: Ledger<S>,
    pub(crate) parts: VitalParts,
    pub(crate) http: JoinHandle<()>,
    /// Tells every part that the server stops.
    pub(crate) stop: watch::Sender<bool>,
}

impl<S: Store> Server<S> {
    fn start(
        ledger: Ledger<S>,
        desk: Desk<S>,
        (listener, address): (TcpListener, SocketAddr),
        settings: &Settings,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let follower = Arc::new(Follower::new(ledger.clone()));
        let sweeper = Arc::new(Sweeper::new(ledger.clone(), sweeping(settings)));
        let mut parts = VitalParts::default();
        parts.start("the ledger's desk", desk.run());
        parts.start("the ledger's pulse", keep_listening(ledger.clone(), stopping.clone()));
        let (following, stop_following) = (Arc::clone(&follower), stopping.clone());
        parts.start("the follower", async move { following.run(stop_following).await });
        let (passing, stop_passing) = (Arc::clone(&sweeper), stopping.clone());
        parts.start("the sweeper", async move { passing.run(stop_passing).await });
        let hosts = Hosts::of(address);
        let router = router(App { ledger: ledger.clone(), sweeper, follower, hosts });
        let http = http::serve(at_once(listener), router, told_to_stop(stopping));
        Self { ledger, parts, http: tokio::spawn(http), stop }
    }

    /// Waits for a signal, or for the end of a part that should not have ended.
    async fn until_asked(&mut self, signals: &mut StopSignals) -> Result<(), ServeError> {
        tokio::select! {
            failed = self.parts.first_to_end() => Err(failed),
            ended = &mut self.http => {
                Err(ServeError::PartEnded { part: "the HTTP server", how: format!("ended: {ended:?}") })
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

fn sweeping(settings: &Settings) -> consign_sweeper::Settings {
    let brake = settings.brake == Brake::On;
    consign_sweeper::Settings { interval_s: settings.sweeper_interval_s, brake }
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
