//! What a person is told who starts with a database that cannot be used: one sentence, with what to do.

use std::io;

use tokio_postgres::error::SqlState;

use crate::connect::Connector;
use crate::failure::{Trouble, said};

/// Why a ledger could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is no address of a database.
    #[error(
        "the database URL cannot be used: {why}; it looks like postgres://user:password@host:5432/database"
    )]
    BadUrl {
        /// What is wrong with it.
        why: String,
    },
    /// The certificates cannot be read.
    #[error("TLS to the database cannot be set up: {0}")]
    Certificates(io::Error),
    /// The two do not agree about TLS.
    #[error("TLS to PostgreSQL at {place} failed: {why}; check sslmode and sslrootcert in the URL")]
    Tls {
        /// Host and port.
        place: String,
        /// What the driver said.
        why: String,
    },
    /// Nobody answers there, or not in time.
    #[error(
        "PostgreSQL at {place} cannot be reached: {why}; check that it runs and that the URL's host and port are right"
    )]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system or the driver said.
        why: String,
    },
    /// It does not let this user in.
    #[error(
        "PostgreSQL at {place} refuses user {user}: {why}; check the user and password in the URL"
    )]
    Denied {
        /// Host and port.
        place: String,
        /// The URL's user.
        user: String,
        /// What the server said.
        why: String,
    },
    /// There is no such database.
    #[error(
        "PostgreSQL at {place} has no database {database:?}; make it with: createdb {database}"
    )]
    NoDatabase {
        /// Host and port.
        place: String,
        /// The URL's database.
        database: String,
    },
    /// The server is too old.
    #[error("PostgreSQL at {place} is version {found}, and consign needs 14 or newer")]
    ServerTooOld {
        /// Host and port.
        place: String,
        /// Its version.
        found: String,
    },
    /// It can only be read.
    #[error(
        "PostgreSQL at {place} can only be read; name the primary in the URL, or all hosts, separated by commas"
    )]
    ReadOnly {
        /// Host and port.
        place: String,
    },
    /// What answers hands each transaction to another session.
    #[error(
        "at {place} answers a pooler in transaction mode (such as PgBouncer with pool_mode = transaction), and consign needs sessions; connect to PostgreSQL itself, or set pool_mode = session"
    )]
    Pooler {
        /// Host and port.
        place: String,
    },
    /// It cannot hold every text.
    #[error(
        "database {database:?} is encoded in {encoding}, and a ledger needs UTF8; make one with: createdb \
         --encoding=UTF8 --template=template0 {database}"
    )]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        encoding: String,
    },
    /// Its settings cannot be made safe.
    #[error(
        "PostgreSQL at {place} has {setting} = {value}, and consign could not set it to {wanted}"
    )]
    Unsafe {
        /// Host and port.
        place: String,
        /// Which setting.
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// It was made by a later version.
    #[error(
        "database {database:?} has schema version {found}, and this program understands up to {known}; use a newer consign"
    )]
    TooNew {
        /// The database.
        database: String,
        /// Its schema version.
        found: i32,
        /// The newest that is known here.
        known: usize,
    },
    /// It was made by an earlier version.
    #[error(
        "database {database:?} has schema version {found}, and this program looks at version {known}; bring it up to date with consign migrate, or use the consign that serves it"
    )]
    TooOld {
        /// The database.
        database: String,
        /// Its schema version.
        found: usize,
        /// The one that is known here.
        known: usize,
    },
    /// There is none.
    #[error(
        "database {database:?} has no ledger in it; name the database of one, or make one with consign migrate"
    )]
    NoLedger {
        /// The database.
        database: String,
    },
    /// Something of the same name is there already.
    #[error(
        "database {database:?} is not a Consign ledger, and has something of its own in the way: {why}; give consign a database of its own"
    )]
    NotALedger {
        /// The database.
        database: String,
        /// What the server said.
        why: String,
    },
    /// This user may not make tables.
    #[error(
        "user {user} may not make the ledger's tables in database {database:?}: {why}; grant it CREATE on the schema, or let the owner run consign migrate and grant it the tables and sequences, as docs/postgres.md shows"
    )]
    MayNotMigrate {
        /// The URL's user.
        user: String,
        /// The database.
        database: String,
        /// What the server said.
        why: String,
    },
    /// Another process has been migrating for too long.
    #[error(
        "database {database:?} is being migrated by another process; wait until it is done, then start again"
    )]
    Migrating {
        /// The database.
        database: String,
    },
    /// Something else.
    #[error("PostgreSQL at {place} cannot be used: {why}")]
    Other {
        /// Host and port.
        place: String,
        /// What the server or the driver said.
        why: String,
    },
}

/// What a person is told who tried to start with this database.
pub(crate) fn explain(connector: &Connector, trouble: &Trouble) -> OpenError {
    let (place, database) = (connector.address.place(), connector.address.database().to_owned());
    let user = connector.address.user().to_owned();
    let why = trouble.to_string();
    let Trouble::Postgres(error) = trouble else { return OpenError::Unreachable { place, why } };
    let Some(code) = error.code() else { return without_code(connector, error) };
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            OpenError::Denied { place, user, why }
        }
        SqlState::INVALID_CATALOG_NAME => OpenError::NoDatabase { place, database },
        SqlState::LOCK_NOT_AVAILABLE => OpenError::Migrating { database },
        SqlState::INSUFFICIENT_PRIVILEGE => OpenError::MayNotMigrate { user, database, why },
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT => {
            OpenError::NotALedger { database, why }
        }
        SqlState::READ_ONLY_SQL_TRANSACTION => OpenError::ReadOnly { place },
        // What a session prepared a moment ago is another session's.
        SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT => {
            OpenError::Pooler { place }
        }
        SqlState::CANNOT_CONNECT_NOW | SqlState::TOO_MANY_CONNECTIONS => {
            OpenError::Unreachable { place, why }
        }
        _ => OpenError::Other { place, why },
    }
}

/// The driver's own errors, by the one thing that it tells of their kind: their words.
fn without_code(connector: &Connector, error: &tokio_postgres::Error) -> OpenError {
    let (place, why) = (connector.address.place(), said(error));
    let words = error.to_string();
    if why.contains("not allow writes") {
        return OpenError::ReadOnly { place };
    }
    if words.starts_with("error performing TLS handshake") {
        return OpenError::Tls { place, why };
    }
    if words.starts_with("authentication error") || words.starts_with("invalid configuration") {
        return OpenError::Denied { place, user: connector.address.user().to_owned(), why };
    }
    OpenError::Unreachable { place, why }
}
