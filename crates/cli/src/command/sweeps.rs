//! `consign sweeps`: the latest passes of the sweeper.

use std::process::ExitCode;

use clap::Args;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::reports;

/// The arguments of `consign sweeps`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Sweeps {
    /// How many at most, newest first; the last 1000 are kept
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    asking: Asking,
}

impl Sweeps {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.sweeps(Some(self.limit)).await)?;
            visit.paper.answer(&reply, |it| reports(&visit.paper, &it.sweeps))?;
            Ok(Exit::Done)
        })
    }
}
