//! What may be typed: flags first, then the environment. Nothing is judged here.

use std::ffi::OsString;

use clap::Args;

/// The options of `consign serve`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Address to listen on: loopback only, until there are tokens. Port 0 takes any free port
    #[arg(long, env = "CONSIGN_LISTEN", value_name = "HOST:PORT", default_value = LISTEN_DEFAULT)]
    pub(crate) listen: String,

    #[command(flatten)]
    pub(crate) database: DatabaseOptions,

    /// Longest pause between two sweeps, 1 to 31536000; the sweeper also wakes when something is due
    #[arg(
        long,
        env = "DELEGATION_SWEEPER_INTERVAL_S",
        value_name = "SECONDS",
        default_value = SWEEPER_INTERVAL_S_DEFAULT,
        allow_hyphen_values = true
    )]
    pub(crate) sweeper_interval_s: OsString,

    /// How long a silence may last before the delegation is stuck, 1 to 31536000
    #[arg(
        long,
        env = "DELEGATION_STUCK_THRESHOLD_S",
        value_name = "SECONDS",
        default_value = STUCK_THRESHOLD_S_DEFAULT,
        allow_hyphen_values = true
    )]
    pub(crate) stuck_threshold_s: OsString,

    /// Whether silence is held back for one threshold when most of the fleet falls silent together
    #[arg(long, env = "CONSIGN_BRAKE", value_name = "on|off", default_value = BRAKE_DEFAULT)]
    pub(crate) brake: String,

    /// How long a verdict is kept once its caller has acknowledged it, 0 to 3660; 0 keeps it for ever
    #[arg(
        long,
        env = "CONSIGN_RETENTION_ACKNOWLEDGED_DAYS",
        value_name = "DAYS",
        default_value = ACKNOWLEDGED_DAYS_DEFAULT,
        allow_hyphen_values = true
    )]
    pub(crate) retention_acknowledged_days: OsString,

    /// How long any verdict is kept, 0 to 3660; 0 keeps it for ever
    #[arg(
        long,
        env = "CONSIGN_RETENTION_DAYS",
        value_name = "DAYS",
        default_value = RETENTION_DAYS_DEFAULT,
        allow_hyphen_values = true
    )]
    pub(crate) retention_days: OsString,

    /// When what was kept long enough goes: once a day, or only by `consign prune`
    #[arg(long, env = "CONSIGN_PRUNE", value_name = "daily|asked", default_value = PRUNE_DEFAULT)]
    pub(crate) prune: OsString,
}

/// Where the ledger is, for every subcommand that opens it by itself.
#[derive(Args, Clone, Debug)]
pub struct DatabaseOptions {
    #[arg(
        long,
        help = "Where the ledger is: sqlite:PATH, made if it does not exist, or postgres://USER:PASSWORD@HOST/DATABASE",
        env = "CONSIGN_DATABASE_URL",
        // A database's address may hold its password.
        hide_env_values = true,
        value_name = "URL",
        default_value = DATABASE_URL_DEFAULT
    )]
    pub(crate) database_url: String,
}

pub(crate) const LISTEN_DEFAULT: &str = "127.0.0.1:7420";
/// The ledger of who names none.
pub const DATABASE_URL_DEFAULT: &str = "sqlite:consign.db";
pub(crate) const BRAKE_DEFAULT: &str = "on";
pub(crate) const ACKNOWLEDGED_DAYS_DEFAULT: &str = "30";
pub(crate) const RETENTION_DAYS_DEFAULT: &str = "180";
pub(crate) const PRUNE_DEFAULT: &str = "daily";
const SWEEPER_INTERVAL_S_DEFAULT: &str = "300";
const STUCK_THRESHOLD_S_DEFAULT: &str = "600";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{STUCK_THRESHOLD, SWEEPER_INTERVAL};

    #[test]
    fn help_shows_the_defaults_that_are_in_force() {
        assert_eq!(SWEEPER_INTERVAL.default_s.to_string(), SWEEPER_INTERVAL_S_DEFAULT);
        assert_eq!(STUCK_THRESHOLD.default_s.to_string(), STUCK_THRESHOLD_S_DEFAULT);
    }
}
