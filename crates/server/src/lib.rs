//! The server: its settings, its port, its signals, and HTTP over a ledger that runs.
//!
//! It decides nothing: the rules are the ledger's, the dialect is the door's, and what must run, runs in the engine.

mod database;
mod error;
mod http;
mod options;
mod port;
mod resources;
mod retention;
mod run;
mod seconds;
mod settings;
mod signals;
mod stop;

pub use consign_engine::{Database, Pruning};
pub use database::{ledger_file, migrate};
pub use error::ServeError;
pub use options::{DATABASE_URL_DEFAULT, DatabaseOptions, Options};
pub use run::serve;
pub use settings::{Brake, Settings};
