//! What every subcommand shares that asks a server: where it is, how long to try, how to print.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use consign_client::{Client, Error as ClientError};
use tokio::runtime::Builder;

use crate::error::CliError;
use crate::exit::Exit;
use crate::print::Paper;

/// Flags that are the same everywhere.
#[derive(Args)]
#[command(next_help_heading = "Server and output")]
pub(crate) struct Asking {
    /// The server's address
    #[arg(long, env = "CONSIGN_URL", value_name = "URL", default_value = URL_DEFAULT)]
    url: String,

    /// How long to go on trying where no server answers or it has no time; 0 tries once
    #[arg(long, env = "CONSIGN_RETRY_FOR_S", value_name = "SECONDS", default_value = "3")]
    retry_for_s: String,

    /// Print the answer, one JSON document
    #[arg(long)]
    json: bool,
}

const URL_DEFAULT: &str = "http://127.0.0.1:7420";
const RETRY_FOR_S_DEFAULT: u64 = 3;
const RETRY_FOR_S_MAX: u64 = 31_536_000;

/// A server that can be asked, and somewhere to print.
pub(crate) struct Visit {
    pub(crate) client: Client,
    pub(crate) paper: Paper,
}

impl Asking {
    /// Does the work; says on standard error what went wrong.
    pub(crate) fn run(&self, work: impl AsyncFnOnce(&Visit) -> Result<Exit, CliError>) -> ExitCode {
        let done = self.visit().and_then(|visit| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let done = runtime.block_on(work(&visit));
            // Where nobody reads what is printed, its thread may stand still for ever.
            runtime.shutdown_background();
            done
        });
        match done {
            Ok(exit) => exit.into(),
            Err(error) => self.tell(&error).into(),
        }
    }

    /// Where the server is if nobody says.
    pub(crate) fn unless_told(&mut self, url: String) {
        if self.url.is_empty() || self.url == URL_DEFAULT {
            self.url = url;
        }
    }

    fn visit(&self) -> Result<Visit, CliError> {
        // An empty variable is one that was not set.
        let url = if self.url.is_empty() { URL_DEFAULT } else { &self.url };
        let client = Client::new(url).map_err(CliError::Url)?;
        let client = client.retrying_for(Duration::from_secs(self.retry_for_s()?));
        Ok(Visit { client, paper: Paper::new(self.json) })
    }

    fn retry_for_s(&self) -> Result<u64, CliError> {
        let given = self.retry_for_s.as_str();
        let seconds = if given.is_empty() { Some(RETRY_FOR_S_DEFAULT) } else { given.parse().ok() };
        seconds.filter(|seconds| *seconds <= RETRY_FOR_S_MAX).ok_or_else(|| {
            CliError::Usage(format!(
                "--retry-for-s (CONSIGN_RETRY_FOR_S) is {given:?}; give whole seconds from 0 to {RETRY_FOR_S_MAX}"
            ))
        })
    }

    /// A refusal is an answer, too, and so is printed like one.
    fn tell(&self, error: &CliError) -> Exit {
        if let Some(document) = error.document().filter(|_| self.json) {
            // Where it cannot be printed, the sentence below still can.
            drop(writeln!(io::stdout(), "{document}"));
        }
        if error.exit() != Exit::Done {
            eprintln!("consign: {error}");
        }
        error.exit()
    }
}

impl Visit {
    /// The answer, or what a person should know.
    pub(crate) fn heard<T>(&self, answer: Result<T, ClientError>) -> Result<T, CliError> {
        answer.map_err(|error| CliError::Server { error, address: self.client.address().clone() })
    }
}
