//! Whether a ledger's files are still where they were opened.
//!
//! SQLite goes on writing to a file that was removed or replaced under it, and what it writes there is gone at the
//! next start. So nothing is committed to one: it would be acknowledged and lost.

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Trouble;
use crate::open::OpenError;

/// The files of one open ledger.
pub(crate) struct Files([OpenFile; 2]);

/// A file by its name, and what it was when it was opened.
struct OpenFile {
    path: PathBuf,
    identity: Identity,
}

/// Device and number: what stays the same when a file is renamed, and differs when it is replaced.
type Identity = (u64, u64);

impl Files {
    /// The files of the ledger at `path`, which is open and was read.
    pub(crate) fn of(path: &Path) -> Result<Self, OpenError> {
        Ok(Self([OpenFile::at(path.to_owned())?, OpenFile::at(wal_of(path))?]))
    }

    /// Where a file is gone, or is another one, nothing may be written.
    pub(crate) fn must_be_there(&self) -> Result<(), Trouble> {
        match self.0.iter().find(|file| !file.is_there()) {
            None => Ok(()),
            Some(file) => Err(Trouble::FileGone(file.path.clone())),
        }
    }
}

/// The WAL of the ledger at `path`.
pub(crate) fn wal_of(path: &Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    wal.into()
}

impl OpenFile {
    fn at(path: PathBuf) -> Result<Self, OpenError> {
        match identity(&path) {
            Ok(identity) => Ok(Self { path, identity }),
            Err(why) => Err(OpenError::Unusable { path, why }),
        }
    }

    fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|identity| identity == self.identity)
    }
}

/// How many names a file has, which are hard links to each other; `None` where there is no file, or nobody can tell.
#[cfg(unix)]
pub(crate) fn names(path: &Path) -> Option<u64> {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().filter(Metadata::is_file).map(|file| file.nlink())
}

#[cfg(not(unix))]
pub(crate) fn names(_: &Path) -> Option<u64> {
    None
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Elsewhere the system keeps an open file from being removed.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}
