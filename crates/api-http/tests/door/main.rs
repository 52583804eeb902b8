//! The door, asked in process over a real store, with a clock that is moved by hand.

mod bad_input;
mod batches;
mod cast;
mod document;
mod hosts;
mod questions;
mod repeats;
mod unread;
mod verbs;
mod waiting;
