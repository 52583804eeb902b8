//! `consign claim`: a callee takes what waits for it, and gets the leases; or a program is run for each.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::{Accepted, Claim as Asked, Claims};

use crate::asking::{Asking, Visit};
use crate::error::CliError;
use crate::exit::{Exit, OF_CLAIMING};
use crate::print::{Column, Paper, Table, payload};
use crate::work::{Exec, Source, work};

use super::accept;

const COLUMNS: &[Column] = &[
    Column::Whole("DELEGATION"),
    Column::Whole("LEASE"),
    Column::Whole("ATTEMPT"),
    Column::Whole("DEADLINE"),
    Column::Cut("TASK"),
];

/// The arguments of `consign claim`.
#[derive(Args)]
#[command(after_help = OF_CLAIMING)]
#[expect(clippy::struct_field_names, reason = "the wire's name, and so the flag's")]
pub(crate) struct Claim {
    /// Whose work
    #[arg(value_parser = NonEmptyStringValueParser::new(), required_unless_present = "named")]
    agent: Option<String>,

    /// The same
    #[arg(
        long = "agent",
        id = "named",
        value_name = "AGENT",
        value_parser = NonEmptyStringValueParser::new(),
        conflicts_with = "agent"
    )]
    named: Option<String>,

    /// How many delegations at most, 1 to 100
    #[arg(long, value_name = "COUNT", default_value_t = 1, conflicts_with = "program")]
    max: u32,

    /// How long to wait while there is nothing: absent, not at all, and 60 at most; with --exec absent for ever
    #[arg(long, value_name = "SECONDS")]
    wait_s: Option<u32>,

    /// Your name for this act: the same one again gives what is still held under it
    #[arg(long, value_name = "CLAIM", conflicts_with = "program")]
    claim_id: Option<String>,

    #[command(flatten)]
    exec: Exec,

    #[command(flatten)]
    asking: Asking,
}

impl Claim {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let agent = self.agent.as_ref().or(self.named.as_ref());
            let agent = agent.expect("one of them is required").as_str();
            match self.exec.program()? {
                None => self.once(visit, agent).await,
                Some(program) => {
                    let wait = self.wait_s.map(|seconds| Duration::from_secs(seconds.into()));
                    let source = Source::of(agent, &visit.client);
                    work(visit, program, source, self.exec.limits(wait)).await
                }
            }
        })
    }

    async fn once(&self, visit: &Visit, agent: &str) -> Result<Exit, CliError> {
        let asked = Asked {
            max: Some(self.max),
            wait_s: Some(self.wait_s.unwrap_or(0)),
            claim_id: self.claim_id.clone(),
        };
        let reply = visit.heard(visit.client.claim(agent, asked).await)?;
        visit.paper.answer(&reply, |it| in_words(&visit.paper, it))?;
        Ok(if reply.value.claims.is_empty() { Exit::Nothing } else { Exit::Done })
    }
}

/// One is shown as `consign accept` shows it.
fn in_words(paper: &Paper, Claims { claims }: &Claims) -> String {
    if let [one] = &claims[..] {
        return accept::sheet(paper, "claimed", one);
    }
    let mut table = Table::new(paper, COLUMNS);
    for Accepted { delegation: it, lease } in claims {
        table.row([
            it.delegation_id.clone(),
            lease.clone(),
            format!("{}/{}", it.attempt, it.max_attempts),
            paper.moment(it.deadline),
            it.task.as_deref().map_or_else(|| it.task_preview.clone(), payload),
        ]);
    }
    table.print("nothing to do")
}
