//! Opening the file: one process at a time, a schema that is understood, settings that are in force.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use consign_ledger::Time;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::files::names;

/// Marks a file as a Consign ledger: "CNSG".
const APPLICATION_ID: i32 = 0x434e_5347;
/// The writer's cache: what a million in flight need for a heartbeat, their ids and their watch rows, is 100 MiB.
const CACHE_KIB: i32 = 128 << 10;
/// How long the writer waits for readers when it cuts the WAL.
const BUSY_MAX: Duration = Duration::from_millis(100);
/// Different statements that the writer keeps prepared.
const STATEMENTS_MAX: usize = 128;

/// In the order of their numbers; a store that has run the first *n* is at version *n*.
pub(crate) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_ledger", include_str!("../migrations/0001_ledger.sql")),
    ("0002_lists_by_creation", include_str!("../migrations/0002_lists_by_creation.sql")),
    ("0003_agents", include_str!("../migrations/0003_agents.sql")),
    ("0004_claims", include_str!("../migrations/0004_claims.sql")),
    ("0005_retention", include_str!("../migrations/0005_retention.sql")),
    ("0006_callee_tallies", include_str!("../migrations/0006_callee_tallies.sql")),
    ("0007_verdict_seq", include_str!("../migrations/0007_verdict_seq.sql")),
];

/// Why a ledger could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by another process ({owner}); stop that one, or choose another file")]
    InUse {
        /// The ledger.
        path: PathBuf,
        /// Who has it, as far as it said.
        owner: String,
    },
    /// The file or its folder cannot be used.
    #[error("{path} cannot be opened: {why}; check that its folder exists and may be written to")]
    Unusable {
        /// The ledger or its lock.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// There is no file.
    #[error("{0} does not exist; name the ledger that is meant")]
    Missing(PathBuf),
    /// It has other names, and its lock and its WAL lie beside one of them.
    #[error(
        "{path} is one of {names} names of the same file (hard links), by another of which somebody else could have \
         the ledger; keep one of them, and make a copy with `consign backup`"
    )]
    ManyNames {
        /// The name that was given.
        path: PathBuf,
        /// How many there are.
        names: u64,
    },
    /// It is some other file.
    #[error(
        "{0} is not a Consign ledger; choose another file, which will be made if it does not exist"
    )]
    NotALedger(PathBuf),
    /// It was made by a later version.
    #[error(
        "{path} has schema version {found}, and this program understands up to {known}; use a newer consign"
    )]
    TooNew {
        /// The ledger.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that is known here.
        known: usize,
    },
    /// SQLite could not.
    #[error("{path} cannot be opened: {why}")]
    Sqlite {
        /// The ledger.
        path: PathBuf,
        /// What SQLite said.
        why: rusqlite::Error,
    },
    /// No thread could be started.
    #[error("no thread could be started: {0}")]
    Thread(io::Error),
}

/// A ledger that is ours.
pub(crate) struct Opened {
    /// The file itself, where the name that was given is a link to it.
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
    pub(crate) lock: File,
    /// The last moment that was written down.
    pub(crate) latest: Time,
}

pub(crate) fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock_path = lock_path(path);
    let was_there = lock_path.exists();
    let opened = lock(path, &lock_path).and_then(|lock| open_locked(path, lock));
    if opened.is_err() && !was_there {
        // Nothing is left beside a file that is not ours. Where this fails, it was not made either.
        drop(std::fs::remove_file(&lock_path));
    }
    opened
}

fn open_locked(path: &Path, lock: File) -> Result<Opened, OpenError> {
    if let Some(names) = names(path).filter(|names| *names > 1) {
        return Err(OpenError::ManyNames { path: path.to_owned(), names });
    }
    let sqlite = |why| sqlite_error(path, why);
    make_private(path);
    let mut connection = Connection::open(path).map_err(sqlite)?;
    refuse_strangers(&connection, path)?;
    // Before anything is written: a ledger of a later version is left as it is.
    let version = version(&connection, path)?;
    tune(&connection).map_err(sqlite)?;
    migrate(&mut connection, version).map_err(sqlite)?;
    let latest = latest(&connection).map_err(sqlite)?;
    Ok(Opened { path: itself(path), connection, lock, latest })
}

