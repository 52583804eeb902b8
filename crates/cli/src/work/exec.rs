//! The flags of a worker.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Args, value_parser};

use super::program::{Program, found};
use super::worker::Limits;
use crate::error::CliError;

/// What is run, and how.
#[derive(Args)]
#[command(next_help_heading = "Running a command")]
pub(crate) struct Exec {
    /// Run this program for each delegation: the task is its input, its output the result. Its arguments follow --
    #[arg(long = "exec", value_name = "PROGRAM")]
    program: Option<OsString>,

    /// Its arguments
    #[arg(last = true, requires = "program", value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,

    /// Its output is JSON, not text
    #[arg(long, requires = "program")]
    result_json: bool,

    /// Each line that it writes to this descriptor, 3 to 9, is its newest progress
    #[arg(long, requires = "program", value_name = "FD", value_parser = value_parser!(i32).range(3..=9))]
    progress_fd: Option<i32>,

    /// From one heartbeat to the next; absent: a third of the delegation's stuck threshold, 10 at most
    #[arg(long, requires = "program", value_name = "SECONDS", value_parser = seconds(1))]
    heartbeat_s: Option<u64>,

    /// When it is told to end: from SIGTERM to SIGKILL
    #[arg(long, requires = "program", value_name = "SECONDS", default_value_t = 10, value_parser = seconds(0))]
    kill_after_s: u64,

    /// How many run at once
    #[arg(long, requires = "program", value_name = "COUNT", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1000))]
    jobs: u32,

    /// End after so many
    #[arg(long, requires = "program", value_name = "COUNT", value_parser = value_parser!(u64).range(1..))]
    max_claims: Option<u64>,

    /// End after one: the same as --max-claims 1
    #[arg(long, requires = "program", conflicts_with = "max_claims")]
    once: bool,
}

fn seconds(least: u64) -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(least..=86_400)
}

impl Exec {
    /// What is to be run, if anything is.
    pub(crate) fn program(&self) -> Result<Option<Program>, CliError> {
        let Some(name) = &self.program else { return Ok(None) };
        Ok(Some(Program {
            path: found(name)?,
            arguments: self.arguments.clone(),
            result_json: self.result_json,
            progress_fd: self.progress_fd,
            heartbeat: self.heartbeat_s.map(Duration::from_secs),
            kill_after: Duration::from_secs(self.kill_after_s),
        }))
    }

    /// When it is enough; `wait` is how long to wait for work where there is none.
    pub(crate) fn limits(&self, wait: Option<Duration>) -> Limits {
        let claims_max = if self.once { Some(1) } else { self.max_claims };
        Limits { jobs: self.jobs, claims_max, wait }
    }
}
