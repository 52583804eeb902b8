//! The real binary, over real HTTP, among real processes and real signals.
//!
//! Here time is real, too: what takes time is how long somebody is silent or away, and nothing else is waited for.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, also what is not marked as one"
)]
#![expect(clippy::disallowed_methods, reason = "these tests watch real processes by a real clock")]

mod agent;
mod brake;
mod claimers;
mod client;
mod commands;
mod crash;
mod demo;
mod examples;
mod fleet;
mod inboxes;
mod judged;
mod outage;
mod postgres;
mod pruning;
mod pty;
mod readme;
mod ready;
mod replicas;
mod restarts;
mod server;
mod settings;
mod start;
mod stop;
mod verdicts;
mod waiters;
mod work;
