//! `consign demo`: a small fleet of agents against a real ledger, and every verdict within a minute.

use std::process::ExitCode;

use clap::Args;

use crate::demo::{Cast, play};
use crate::exit::Exit;
use crate::print::Paper;

/// The arguments of `consign demo`.
#[derive(Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
It starts a server on a free port and a dozen agents, each a process of its own: one is killed, one hangs, one answers
too late, one answers twice. It ends by itself, within a minute, and leaves nothing behind.

Exit codes:
   0  each agent got the verdict that it must
   1  it could not be played; the message says why
   2  a flag or a value is wrong
  20  a verdict is missing, or is another; the message names the agent
 129, 130, 143  ended by a signal: the terminal is gone, Ctrl-C, SIGTERM"
)]
pub(crate) struct Demo {
    /// The ledger to play on, as `consign serve` takes it; it must be empty, and stays. Absent: one that goes at the end
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,

    /// Print what became of each agent as one JSON document, at the end
    #[arg(long)]
    json: bool,

    #[command(subcommand)]
    cast: Option<Cast>,
}

impl Demo {
    pub(crate) fn run(self) -> ExitCode {
        if let Some(cast) = self.cast {
            return cast.run();
        }
        match play(self.database_url.as_deref(), Paper::new(self.json)) {
            Ok(exit) => exit.into(),
            Err(error) => {
                if error.exit() != Exit::Done {
                    eprintln!("consign: {error}");
                }
                error.exit().into()
            }
        }
    }
}
