//! Where the ledger is: what a database URL names, judged before anything is touched.

use std::fmt;
use std::path::{Path, PathBuf};

use consign_store_postgres::{OpenError, shown};

/// Why a URL names no ledger, and what does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the ledger's URL is {given:?}: {why}; give a file, such as sqlite:consign.db, or a database, such as \
     postgres://user:password@host:5432/database"
)]
pub struct BadUrl {
    /// What was given, without what may be a password.
    pub given: String,
    /// What is wrong with it.
    pub why: String,
}

/// Where a ledger is. Printed, it has no password.
#[derive(Clone)]
pub enum Database {
    /// In a file, by its absolute path, so that the start line tells where it is.
    Sqlite(PathBuf),
    /// In a database of PostgreSQL.
    Postgres {
        /// What was given; it may hold a password.
        url: String,
        /// What may be shown of it.
        shown: String,
    },
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres { shown, .. } => f.write_str(shown),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub fn of_url(url: &str) -> Result<Self, BadUrl> {
        let judged = match url.split_once(':') {
            Some(("sqlite", path)) => file(path).map(Self::Sqlite).map_err(str::to_owned),
            Some(("postgres" | "postgresql", _)) => in_postgres(url),
            _ => Err("only sqlite: and postgres: are known".to_owned()),
        };
        judged.map_err(|why| BadUrl { given: scheme_of(url), why })
    }
}

fn file(path: &str) -> Result<PathBuf, &'static str> {
    let path = path.strip_prefix("//").unwrap_or(path);
    match path {
        "" => Err("it names no file"),
        ":memory:" => Err("a ledger in memory would forget what it acknowledged"),
        _ if path.contains('?') => Err("it takes no parameters"),
        _ => std::path::absolute(Path::new(path)).map_err(|_| "it is no path"),
    }
}

fn in_postgres(url: &str) -> Result<Database, String> {
    match shown(url) {
        Ok(shown) => Ok(Database::Postgres { url: url.to_owned(), shown }),
        Err(OpenError::BadUrl { why }) => Err(why),
        Err(other) => Err(other.to_string()),
    }
}

/// As much of a URL as may be repeated: what follows may be a password.
fn scheme_of(url: &str) -> String {
    match url.split_once(':') {
        Some(("sqlite", _)) | None => url.to_owned(),
        Some((scheme, _)) => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_a_file() {
        let here = std::env::current_dir().unwrap();
        for (url, path) in [
            ("sqlite:consign.db", here.join("consign.db")),
            ("sqlite:data/a b.db", here.join("data/a b.db")),
            ("sqlite:/var/lib/consign.db", "/var/lib/consign.db".into()),
            ("sqlite:///var/lib/consign.db", "/var/lib/consign.db".into()),
        ] {
            let database = Database::of_url(url).unwrap();
            assert!(matches!(&database, Database::Sqlite(file) if *file == path), "{database}");
            assert_eq!(database.to_string(), format!("sqlite:{}", path.display()));
        }
    }

    #[test]
    fn or_a_database_whose_password_is_shown_to_nobody() {
        for (url, shown) in [
            ("postgres://ann:secret@db.example/ledger", "postgres://ann@db.example:5432/ledger"),
            ("postgresql://ann:secret@[::1]:7000/ledger", "postgres://ann@[::1]:7000/ledger"),
            (
                "postgres://ann@one,two:7000/ledger?password=secret",
                "postgres://ann@one:5432,two:7000/ledger",
            ),
            (
                "postgres://%2Frun%2Fpostgresql/ledger?user=ann",
                "postgres://ann@/run/postgresql:5432/ledger",
            ),
        ] {
            let database = Database::of_url(url).unwrap();
            assert_eq!(
                (database.to_string(), format!("{database:?}")),
                (shown.to_owned(), shown.to_owned())
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_to_do() {
        for (url, why) in [
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "would forget"),
            ("sqlite:a.db?mode=rwc", "takes no parameters"),
            ("postgres://u:secret@h:port/db", "port"),
            ("postgresql://u:secret@h/db?colour=red", "colour"),
            ("postgres:u:secret@h/db", "must begin with postgres://"),
            ("mysql://u:secret@h/db", "only sqlite"),
            ("consign.db", "only sqlite"),
        ] {
            let refusal = Database::of_url(url).unwrap_err().to_string();
            assert!(refusal.contains(why), "{url}: {refusal}");
            assert!(refusal.contains("sqlite:consign.db"), "{url}: {refusal}");
            assert!(refusal.contains("postgres://user:password@host"), "{url}: {refusal}");
            assert!(!refusal.contains("secret"), "{url}: {refusal}");
        }
    }
}
