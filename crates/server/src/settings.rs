//! The settings in force: what was typed, judged once, before anything is touched.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use crate::error::ServeError;
use crate::options::{BRAKE_DEFAULT, DATABASE_URL_DEFAULT, LISTEN_DEFAULT, Options};
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
    /// The ledger's file.
    pub ledger: PathBuf,
    /// The longest pause between two sweeps.
    pub sweeper_interval_s: u32,
    /// How long a silence may last, where a delegation does not say.
    pub stuck_threshold_s: u32,
    /// What mass silence does.
    pub brake: Brake,
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
            ledger: ledger_file(&self.database_url)?,
            sweeper_interval_s,
            stuck_threshold_s,
            brake: brake(or_default(&self.brake, BRAKE_DEFAULT))?,
            ignored: bad_interval.into_iter().chain(bad_threshold).collect(),
        })
    }
}

/// An empty variable is one that was not set.
fn or_default<'a>(given: &'a str, default: &'a str) -> &'a str {
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

/// The file that a database URL names; an empty one names the default. Absolute, so that it can be told where it is.
pub fn ledger_file(url: &str) -> Result<PathBuf, ServeError> {
    file_of(or_default(url, DATABASE_URL_DEFAULT))
}

fn file_of(url: &str) -> Result<PathBuf, ServeError> {
    let wrong = |why| Err(ServeError::DatabaseUrl { given: scheme_of(url), why });
    let Some(path) = url.strip_prefix("sqlite:") else {
        return match scheme_of(url).as_str() {
            "postgres:" | "postgresql:" => wrong("PostgreSQL is not supported yet"),
            _ => wrong("only sqlite: is known"),
        };
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" => wrong("it names no file"),
        ":memory:" => wrong("a ledger in memory would forget what it acknowledged"),
        _ if path.contains('?') => wrong("it takes no parameters"),
        _ => std::path::absolute(Path::new(path)).or_else(|_| wrong("it is no path")),
    }
}

/// As much of a URL as may be repeated: what follows may be a password.
fn scheme_of(url: &str) -> String {
    match url.split_once(':') {
        Some(("sqlite", _)) | None => url.to_owned(),
        Some((scheme, _)) => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_a_file() {
        let here = std::env::current_dir().unwrap();
        for (url, path) in [
            ("sqlite:consign.db", here.join("consign.db")),
            ("sqlite:data/a b.db", here.join("data/a b.db")),
            ("sqlite:/var/lib/consign.db", "/var/lib/consign.db".into()),
            ("sqlite:///var/lib/consign.db", "/var/lib/consign.db".into()),
        ] {
            assert_eq!(file_of(url).unwrap(), path, "{url}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused_with_what_to_do() {
        for (url, why) in [
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "would forget"),
            ("sqlite:a.db?mode=rwc", "takes no parameters"),
            ("postgres://u:secret@h/db", "not supported yet"),
            ("postgresql://u:secret@h/db", "not supported yet"),
            ("mysql://u:secret@h/db", "only sqlite"),
            ("consign.db", "only sqlite"),
        ] {
            let refusal = file_of(url).unwrap_err().to_string();
            assert!(refusal.contains(why), "{url}: {refusal}");
            assert!(refusal.contains("sqlite:consign.db"), "{url}: {refusal}");
            assert!(!refusal.contains("secret"), "{url}: {refusal}");
        }
    }

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
