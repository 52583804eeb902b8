//! PostgreSQL for the tests, which start throw-away servers of their own: found, or installed where that can be done.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failed::Failed;
use crate::shell::{Program, program};

/// Where Debian and its kin keep the programs, one folder per version; they are not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The package, under the same name wherever there is `apt-get`.
const PACKAGE: &str = "postgresql";

/// Sees to it that PostgreSQL is there.
pub(crate) fn ready() -> Result<(), Failed> {
    if is_there() {
        return Ok(());
    }
    let missing = || {
        Failed::new(
            "the tests need PostgreSQL 14 or newer (postgres and initdb, on the PATH or in /usr/lib/postgresql/*/bin), \
             and it could not be installed; install it, as with: apt-get install postgresql",
        )
    };
    for args in
        [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", PACKAGE]]
    {
        as_root("apt-get", args).run().map_err(|_| missing())?;
    }
    if is_there() { Ok(()) } else { Err(missing()) }
}

fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let mut folders = std::env::split_paths(&path).chain(debian);
    folders.any(|folder: PathBuf| has_both(&folder))
}

fn has_both(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

fn as_root(name: &str, args: &[&str]) -> Program {
    let is_root = program("id").args(["-u"]).output().is_ok_and(|id| id.trim() == "0");
    let quietly = ["DEBIAN_FRONTEND=noninteractive", name];
    let command = if is_root { program("env") } else { program("sudo").args(["-n", "env"]) };
    command.args(quietly).args(args)
}
