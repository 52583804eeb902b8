//! `consign release`: the lease's holder gives the work back.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::Release as Asked;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::changed;

/// The arguments of `consign release`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Release {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// The lease that is given back
    #[arg(long, env = "CONSIGN_LEASE", hide_env_values = true)]
    lease: String,

    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

impl Release {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked { lease: Some(self.lease.clone()), reason: self.reason.clone() };
            let reply = visit.heard(visit.client.release(&self.id, &asked).await)?;
            visit.paper.answer(&reply, changed)?;
            Ok(Exit::Done)
        })
    }
}
