//! `consign explain`: what comes next for a delegation by the clock, and why.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::outlook;

/// The arguments of `consign explain`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Explain {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    #[command(flatten)]
    asking: Asking,
}

impl Explain {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.explain(&self.id).await)?;
            visit.paper.answer(&reply, |it| outlook(&visit.paper, it))?;
            Ok(Exit::Done)
        })
    }
}
