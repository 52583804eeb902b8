//! The store as the suite, the model and the operating system see it.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by its line")]

mod backend;
mod checks;
mod hammer;
mod model;
mod pause;

use backend::Sqlite;

consign_testkit::conforms!(sqlite, Sqlite);
