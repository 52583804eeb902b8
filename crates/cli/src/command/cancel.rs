//! `consign cancel`: the caller calls the work off.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::Cancel as Asked;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::changed;

/// The arguments of `consign cancel`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Cancel {
    /// Which delegation; its children in flight go with it
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

impl Cancel {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked { reason: self.reason.clone() };
            let reply = visit.heard(visit.client.cancel(&self.id, &asked).await)?;
            visit.paper.answer(&reply, changed)?;
            Ok(Exit::Done)
        })
    }
}
