//! A copy of a ledger at one moment, while its server goes on working.
//!
//! One read transaction spans the copying, so what is written meanwhile is not in the copy and does not disturb it.
//! A copy that does not pass SQLite's own check is no copy: it never gets its name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tempfile::NamedTempFile;

use crate::audit::integrity;
use crate::open::{OpenError, open_beside};

/// Pages copied between two words about progress: 16 MiB.
const STEP_PAGES: i32 = 4096;
/// How long to wait where SQLite is busy, and how often. Under WAL that is a recovery, which takes moments.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
const BUSY_PAUSES_MAX: u32 = 200;

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The size of the copy.
    pub bytes: u64,
    /// How many delegations are in it.
    pub delegations: u64,
}

/// Why there is no copy, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Something has the name already.
    #[error("{0} exists already, and a backup overwrites nothing; choose another name")]
    Exists(PathBuf),
    /// The copy cannot be written.
    #[error("{path} cannot be written: {why}; choose another folder, or make room")]
    Unwritable {
        /// Where it was to be.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// The ledger cannot be read, or the copy not be written.
    #[error("the copy failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Somebody kept the ledger locked.
    #[error("the ledger stayed locked; try again")]
    Busy,
    /// SQLite found the copy to be broken, and so the ledger.
    #[error("the ledger is damaged, so there is no copy: {0}; restore an earlier backup")]
    Damaged(String),
}

/// Copies the ledger at `from` to a new file, whether or not a server has it open. `progress` is told how much is
/// done, in percent.
pub fn backup(from: &Path, to: &Path, mut progress: impl FnMut(u8)) -> Result<Copied, BackupError> {
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let source = open_beside(from)?;
    let unwritable = |why| BackupError::Unwritable { path: to.to_owned(), why };
    let folder = to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Asked first, because the error of a file in it would name that file, which nobody has heard of.
    folder.metadata().map_err(unwritable)?;
    // Nobody else may read it: a ledger holds the secret that its leases are made of.
    let unfinished =
        NamedTempFile::with_prefix_in(".consign-backup-", folder).map_err(unwritable)?;
    copy(&source, unfinished.path(), &mut progress)?;
    let delegations = check(unfinished.path())?;
    unfinished.as_file().sync_all().map_err(unwritable)?;
    let bytes = unfinished.as_file().metadata().map_err(unwritable)?.len();
    unfinished.persist_noclobber(to).map_err(|why| match why.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => unwritable(why.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
    Ok(Copied { bytes, delegations })
}

fn copy(source: &Connection, to: &Path, progress: &mut impl FnMut(u8)) -> Result<(), BackupError> {
    // Without a transaction around it, every write of the server would begin the copy anew.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    let mut copy = Connection::open(to)?;
    // Nobody has the file yet, and it is flushed as a whole before it gets its name.
    copy.pragma_update(None, "synchronous", "OFF")?;
    let backup = Backup::new(source, &mut copy)?;
    let mut pauses = 0;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => return Ok(()),
            StepResult::More => progress(percent(&backup)),
            _ if pauses == BUSY_PAUSES_MAX => return Err(BackupError::Busy),
            _ => {
                pauses += 1;
                sleep(BUSY_PAUSE);
            }
        }
    }
}

fn percent(backup: &Backup<'_, '_>) -> u8 {
    let pages = backup.progress();
    let done = i64::from(pages.pagecount - pages.remaining) * 100;
    u8::try_from(done / i64::from(pages.pagecount.max(1))).unwrap_or(100)
}

/// Makes the copy one file that needs no other beside it, and reads all of it; how many delegations it has.
fn check(copy: &Path) -> Result<u64, BackupError> {
    let copy = Connection::open(copy)?;
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    if let Some(damage) = integrity(&copy, 1)?.pop() {
        return Err(BackupError::Damaged(damage));
    }
    Ok(copy.query_row("SELECT count(*) FROM delegations", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::open;

    /// A ledger that somebody has open, in a folder of its own.
    fn ledger() -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consign.db");
        let opened = open(&path).unwrap();
        (folder, path, opened.connection)
    }

    fn fill(connection: &Connection, rows: usize) {
        let text = "x".repeat(4000);
        let sql = "INSERT INTO tasks (form, preview) VALUES ('text', ?1)";
        connection.execute_batch("BEGIN").unwrap();
        for _ in 0..rows {
            connection.execute(sql, [&text]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
    }

    fn tasks(path: &Path) -> usize {
        let copy = Connection::open(path).unwrap();
        copy.query_row("SELECT count(*) FROM tasks", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_copy_is_of_one_moment_whatever_is_written_meanwhile() {
        let (folder, path, writer) = ledger();
        fill(&writer, 6000);
        let to = folder.path().join("copy.db");
        let mut steps = 0;
        let copied = backup(&path, &to, |_| {
            steps += 1;
            fill(&writer, 10);
        });
        assert_eq!(copied.unwrap().bytes, to.metadata().unwrap().len());
        assert!(steps >= 1, "nothing was written meanwhile");
        assert_eq!(tasks(&to), 6000);
    }

    #[test]
    fn a_copy_is_one_file_that_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, path, _writer) = ledger();
        let copies = folder.path().join("copies");
        std::fs::create_dir(&copies).unwrap();
        let to = copies.join("copy.db");
        backup(&path, &to, |_| {}).unwrap();
        assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 1);
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        open(&to).unwrap();
    }

    #[test]
    fn nothing_is_overwritten() {
        let (_folder, path, _writer) = ledger();
        assert!(matches!(backup(&path, &path, |_| {}), Err(BackupError::Exists(_))));
    }

    #[test]
    fn a_damaged_ledger_has_no_copy() {
        let (folder, path, writer) = ledger();
        fill(&writer, 200);
        drop(writer);
        let mut bytes = std::fs::read(&path).unwrap();
        let from = bytes.len() / 2;
        bytes[from..from + 8192].fill(0xAA);
        std::fs::write(&path, bytes).unwrap();
        let to = folder.path().join("copy.db");
        let refused = backup(&path, &to, |_| {}).unwrap_err().to_string();
        assert!(refused.contains("damaged"), "{refused}");
        assert!(!to.exists());
        let left = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("backup")));
    }

    #[test]
    fn what_is_no_ledger_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (missing, to) = (folder.path().join("missing.db"), folder.path().join("copy.db"));
        let refused = backup(&missing, &to, |_| {}).unwrap_err();
        assert!(matches!(refused, BackupError::Open(OpenError::Missing(_))), "{refused}");
        assert!(!missing.exists(), "looking for it made it");
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        let refused = backup(&other, &to, |_| {}).unwrap_err();
        assert!(matches!(refused, BackupError::Open(OpenError::NotALedger(_))), "{refused}");
    }
}
