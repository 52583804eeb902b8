//! What becomes of a ledger whose files somebody moves about.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use consign_store_sqlite::{OpenError, SqliteStore};
use consign_testkit::{Backend as _, HandClock, World};

use super::backend::Sqlite;

#[tokio::test(start_paused = true)]
async fn nothing_is_acknowledged_into_a_file_that_is_not_there() {
    for name in ["ledger.db", "ledger.db-wal"] {
        let mut world = World::<Sqlite>::new().await;
        world.play("alice delegates D1 to bob & bob beats D1").await;
        let file = world.backend().path().with_file_name(name);
        let aside = file.with_extension("aside");
        for replaced in [false, true] {
            fs::rename(&file, &aside).unwrap();
            if replaced {
                fs::copy(&aside, &file).unwrap();
            }
            world
                .play(
                    "
                    alice delegates D2 to bob   refused unavailable
                    bob beats D1                refused unavailable",
                )
                .await;
            fs::rename(&aside, &file).unwrap();
            world.play("bob beats D1            told in_progress").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_its_owner_reads_a_ledger() {
    let mut world = World::<Sqlite>::new().await;
    world.play("alice delegates D1 to bob").await;
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let file = world.backend().path().with_file_name(name);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_ledger_has_one_owner_by_whatever_link_somebody_comes() {
    let ledger = Sqlite::fresh(HandClock::default()).await;
    let link = ledger.path().with_file_name("link.db");
    std::os::unix::fs::symlink(ledger.path(), &link).unwrap();
    let first = ledger.open().await;
    let second = SqliteStore::open(&link, HandClock::default());
    assert!(matches!(second, Err(OpenError::InUse { .. })), "there are two");
    drop(first);
    SqliteStore::open(&link, HandClock::default()).map(drop).unwrap();
}

/// The lock and the WAL lie beside a name, and with two names there would be two of each.
#[tokio::test]
async fn a_ledger_with_two_names_is_opened_by_neither() {
    let ledger = Sqlite::fresh(HandClock::default()).await;
    let other = ledger.path().with_file_name("other.db");
    let first = ledger.open().await;
    fs::hard_link(ledger.path(), &other).unwrap();
    let open = |path: &Path| SqliteStore::open(path, HandClock::default()).map(drop);
    let refused = |path: &Path| matches!(open(path), Err(OpenError::ManyNames { names: 2, .. }));
    assert!(refused(&other), "there are two");
    assert!(!other.with_file_name("other.db.lock").exists(), "nothing is left beside it");
    drop(first);
    assert!(refused(&ledger.path()) && refused(&other));
    fs::remove_file(&other).unwrap();
    open(&ledger.path()).unwrap();
}
