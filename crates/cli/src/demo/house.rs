//! The house: a real server on a ledger of its own, and a log that all who play there share.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::time::Duration;

use consign_client::{Client, Error as ClientError, Status};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::broken;
use super::story::Story;
use super::worker::cast;
use crate::error::CliError;

/// How long a silence may last here. Ten heartbeats, so that a busy machine is not taken for a silent agent.
pub(super) const THRESHOLD: Duration = Duration::from_secs(5);
/// How long a server may take to stop in good order.
const STOP_WITHIN: Duration = Duration::from_secs(5);
const LOG: &str = "demo.log";

/// What a story needs of the house. Clones are the same one.
#[derive(Clone)]
pub(super) struct House {
    pub(super) client: Client,
    log: PathBuf,
}

/// The server, and the folder that goes with it.
pub(super) struct Server {
    child: Child,
    pub(super) house: House,
    folder: TempDir,
}

impl Server {
    /// A server on this ledger; without one on a file that goes at the end.
    pub(super) async fn open(database_url: Option<&str>) -> Result<Self, CliError> {
        let folder = TempDir::with_prefix("consign-demo-").map_err(broken("there is no folder"))?;
        let log = folder.path().join(LOG);
        let throw_away = || format!("sqlite:{}", folder.path().join("consign.db").display());
        let database_url = database_url.map_or_else(throw_away, str::to_owned);
        let threshold_s = THRESHOLD.as_secs().to_string();
        let mut command = cast(["serve", "--listen", "127.0.0.1:0", "--log", "warn"], &log)?;
        command
            .args(["--sweeper-interval-s", "300", "--stuck-threshold-s", &threshold_s])
            .args(["--brake", "on", "--folder"])
            .arg(folder.path())
            // Not on the command line, which everybody sees: it may hold a password.
            .env("CONSIGN_DATABASE_URL", database_url);
        let (child, url) = started(command, &log).await?;
        let client = Client::new(&url).map_err(CliError::Url)?;
        Ok(Self { child, house: House { client, log }, folder })
    }

    /// Stops it in good order, and takes the folder away.
    pub(super) async fn close(mut self) {
        // Waiting lets its lifeline go.
        if timeout(STOP_WITHIN, self.child.wait()).await.is_err() {
            drop(self.child.kill().await);
        }
        drop(self.folder.close());
    }
}

/// Waits for the start line, and reads the address there.
async fn started(mut command: Command, log: &Path) -> Result<(Child, String), CliError> {
    let mut child = command.spawn().map_err(broken("the server cannot be started"))?;
    let stdout = child.stdout.take().expect("it was asked for");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await.map_err(broken("the server is not heard"))?;
    let address = line.split_whitespace().find(|word| word.starts_with("http://"));
    if let Some(address) = address {
        return Ok((child, address.to_owned()));
    }
    let status = child.wait().await.map_err(broken("the server cannot be waited for"))?;
    let told = read_to_string(log).unwrap_or_default();
    // The server reads a variable as well; the demo does not, so that it never plays on a ledger by accident.
    let why = told.trim().trim_start_matches("consign: ").replace(" (CONSIGN_DATABASE_URL)", "");
    Err(if status.code() == Some(2) { CliError::Usage(why) } else { CliError::Demo(why) })
}

impl House {
    /// How the agent of a story is started, for the `turn`-th time.
    pub(super) fn agent(&self, story: &Story, turn: u32) -> Result<Command, CliError> {
        let (url, turn) = (self.client.address().to_string(), turn.to_string());
        cast(["agent", story.name, "--turn", &turn, "--url", &url], &self.log)
    }

    /// The answer, or what a person should know.
    pub(super) fn heard<T>(&self, answer: Result<T, ClientError>) -> Result<T, CliError> {
        answer.map_err(|error| CliError::Server { error, address: self.client.address().clone() })
    }

    /// What the server and the agents complained about.
    pub(super) fn complaints(&self) -> String {
        read_to_string(&self.log).unwrap_or_default()
    }

    /// What is there already could be taken for what is played.
    pub(super) async fn must_be_empty(&self) -> Result<(), CliError> {
        let stats = self.heard(self.client.stats().await)?.value;
        match Status::ALL.iter().map(|status| stats.of(*status)).sum::<u64>() {
            0 => Ok(()),
            count => Err(CliError::Usage(format!(
                "--database-url names a ledger that is in use (delegations: {count}), and the demo plays on an empty one; \
                 name a file that is not there yet, such as sqlite:demo.db, or an empty database"
            ))),
        }
    }
}
