//! `consign completions`: what a shell needs to complete the command line.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Cli;
use crate::exit::Exit;

/// The arguments of `consign completions`.
#[derive(Args)]
#[command(after_help = "\
For bash:  consign completions bash > ~/.local/share/bash-completion/completions/consign
For zsh:   consign completions zsh > \"${fpath[1]}/_consign\"
For fish:  consign completions fish > ~/.config/fish/completions/consign.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> ExitCode {
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut Cli::command(), "consign", &mut script);
        match io::stdout().write_all(&script) {
            Ok(()) => Exit::Done.into(),
            Err(error) => crate::error::CliError::from(error).exit().into(),
        }
    }
}
