//! `consign retry`: hands the work out again.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Changed, Retry as Asked};

use crate::asking::{Asking, Visit};
use crate::error::CliError;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{changed, escaped};

/// The arguments of `consign retry`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Retry {
    /// Which delegation: in flight it is queued again; after its verdict a new one is made
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// A new deadline, from now
    #[arg(long, value_name = "SECONDS")]
    deadline_s: Option<u32>,

    /// Another callee
    #[arg(long, value_name = "AGENT")]
    callee: Option<String>,

    /// The attempt that you looked at; absent: the one that is current now
    #[arg(long, value_name = "ATTEMPT")]
    if_attempt: Option<u32>,

    #[command(flatten)]
    asking: Asking,
}

impl Retry {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked {
                deadline_s: self.deadline_s,
                callee_id: self.callee.clone(),
                if_attempt: Some(self.attempt(visit).await?),
            };
            let reply = visit.heard(visit.client.retry(&self.id, &asked).await)?;
            visit.paper.answer(&reply, |it| in_words(&self.id, it))?;
            Ok(Exit::Done)
        })
    }

    /// With the attempt named, an answer that was lost can be asked for again without burning another attempt.
    async fn attempt(&self, visit: &Visit) -> Result<u32, CliError> {
        if let Some(attempt) = self.if_attempt {
            return Ok(attempt);
        }
        Ok(visit.heard(visit.client.show(&self.id).await)?.value.delegation.attempt)
    }
}

fn in_words(id: &str, answer: &Changed) -> String {
    let new = answer.delegation.delegation_id != id;
    let whose = if new { format!(", a retry of {}", escaped(id)) } else { String::new() };
    let attempt = answer.delegation.attempt;
    format!("{}, attempt {attempt}{whose}", changed(answer))
}
