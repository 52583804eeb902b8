//! Why a server could not start, or did not go on; each says what to do.

use std::io;
use std::net::SocketAddr;

use consign_ledger::Failure;

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
        "--database-url (CONSIGN_DATABASE_URL) is {given:?}: {why}; give a file, such as sqlite:consign.db, or a \
         database, such as postgres://user:password@host:5432/database"
    )]
    DatabaseUrl {
        /// What was given, without what may be a password.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// Neither on nor off.
    #[error("--brake (CONSIGN_BRAKE) is {0:?}; give on or off")]
    Brake(String),
    /// The ledger's file.
    #[error(transparent)]
    Sqlite(#[from] consign_store_sqlite::OpenError),
    /// The ledger's database.
    #[error(transparent)]
    Postgres(#[from] consign_store_postgres::OpenError),
    /// The ledger behind it.
    #[error("the ledger cannot be read: {0}")]
    Ledger(#[from] Failure),
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
    #[error("{part} {how}; the server stops, because it could not keep its promises without it")]
    PartEnded {
        /// Which.
        part: &'static str,
        /// How.
        how: String,
    },
}

impl ServeError {
    /// The exit code of a process that ends for this reason.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Sqlite(_)
            | Self::Postgres(_)
            | Self::Ledger(_)
            | Self::Bind { .. }
            | Self::Signals(_)
            | Self::Threads(_) => 1,
            Self::Listen { .. }
            | Self::NotLoopback(_)
            | Self::DatabaseUrl { .. }
            | Self::Brake(_) => 2,
            Self::PartEnded { .. } => 70,
        }
    }
}
