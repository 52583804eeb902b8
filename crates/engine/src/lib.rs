//! A ledger that runs: the store that a URL names, the machine's clock and ids, and everything that must go on while a
//! ledger is open.
//!
//! Who embeds a ledger and who serves one start it here, so that there is one order of starting and one of stopping.
//! It has no settings from outside, no door and no signals, and decides nothing.

mod any_store;
mod clock;
mod database;
mod engine;
mod ids;
mod migrate;
mod open;
mod pulse;
mod vital;

pub use any_store::AnyStore;
pub use consign_ledger::delegation::retention::{RETENTION_DAYS_MAX, Retention};
pub use consign_sweeper::Pruning;
pub use database::{BadUrl, Database};
pub use engine::Engine;
pub use ids::fresh_uuid;
pub use migrate::migrate;
pub use open::{OpenError, Opened, Settings};
pub use vital::PartEnded;
