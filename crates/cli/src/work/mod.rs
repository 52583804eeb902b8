//! A program becomes a callee: work is taken, the program runs for each, and its end is the answer.
//!
//! What the program does is its own business. Here is what a fleet asks of whoever runs it: a heartbeat beside it, an
//! end when the ledger says so, an answer that survives a restart, and nothing that runs on unnoticed.

mod answer;
mod beat;
mod capture;
mod exec;
mod give;
mod group;
mod guard;
mod insist;
mod journal;
mod kept;
mod process;
mod program;
mod run;
mod said;
mod source;
mod stop;
mod worker;

pub(crate) use exec::Exec;
pub(crate) use guard::Guard;
pub(crate) use source::Source;
pub(crate) use worker::work;

use consign_client::Client;

use journal::Journal;
use program::Program;
use stop::Stopping;

/// What every run of this worker shares.
struct Shop {
    client: Client,
    program: Program,
    journal: Journal,
    stop: Stopping,
    /// How many run at once.
    jobs: u32,
}
