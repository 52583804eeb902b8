//! `consign man`: the man pages, one for each subcommand.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};

use crate::Cli;
use crate::error::CliError;
use crate::exit::Exit;

/// The arguments of `consign man`.
#[derive(Args)]
#[command(after_help = "For one user:  consign man ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// The folder to write them to; it is made if it does not exist
    dir: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> ExitCode {
        match write(&self.dir) {
            Ok(()) => Exit::Done.into(),
            Err(why) => {
                let error = CliError::Unwritable { path: self.dir, why };
                eprintln!("consign: {error}");
                error.exit().into()
            }
        }
    }
}

fn write(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)
}
