//! A throw-away PostgreSQL: real, started by the tests themselves, gone when nobody uses it any more.
//!
//! One server is shared by all test processes of a machine, each test with a database of its own
//! ([`Database`]); a test that stops or breaks its server starts one for itself ([`Server`]).
//! A missing PostgreSQL is a failure that says what to install.

mod binaries;
mod cluster;
mod database;
mod everyones;
mod proxy;
mod server;

pub use database::Database;
pub use proxy::{AtCommit, Proxy};
pub use server::{Server, Stop};
