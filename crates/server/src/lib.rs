//! The server: its settings, what is wired to what, how it starts and how it stops.
//!
//! It knows every crate and decides nothing: the rules are the ledger's, the dialect is the door's.

mod clock;
mod database;
mod error;
mod http;
mod ids;
mod listen;
mod migrate;
mod options;
mod port;
mod resources;
mod run;
mod seconds;
mod settings;
mod signals;
mod stop;
mod vital;

pub use database::{Database, ledger_file};
pub use error::ServeError;
pub use migrate::migrate;
pub use options::{DATABASE_URL_DEFAULT, DatabaseOptions, Options};
pub use run::serve;
pub use settings::{Brake, Settings};
