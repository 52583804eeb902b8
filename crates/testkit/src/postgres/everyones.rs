//! The one server that all test processes share.
//!
//! Each process holds a shared lock on a file for as long as it lives. A watchdog looks at that lock, and when
//! nobody has held it for a while, it stops the server and takes everything away.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::binaries::{command, path};
use super::cluster::{Cluster, Disk, make_folder};

/// Looks for users every two seconds; five looks without one end the server.
const WATCH: &str = r#"
    idle=0
    while [ $idle -lt 5 ]; do
        sleep 2
        "$1" -D "$2/data" status > /dev/null 2>&1 || exit 0
        if flock -n -x "$2/users" true; then idle=$((idle + 1)); else idle=0; fi
    done
    flock -x "$2/users" sh -c '"$1" -D "$2/data" -m immediate stop; rm -rf "$2/data" "$2/port"' sh "$1" "$2"
"#;

/// The server, and the lock that keeps it.
struct Kept {
    cluster: Cluster,
    _users: File,
}

/// The shared server, started if it is not there.
pub(super) fn cluster() -> &'static Cluster {
    static KEPT: OnceLock<Kept> = OnceLock::new();
    &KEPT.get_or_init(keep).cluster
}

fn keep() -> Kept {
    let folder = folder();
    make_folder(&folder);
    let users = open(&folder.join("users"));
    // Waits while a watchdog takes an old server away.
    users.lock_shared().expect("a file can be locked");
    let starting = open(&folder.join("starting"));
    starting.lock().expect("a file can be locked");
    let cluster = Cluster::running(folder.clone()).unwrap_or_else(|| start(folder));
    Kept { cluster, _users: users }
}

#[expect(clippy::zombie_processes, reason = "the watchdog outlives the process that starts it")]
fn start(folder: PathBuf) -> Cluster {
    let mut cluster = Cluster::make(folder, Disk::Careless);
    cluster.start();
    let mut watch = command("sh");
    watch.args(["-c", WATCH, "sh"]).arg(path("pg_ctl")).arg(&cluster.folder);
    watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    watch.spawn().expect("a shell can run");
    cluster
}

/// One per version of PostgreSQL, and short: a socket's path must be.
fn folder() -> PathBuf {
    let version = path("").display().to_string();
    let version: String = version.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("consign-postgres-{version}"))
}

fn open(path: &Path) -> File {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(path);
    let file = file.unwrap_or_else(|why| panic!("{} cannot be opened: {why}", path.display()));
    // The watchdog runs as PostgreSQL's owner.
    drop(fs::set_permissions(path, fs::Permissions::from_mode(0o666)));
    file
}
