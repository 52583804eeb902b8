//! Where a test's ledger is: a file or a database of its own, which goes with the test.

use consign::{Ledger, NewDelegation, Options};
use consign_testkit::postgres::Database;
use tempfile::TempDir;

pub(crate) enum Place {
    File(TempDir),
    Database(Database),
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::File(TempDir::new().unwrap())
    }

    pub(crate) async fn database() -> Self {
        Self::Database(Database::empty().await)
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite:{}", folder.path().join("consign.db").display()),
            Self::Database(database) => database.tcp_url(),
        }
    }

    /// A ledger here, to which a second of silence is news.
    pub(crate) async fn ledger(&self) -> Ledger {
        let options = Options { stuck_threshold_s: 1, ..Options::default() };
        options.open(&self.url()).await.unwrap()
    }
}

/// What alice asks of bob; its id.
pub(crate) async fn asked_of_bob(ledger: &Ledger) -> String {
    let asked = NewDelegation::new("alice", "bob", "write the report");
    let outcome = ledger.delegate(&asked).await.unwrap();
    assert!(outcome.changed && !outcome.replayed);
    asked.delegation_id
}

/// Each test twice: in a file, and in a database.
macro_rules! in_both {
    ($($name:ident),+ $(,)?) => {
        mod in_a_file {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name($crate::place::Place::file()).await;
                }
            )+
        }

        mod in_a_database {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    super::$name($crate::place::Place::database().await).await;
                }
            )+
        }
    };
}
pub(crate) use in_both;
