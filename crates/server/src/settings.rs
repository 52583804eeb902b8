//! The settings in force: what was typed, judged once, before anything is touched.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use consign_engine::{Database, Pruning, Retention};

use crate::error::ServeError;
use crate::options::{BRAKE_DEFAULT, LISTEN_DEFAULT, Options};
use crate::retention;
use crate::seconds::{Ignored, SecondsSetting};

/// The longest pause between two sweeps.
pub(crate) const SWEEPER_INTERVAL: SecondsSetting =
    SecondsSetting { variable: "DELEGATION_SWEEPER_INTERVAL_S", default_s: 300 };
/// How long a silence may last.
pub(crate) const STUCK_THRESHOLD: SecondsSetting =
    SecondsSetting { variable: "DELEGATION_STUCK_THRESHOLD_S", default_s: 600 };

/// What a server runs by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A loopback address.
    pub listen: SocketAddr,
    /// Where the ledger is.
    pub database: Database,
    /// The longest pause between two sweeps.
    pub sweeper_interval_s: u32,
    /// How long a silence may last, where a delegation does not say.
    pub stuck_threshold_s: u32,
    /// What mass silence does.
    pub brake: Brake,
    /// How long what is over is kept.
    pub retention: Retention,
    /// When what was kept long enough goes.
    pub pruning: Pruning,
    /// What was typed and is not used; said once the log is open.
    pub ignored: Vec<Ignored>,
}

/// What happens when most of the fleet falls silent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// Silence verdicts are held for one threshold.
    On,
    /// Every silence counts at once.
    Off,
}

impl fmt::Display for Brake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl Options {
    /// The settings in force, or what is wrong and what to do about it.
    pub fn settle(&self) -> Result<Settings, ServeError> {
        let (sweeper_interval_s, bad_interval) = SWEEPER_INTERVAL.read(&self.sweeper_interval_s);
        let (stuck_threshold_s, bad_threshold) = STUCK_THRESHOLD.read(&self.stuck_threshold_s);
        Ok(Settings {
            listen: loopback(or_default(&self.listen, LISTEN_DEFAULT))?,
            database: self.database.settle()?,
            sweeper_interval_s,
            stuck_threshold_s,
            brake: brake(or_default(&self.brake, BRAKE_DEFAULT))?,
            retention: retention::retention(self)?,
            pruning: retention::pruning(&self.prune)?,
            ignored: bad_interval.into_iter().chain(bad_threshold).collect(),
        })
    }
}

impl Settings {
    /// What is kept how long, in a few words.
    #[must_use]
    pub fn retention_told(&self) -> String {
        retention::told(self.retention)
    }

    /// What the ledger runs by.
    pub(crate) fn of_engine(&self) -> consign_engine::Settings {
        consign_engine::Settings {
            stuck_threshold_s: self.stuck_threshold_s,
            sweeper_interval_s: self.sweeper_interval_s,
            brake: self.brake == Brake::On,
            retention: self.retention,
            pruning: self.pruning,
        }
    }
}

/// An empty variable is one that was not set.
pub(crate) fn or_default<'a>(given: &'a str, default: &'a str) -> &'a str {
    if given.is_empty() { default } else { given }
}

/// The address to bind, if nobody but this machine can reach it.
fn loopback(given: &str) -> Result<SocketAddr, ServeError> {
    let unknown =
        |why: io::Error| ServeError::Listen { given: given.to_owned(), why: why.to_string() };
    let addresses: Vec<SocketAddr> = given.to_socket_addrs().map_err(unknown)?.collect();
    if addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(ServeError::NotLoopback(given.to_owned()));
    }
    addresses.first().copied().ok_or_else(|| unknown(io::Error::other("no such address")))
}

fn brake(given: &str) -> Result<Brake, ServeError> {
    match given {
        "on" => Ok(Brake::On),
        "off" => Ok(Brake::Off),
        _ => Err(ServeError::Brake(given.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_bound() {
        for given in ["127.0.0.1:7420", "127.8.8.8:0", "[::1]:80", "localhost:7420"] {
            assert!(loopback(given).unwrap().ip().is_loopback(), "{given}");
        }
        for given in ["0.0.0.0:7420", "[::]:7420", "192.0.2.1:7420", "[::ffff:127.0.0.1]:80"] {
            assert!(matches!(loopback(given), Err(ServeError::NotLoopback(_))), "{given}");
        }
        for given in ["7420", "127.0.0.1", "127.0.0.1:70000", ":7420", "http://127.0.0.1:7420"] {
            assert!(matches!(loopback(given), Err(ServeError::Listen { .. })), "{given}");
        }
    }
}
