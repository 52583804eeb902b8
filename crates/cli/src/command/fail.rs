//! `consign fail`: the callee gives up, or an operator gives up for it.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use consign_client::Fail as Asked;

use crate::asking::Asking;
use crate::exit::{Exit, OF_ASKING};
use crate::given::text;
use crate::print::answered;

/// The arguments of `consign fail`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Fail {
    /// Which delegation
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: String,

    /// Why, for the caller: text, @FILE, or - for standard input
    #[arg(long, value_name = "TEXT")]
    error_detail: String,

    /// The lease, where one was issued
    #[arg(long, env = "CONSIGN_LEASE", hide_env_values = true)]
    lease: Option<String>,

    /// Why you act in the callee's place, as an operator; then no lease is needed
    #[arg(long, value_name = "REASON")]
    r#override: Option<String>,

    #[command(flatten)]
    asking: Asking,
}

impl Fail {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            let asked = Asked {
                error_detail: Some(text("--error-detail", &self.error_detail)?),
                lease: self.lease.clone().filter(|lease| !lease.is_empty()),
                r#override: self.r#override.clone(),
            };
            let reply = visit.heard(visit.client.fail(&self.id, &asked).await)?;
            visit.paper.answer(&reply, answered)?;
            Ok(Exit::Done)
        })
    }
}
