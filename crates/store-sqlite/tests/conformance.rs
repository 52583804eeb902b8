//! The suite over SQLite.

mod backend;

use backend::Sqlite;

consign_testkit::conforms!(sqlite, Sqlite);
