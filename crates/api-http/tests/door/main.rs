//! The door, asked in process over a real store, with a clock that is moved by hand.
//!
//! A new file here is also named in PostgreSQL's crate, `tests/door/main.rs`: a test of its own sees to that.

mod agents;
mod bad_input;
mod batches;
mod cast;
mod document;
mod hosts;
mod metrics;
mod pruning;
mod questions;
mod repeats;
mod store;
mod unread;
mod verbs;
mod waiting;