/// Makes the file of a new ledger one that only its owner reads, because the secret that leases are made of will be in
/// it, and people's tasks; SQLite gives the files beside it the same rights. Where there is a file it keeps its own, and
/// where none can be made, SQLite says why.
fn make_private(path: &Path) {
    drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
}

/// A connection to a ledger that exists, whoever has it open, for reading alone. Reading under WAL needs no lock,
/// and hinders nobody who writes.
pub(crate) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    let connection = open_reader(path)?;
    refuse_strangers(&connection, path)?;
    version(&connection, path)?;
    Ok(connection)
}

/// The same, for whoever asks whether the schema's constraints hold: SQLite does not even read them where it was told
/// that it may only read. Nothing is written all the same.
pub(crate) fn open_to_judge(path: &Path) -> Result<Connection, OpenError> {
    open_beside(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sqlite = |why| sqlite_error(path, why);
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| connection.pragma_update(None, "query_only", true))
        .map_err(sqlite)?;
    Ok(connection)
}

/// A second connection to an open ledger, for reading alone.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sqlite = |why| sqlite_error(path, why);
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    plan_once(&connection).map_err(sqlite)?;
    connection.pragma_update(None, "query_only", true).map_err(sqlite)?;
    Ok(connection)
}

/// Beside the file itself, so that there is one lock by whatever link somebody comes.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = itself(path).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// Has SQLite open the files that it otherwise opens when it is first asked: by then there may be none left to open.
pub(crate) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
}

/// The file that a link leads to; the name as it is, where there is no file yet.
fn itself(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A second connection to an open ledger that copies its WAL.
pub(crate) fn open_to_copy(path: &Path) -> Result<Connection, OpenError> {
    let sqlite = |why| sqlite_error(path, why);
    let connection = Connection::open(path).map_err(sqlite)?;
    touch(&connection).map_err(sqlite)?;
    Ok(connection)
}

/// Holds the file beside the ledger that tells a second process who has it.
fn lock(path: &Path, lock_path: &Path) -> Result<File, OpenError> {
    let unusable = |why| OpenError::Unusable { path: lock_path.to_owned(), why };
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(lock_path)
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(why)) => return Err(unusable(why)),
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let told = file.read_to_string(&mut owner);
            let owner = told.ok().map_or("unknown", |_| owner.trim()).to_owned();
            return Err(OpenError::InUse { path: path.to_owned(), owner });
        }
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(unusable)?;
    writeln!(file, "process {}", std::process::id()).map_err(unusable)?;
    Ok(file)
}

/// Refuses a file that some other program made.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let sqlite = |why| sqlite_error(path, why);
    let id: i32 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(sqlite)?;
    let tables = "SELECT count(*) FROM sqlite_master";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(sqlite)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        return Ok(());
    }
    Err(OpenError::NotALedger(path.to_owned()))
}

/// Keeps SQLite from looking into parameters when it plans: it would plan every outer join anew at every call.
pub(crate) fn plan_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn tune(connection: &Connection) -> rusqlite::Result<()> {
    plan_once(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(BUSY_MAX)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Copied by a thread of its own instead.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// How many migrations it has seen, if all of them are known here.
fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|why| sqlite_error(path, why))?;
    let too_new = || OpenError::TooNew { path: path.to_owned(), found, known: MIGRATIONS.len() };
    usize::try_from(found).ok().filter(|done| *done <= MIGRATIONS.len()).ok_or_else(too_new)
}

fn migrate(connection: &mut Connection, done: usize) -> rusqlite::Result<()> {
    for (version, (name, sql)) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
        tracing::debug!(name, "migrated");
    }
    Ok(())
}

pub(crate) fn latest(connection: &Connection) -> rusqlite::Result<Time> {
    let sql = "SELECT max(coalesce((SELECT heard_until FROM mark), 0),
                          coalesce((SELECT at FROM events ORDER BY seq DESC LIMIT 1), 0))";
    connection.query_row(sql, [], |row| row.get(0)).map(Time)
}

pub(crate) fn sqlite_error(path: &Path, why: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match why.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotALedger(path),
        Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly) => {
            OpenError::Unusable { path, why: io::Error::other(why) }
        }
        _ => OpenError::Sqlite { path, why },
    }
}
