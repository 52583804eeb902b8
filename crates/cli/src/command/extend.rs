//! `consign extend`: moves a deadline, either way.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use consign_client::{Changed, Extend as Asked};

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Paper, changed};

/// The arguments of `consign extend`.
#[derive(Args)]
#[command(
    after_help = OF_ASKING,
    group = ArgGroup::new("until_when").args(["deadline", "deadline_s"]).required(true),
)]
pub(crate) struct Extend {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// The new hard end, as in RFC 3339
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,

    /// The same, from now; it may be sooner than it was
    #[arg(long, value_name = "SECONDS")]
    deadline_s: Option<u32>,

    /// The version that you looked at: refused where the delegation has changed since
    #[arg(long, value_name = "VERSION")]
    if_version: Option<u64>,

    #[command(flatten)]
    asking: Asking,
}

impl Extend {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked {
                deadline: self.deadline.clone(),
                deadline_s: self.deadline_s,
                if_version: self.if_version,
            };
            let reply = visit.heard(visit.client.extend(&self.id, &asked).await)?;
            visit.paper.answer(&reply, |it| in_words(&visit.paper, it))?;
            Ok(Exit::Done)
        })
    }
}

fn in_words(paper: &Paper, answer: &Changed) -> String {
    format!("{}, deadline {}", changed(answer), paper.moment_whole(answer.delegation.deadline))
}
