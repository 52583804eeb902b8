//! A ledger inside a program, in a file and in a database: what a reader of the guide relies on.
//!
//! Time is real here, and short: what is waited for is news.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, also what is not marked as one"
)]

mod closing;
mod place;
mod refused;
mod work;
