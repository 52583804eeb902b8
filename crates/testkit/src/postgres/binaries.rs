//! Where PostgreSQL's programs are, and as whom they run.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The folder with `postgres` and `initdb` in it.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| whole(&folder));
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> =
        debian.filter_map(|version| whole(&version.path().join("bin"))).collect();
    debian.sort();
    on_path.chain(debian.into_iter().rev()).next().unwrap_or_else(|| {
        panic!(
            "PostgreSQL (14 or newer) is not installed: postgres and initdb are neither on the PATH nor in \
             /usr/lib/postgresql/*/bin. Install it with: apt-get install postgresql"
        )
    })
});

/// The folder as it really is, where both programs are in it.
fn whole(folder: &Path) -> Option<PathBuf> {
    let initdb = fs::canonicalize(folder.join("initdb")).ok()?;
    let folder = initdb.parent()?;
    folder.join("postgres").is_file().then(|| folder.to_owned())
}

/// As whom PostgreSQL runs: it refuses root, so root hands it to another user.
pub(super) fn owner() -> Option<(u32, u32)> {
    let me = fs::metadata("/proc/self").or_else(|_| fs::metadata(std::env::temp_dir()));
    if !me.is_ok_and(|me| me.uid() == 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map_while(|id| id.parse().ok());
        Some((ids.next()?, ids.next()?))
    };
    Some(user("postgres").or_else(|| user("nobody")).unwrap_or((65_534, 65_534)))
}

pub(super) fn path(program: &str) -> PathBuf {
    FOLDER.join(program)
}

/// A command that runs as PostgreSQL's owner, apart from this process's own group.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group);
    }
    command.current_dir("/").env("LC_ALL", "C").process_group(0);
    command
}

/// Runs a program to its end; it must succeed.
pub(super) fn run(mut command: Command) {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?} cannot run: {why}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
