//! The binary `consign`: one file per subcommand, and what they share in reading, asking and printing.

mod asking;
mod command;
mod demo;
mod diagnosis;
mod error;
mod exit;
mod follow;
mod given;
mod log;
mod on_disk;
mod pages;
mod print;
mod typed;
mod work;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

const ANYWHERE: &str = "--url, --retry-for-s and --json may stand before the command, too.";

/// A durable ledger of work that one AI agent entrusts to another
#[derive(Parser)]
#[command(name = "consign", version, propagate_version = true, arg_required_else_help = true, after_help = ANYWHERE)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    typed::parsed().command.run()
}
