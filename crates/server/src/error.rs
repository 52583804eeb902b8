//! Why a server could not start, or did not go on; each says what to do.

use std::io;
use std::net::SocketAddr;

use consign_engine::{BadUrl, OpenError, PartEnded, RETENTION_DAYS_MAX};

/// Why `serve` ended otherwise than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be understood.
    #[error(
        "--listen (CONSIGN_LISTEN) is {given:?}: {why}; give an address and a port, such as 127.0.0.1:7420"
    )]
    Listen {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// Others could reach it.
    #[error(
        "--listen (CONSIGN_LISTEN) is {0:?}, which other machines can reach, and there are no tokens yet, so \
         anyone could act as anyone; listen on 127.0.0.1 or [::1], and put a proxy that checks who asks in front"
    )]
    NotLoopback(String),
    /// The database cannot be understood.
    #[error(
        "--database-url (CONSIGN_DATABASE_URL) is {:?}: {}; give a file, such as sqlite:consign.db, or a database, \
         such as postgres://user:password@host:5432/database", .0.given, .0.why
    )]
    DatabaseUrl(BadUrl),
    /// Neither on nor off.
    #[error("--brake (CONSIGN_BRAKE) is {0:?}; give on or off")]
    Brake(String),
    /// No number of days.
    #[error(
        "{setting} is {given:?}; give whole days from 0 to {RETENTION_DAYS_MAX}, digits alone; 0 keeps for ever"
    )]
    Days {
        /// The flag and its variable.
        setting: &'static str,
        /// What was given.
        given: String,
    },
    /// Neither daily nor asked.
    #[error("--prune (CONSIGN_PRUNE) is {0:?}; give daily or asked")]
    Prune(String),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address is not to be had.
    #[error(
        "cannot listen on {address}: {why}; stop what listens there, or choose another address with --listen"
    )]
    Bind {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
    /// No thread could be started.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    /// No signal could be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
    /// A part that must outlive the server ended before it.
    #[error("{0}; the server stops, because it could not keep its promises without it")]
    PartEnded(PartEnded),
}

impl ServeError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Open(_) | Self::Bind { .. } | Self::Signals(_) | Self::Threads(_) => 1,
            Self::Listen { .. }
            | Self::NotLoopback(_)
            | Self::DatabaseUrl(_)
            | Self::Brake(_)
            | Self::Days { .. }
            | Self::Prune(_) => 2,
            Self::PartEnded(_) => 70,
        }
    }
}
