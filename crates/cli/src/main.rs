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
mod work;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// A durable ledger of work that one AI agent entrusts to another
#[derive(Parser)]
#[command(name = "consign", version, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    Cli::parse().command.run()
}
