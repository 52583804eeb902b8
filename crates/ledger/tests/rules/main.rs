//! The rules against the tables that describe them, and against chance.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by its line")]

mod desk;
mod properties;
mod transitions;
