//! `consign dispatch`: the caller has handed the work out itself.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::changed;

/// The arguments of `consign dispatch`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Dispatch {
    /// Which delegation; nobody may claim it any more
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    #[command(flatten)]
    asking: Asking,
}

impl Dispatch {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.dispatch(&self.id).await)?;
            visit.paper.answer(&reply, changed)?;
            Ok(Exit::Done)
        })
    }
}
