//! `consign complete`: the callee's answer becomes the verdict.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};
use consign_client::Complete as Asked;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::given::text_or_json;
use crate::print::answered;

/// The arguments of `consign complete`.
#[derive(Args)]
#[command(
    after_help = OF_ASKING,
    group = ArgGroup::new("what_came_out").args(["result", "result_json"]).required(true),
)]
pub(crate) struct Complete {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// The answer: text, @FILE, or - for standard input
    #[arg(long, value_name = "TEXT")]
    result: Option<String>,

    /// The same, as JSON
    #[arg(long, value_name = "JSON")]
    result_json: Option<String>,

    /// The lease, where one was issued
    #[arg(long, env = "CONSIGN_LEASE", hide_env_values = true)]
    lease: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

impl Complete {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let (as_text, as_json) = (self.result.as_deref(), self.result_json.as_deref());
            let asked = Asked {
                result: text_or_json(["--result", "--result-json"], as_text, as_json)?,
                lease: self.lease.clone().filter(|lease| !lease.is_empty()),
            };
            let reply = visit.heard(visit.client.complete(&self.id, &asked).await)?;
            visit.paper.answer(&reply, answered)?;
            Ok(Exit::Done)
        })
    }
}
