//! `consign show`: the whole of one delegation.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::sheet_of;

/// The arguments of `consign show`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Show {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,
    #[command(flatten)]
    asking: Asking,
}

impl Show {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let reply = visit.heard(visit.client.show(&self.id).await)?;
            visit.paper.answer(&reply, |it| sheet_of(&visit.paper, &it.delegation))?;
            Ok(Exit::Done)
        })
    }
}
