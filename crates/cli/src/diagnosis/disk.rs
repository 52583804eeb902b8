//! The place where a ledger lies: is it there, may it be written, is there room, is it of the right kind.

use std::path::Path;

use rustix::fs::{statfs, statvfs};

use super::Diagnosis;

/// Less room than this is too little, in bytes.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// The kinds of file system on which SQLite's locks and its shared memory do not hold, by their magic numbers.
const REMOTE: [(u64, &str); 4] =
    [(0x6969, "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB"), (0x517B, "SMB")];

/// Looks at the folder of this ledger.
pub(crate) fn disk(ledger: &Path) -> Vec<Diagnosis> {
    let folder = ledger.parent().unwrap_or(Path::new("/"));
    let told = folder.display();
    if let Err(why) = tempfile::tempfile_in(folder) {
        let seen = format!("{told} cannot be written: {why}");
        let advice =
            "make the folder, let the server's user own it, or choose another with --database-url";
        return vec![Diagnosis::wrong("folder", seen, advice)];
    }
    let mut found = vec![Diagnosis::well("folder", format!("{told} can be written"))];
    found.extend(kind(folder));
    found.extend(room(folder));
    found
}

fn kind(folder: &Path) -> Option<Diagnosis> {
    #[expect(clippy::cast_sign_loss, reason = "a magic number is a pattern of bits")]
    let magic = statfs(folder).ok()?.f_type as u64 & 0xFFFF_FFFF;
    let (_, name) = REMOTE.iter().find(|(remote, _)| *remote == magic)?;
    let seen = format!("{} is on {name}", folder.display());
    let advice =
        "move the ledger to a local disk: over a network SQLite can neither lock nor share it";
    Some(Diagnosis::wrong("file system", seen, advice))
}

fn room(folder: &Path) -> Option<Diagnosis> {
    let disk = statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let seen = format!("{} MiB free", free >> 20);
    let advice = "make room: a ledger that cannot be written answers 503 and records no heartbeat";
    Some(Diagnosis::given(free >= FREE_BYTES_MIN, "room", seen, advice))
}
