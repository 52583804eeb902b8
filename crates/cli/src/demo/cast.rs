//! The other processes of a demo, all of this very program: the server and the agents. Each ends when the demo is gone.

use std::fs::remove_dir_all;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Subcommand};
use consign_client::Client;
use rustix::process::{Signal, getpid, kill_process};
use tokio::runtime::Builder;

use super::agent::Agent;
use super::lifeline::Lifeline;
use super::story::{STORIES, Story};
use crate::command::Serve;
use crate::error::CliError;
use crate::exit::Exit;

/// Who is started. Nobody types it.
#[derive(Subcommand)]
pub(crate) enum Cast {
    /// An agent
    #[command(hide = true)]
    Agent(AsAgent),
    /// The server
    #[command(hide = true)]
    Serve(AsServer),
}

#[derive(Args)]
pub(crate) struct AsAgent {
    name: String,
    #[arg(long)]
    turn: u32,
    #[arg(long)]
    url: String,
}

#[derive(Args)]
pub(crate) struct AsServer {
    #[command(flatten)]
    serve: Serve,
    /// Taken away at the end, for a demo that cannot do so any more
    #[arg(long)]
    folder: PathBuf,
}

impl Cast {
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Agent(it) => it.run(),
            Self::Serve(it) => it.run(),
        }
    }
}

impl AsServer {
    /// `consign serve`, as anybody runs it.
    fn run(self) -> ExitCode {
        let is_let_go = Arc::new(AtomicBool::new(false));
        let lets_go = Arc::clone(&is_let_go);
        let _lifeline = Lifeline::held(move || {
            lets_go.store(true, Ordering::Relaxed);
            // A process may always send itself a signal.
            let _ = kill_process(getpid(), Signal::TERM);
        });
        let exit = self.serve.run();
        if is_let_go.load(Ordering::Relaxed) {
            drop(remove_dir_all(self.folder));
        }
        exit
    }
}

impl AsAgent {
    fn run(&self) -> ExitCode {
        match self.play() {
            Ok(()) => Exit::Done.into(),
            Err(error) => {
                eprintln!("{}: {error}", self.name);
                Exit::Broken.into()
            }
        }
    }

    fn play(&self) -> Result<(), CliError> {
        // One that is suspended cannot see that its lifeline is let go.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|why| super::broken("it could outlive the demo")(why.into()))?;
        let lifeline = Lifeline::held(|| std::process::exit(Exit::Done as i32));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let client = Client::new(&self.url).map_err(CliError::Url)?;
        let story = self.story()?;
        runtime.block_on((story.part)(Agent::new(client, story, self.turn, lifeline)))
    }

    fn story(&self) -> Result<&'static Story, CliError> {
        let known = STORIES.iter().find(|story| story.name == self.name);
        known.ok_or_else(|| CliError::Usage(format!("no story is about {:?}", self.name)))
    }
}
