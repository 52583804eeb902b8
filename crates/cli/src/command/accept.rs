//! `consign accept`: a callee takes a delegation and gets the lease.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Accept as Asked, Accepted};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Paper, Sheet, payload};

/// The arguments of `consign accept`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Accept {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Your name for this act: the same one again gives the same lease while it holds
    #[arg(long, value_name = "CLAIM")]
    claim_id: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

impl Accept {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked { claim_id: self.claim_id.clone() };
            let reply = visit.heard(visit.client.accept(&self.id, asked).await)?;
            visit.paper.answer(&reply, |it| sheet(&visit.paper, "accepted", it))?;
            Ok(Exit::Done)
        })
    }
}

/// What somebody took, and in which way.
pub(super) fn sheet(paper: &Paper, taken: &'static str, accepted: &Accepted) -> String {
    let it = &accepted.delegation;
    Sheet::new(paper)
        .line(taken, &it.delegation_id)
        .line("lease", &accepted.lease)
        .line("attempt", &format!("{} of {}", it.attempt, it.max_attempts))
        .line("deadline", &paper.moment_whole(it.deadline))
        .maybe("task", it.task.as_deref().map(payload))
        .print()
}
