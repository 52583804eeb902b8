//! What `consign` can be told to do: one subcommand per file.

mod accept;
mod agents;
mod audit;
mod backup;
mod cancel;
mod children;
mod claim;
mod complete;
mod completions;
mod delegate;
mod demo;
mod dispatch;
mod doctor;
mod events;
mod explain;
mod extend;
mod fail;
mod heartbeat;
mod inbox;
mod late_results;
mod ls;
mod man;
mod migrate;
mod prune;
mod release;
mod retry;
mod serve;
mod show;
mod stats;
mod sweep;
mod sweeps;
mod watch;

use std::process::ExitCode;

use clap::Subcommand;

use crate::work::Guard;

pub(crate) use serve::Serve;

/// In the order in which a newcomer meets them.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the ledger, its sweeper and the HTTP API
    Serve(Serve),
    /// Watch a small fleet of agents get every verdict there is, within a minute
    Demo(demo::Demo),
    /// Entrust a task to an agent
    Delegate(Box<delegate::Delegate>),
    /// List delegations, newest first
    Ls(ls::Ls),
    /// Show the whole of one delegation
    Show(show::Show),
    /// Follow one delegation live until its verdict
    Watch(watch::Watch),
    /// List what happened to a delegation
    Events(events::Events),
    /// Say what comes next for a delegation by the clock, and why
    Explain(explain::Explain),
    /// List the delegations created under one
    Children(children::Children),
    /// List the answers that came too late
    LateResults(late_results::LateResults),
    /// Take what waits for an agent, each for a lease, or run a program for each
    Claim(claim::Claim),
    /// Take a delegation, for a lease
    Accept(accept::Accept),
    /// Say that you are alive and work on it
    Heartbeat(heartbeat::Heartbeat),
    /// Give the answer
    Complete(complete::Complete),
    /// Give up
    Fail(fail::Fail),
    /// Give the work back, so that somebody else may go on
    Release(release::Release),
    /// Say that you have handed a delegation out yourself
    Dispatch(dispatch::Dispatch),
    /// Call a delegation off
    Cancel(cancel::Cancel),
    /// Hand a delegation out again
    Retry(retry::Retry),
    /// Move a deadline
    Extend(extend::Extend),
    /// List an agent's messages, wait for more, acknowledge them
    Inbox(inbox::Inbox),
    /// List the agents and how they do; show one, set its record, remove it
    Agents(Box<agents::Agents>),
    /// Count the delegations by status
    Stats(stats::Stats),
    /// Run a pass of the sweeper now
    Sweep(sweep::Sweep),
    /// List the latest passes of the sweeper
    Sweeps(sweeps::Sweeps),
    /// Remove what is over and was kept long enough, by the server's retention
    Prune(prune::Prune),
    /// Look at settings, disk, ledger, clock and server, and say what to do
    Doctor(Box<doctor::Doctor>),
    /// Ask a ledger whether all holds that must, also while its servers run
    Audit(audit::Audit),
    /// Bring the ledger's schema up to date, and end
    Migrate(migrate::Migrate),
    /// Copy a SQLite ledger to a file, also while its server runs
    Backup(backup::Backup),
    /// Print a shell's completions
    Completions(completions::Completions),
    /// Write the man pages
    Man(man::Man),
    /// End what a worker ran, once the worker is gone
    #[command(hide = true)]
    Guard(Guard),
}

impl Command {
    /// Runs it; the exit code is for scripts.
    pub(crate) fn run(self) -> ExitCode {
        match self {
            Self::Serve(it) => it.run(),
            Self::Demo(it) => it.run(),
            Self::Delegate(it) => it.run(),
            Self::Ls(it) => it.run(),
            Self::Show(it) => it.run(),
            Self::Watch(it) => it.run(),
            Self::Events(it) => it.run(),
            Self::Explain(it) => it.run(),
            Self::Children(it) => it.run(),
            Self::LateResults(it) => it.run(),
            Self::Claim(it) => it.run(),
            Self::Accept(it) => it.run(),
            Self::Heartbeat(it) => it.run(),
            Self::Complete(it) => it.run(),
            Self::Fail(it) => it.run(),
            Self::Release(it) => it.run(),
            Self::Dispatch(it) => it.run(),
            Self::Cancel(it) => it.run(),
            Self::Retry(it) => it.run(),
            Self::Extend(it) => it.run(),
            Self::Inbox(it) => it.run(),
            Self::Agents(it) => it.run(),
            Self::Stats(it) => it.run(),
            Self::Sweep(it) => it.run(),
            Self::Sweeps(it) => it.run(),
            Self::Prune(it) => it.run(),
            Self::Doctor(it) => it.run(),
            Self::Audit(it) => it.run(),
            Self::Migrate(it) => it.run(),
            Self::Backup(it) => it.run(),
            Self::Completions(it) => it.run(),
            Self::Man(it) => it.run(),
            Self::Guard(it) => it.run(),
        }
    }
}
