//! What a person is told when something does not go well: what was wrong, what is allowed, what to do.

use std::io;
use std::path::PathBuf;

use consign_client::{Address, BadAddress, Error as ClientError, Problem, Unreachable};
use consign_store_sqlite::{AuditError, BackupError};

use crate::exit::Exit;
use crate::print::{duration, escaped};

/// Why a subcommand ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The address is none.
    #[error("--url (CONSIGN_URL): {0}")]
    Url(BadAddress),
    /// The server, or the way to it.
    #[error("{}", told(.error, .address))]
    Server { error: ClientError, address: Address },
    /// A file that was named cannot be read.
    #[error("{flag} names {path}, which cannot be read: {why}")]
    Unreadable { flag: &'static str, path: String, why: io::Error },
    /// What was given is not text.
    #[error("{flag} must be UTF-8 text, and it is not, from byte {at} on")]
    NotText { flag: &'static str, at: usize },
    /// What was given is not JSON.
    #[error("{flag} must be JSON, and it is not: {why}")]
    NotJson { flag: &'static str, why: serde_json::Error },
    /// A flag contradicts another, or itself.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be written.
    #[error("{path} cannot be written: {why}; choose another folder, or make room", path = .path.display())]
    Unwritable { path: PathBuf, why: io::Error },
    /// A callee is told to end its work.
    #[error("stop: {0}")]
    Stop(Box<CliError>),
    /// There is a program, and it is none.
    #[error("{0}; the work was given back")]
    NotStarted(String),
    /// There is no copy.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The ledger could not be looked at.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The ledger could not be looked at in its database.
    #[error(transparent)]
    AuditInDatabase(#[from] consign_store_postgres::AuditError),
    /// The demo cannot be played, or an agent cannot play its part.
    #[error("{0}")]
    Demo(String),
    /// Nobody reads what is printed, or the disk is full.
    #[error("standard output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// The code for scripts.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Url(_)
            | Self::Unreadable { .. }
            | Self::NotText { .. }
            | Self::NotJson { .. }
            | Self::NotStarted(_)
            | Self::Usage(_) => Exit::Usage,
            // Whoever stopped reading has seen enough.
            Self::Output(why) if why.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_)
            | Self::Unwritable { .. }
            | Self::Backup(_)
            | Self::Audit(_)
            | Self::AuditInDatabase(_)
            | Self::Demo(_) => Exit::Broken,
            Self::Stop(_) => Exit::Stop,
            Self::Server { error, .. } => of_client(error),
        }
    }

    /// What the server sent as its refusal, where it was the server.
    pub(crate) fn document(&self) -> Option<&str> {
        self.problem().map(|problem| problem.text.as_str())
    }

    /// The server's refusal.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Server { error: ClientError::Refused(problem), .. } => Some(problem),
            Self::Stop(error) => error.problem(),
            _ => None,
        }
    }
}

fn of_client(error: &ClientError) -> Exit {
    match error {
        ClientError::Refused(problem) => match (problem.name(), problem.status) {
            ("not-found" | "no-such-agent", _) => Exit::NotFound,
            ("no-such-route" | "method-not-allowed", _) | (_, 400 | 413) => Exit::Usage,
            (_, 403 | 409 | 422) => Exit::Refused,
            _ if error.is_passing() => Exit::Unavailable,
            _ => Exit::Broken,
        },
        ClientError::Unreachable { .. } => Exit::Unavailable,
        ClientError::Foreign { .. } | ClientError::NotUnderstood(_) => Exit::Broken,
        ClientError::Unsendable(_) => Exit::Usage,
    }
}

/// The error in words, with what to do about it on lines of their own.
fn told(error: &ClientError, address: &Address) -> String {
    match error {
        ClientError::Refused(problem) => refused(problem),
        ClientError::Unreachable { why, tried_for } => {
            let tried = match tried_for.as_secs() {
                0 => String::new(),
                seconds => format!(", tried for {}", duration(seconds)),
            };
            format!("no answer from {address}: {why}{tried}{}", way_back(why))
        }
        ClientError::Foreign { .. } => format!(
            "{address} is no Consign server: {error}\n  \
             give the address that `consign serve` prints, with --url or CONSIGN_URL"
        ),
        ClientError::NotUnderstood(_) => {
            format!("{address}: {error}\n  is the server of another version than this consign?")
        }
        ClientError::Unsendable(_) => error.to_string(),
    }
}

fn way_back(why: &Unreachable) -> &'static str {
    match why {
        _ if why.is_encryption() => {
            "\n  this machine must trust the certificate; SSL_CERT_FILE names a file of further authorities"
        }
        Unreachable::NoConnection(_) if why.io_kind() == Some(io::ErrorKind::ConnectionRefused) => {
            "\n  start a server with `consign serve`, or say where it is with --url or CONSIGN_URL"
        }
        Unreachable::NoConnection(_) => "\n  say where the server is with --url or CONSIGN_URL",
        Unreachable::Broken(_) | Unreachable::TooSlow(_) => {
            "\n  what was asked may have been done: run the same again, or look first with `consign show`"
        }
    }
}

fn refused(problem: &Problem) -> String {
    let mut told = escaped(&by_flag(problem));
    for line in [standing(problem), kept(problem), next_step(problem)].into_iter().flatten() {
        told += "\n  ";
        told += &line;
    }
    told
}

/// What is wrong, with the flag that was typed in place of the field that was sent.
fn by_flag(problem: &Problem) -> String {
    let told = problem.field.as_deref().and_then(|field| {
        let why = problem.detail.strip_prefix(field)?.strip_prefix(':')?;
        Some(format!("{}:{why}", flag_of(field)?))
    });
    told.unwrap_or_else(|| problem.detail.clone())
}

/// The flags are named after the fields, but for a few that people type often.
fn flag_of(field: &str) -> Option<String> {
    let flag = match field {
        "caller_id" => "--caller".to_owned(),
        "callee_id" => "--callee".to_owned(),
        "parent_id" => "--parent".to_owned(),
        "through" => "--ack-through".to_owned(),
        // Where it is not a flag's value, it stands for itself.
        "delegation_id" | "agent_id" => return None,
        _ => format!("--{}", field.replace(['_', '.'], "-")),
    };
    Some(flag)
}

/// What is true of the delegation now.
fn standing(problem: &Problem) -> Option<String> {
    let id = escaped(problem.delegation_id.as_deref()?);
    let (status, attempt, deadline) =
        (problem.current_status?, problem.attempt?, problem.deadline?);
    Some(format!("{id} is {status}, attempt {attempt}, deadline {deadline:.3}"))
}

fn kept(problem: &Problem) -> Option<String> {
    let id = problem.delegation_id.as_deref()?;
    let kept = problem.kept_as_late;
    kept.then(|| format!("the answer was kept beside it: `consign late-results {}`", escaped(id)))
}

fn next_step(problem: &Problem) -> Option<String> {
    let step = match problem.name() {
        "not-found" => "`consign ls` lists what is there",
        "no-such-agent" => "`consign agents` lists who is known",
        "lease-required" => {
            "`consign accept` gives one to whoever takes the work; pass it with --lease or CONSIGN_LEASE"
        }
        "no-such-route" | "method-not-allowed" => {
            "check --url (CONSIGN_URL), and that the server and this consign are of the same version"
        }
        "changed-meanwhile" => "`consign show` tells its attempt and its version",
        "foreign-host" => "give the address that `consign serve` prints, with --url or CONSIGN_URL",
        "too-many-requests" | "contended" | "unavailable" => "nothing is wrong with the request",
        "internal" => "the server's log says why",
        _ => return None,
    };
    Some(step.to_owned())
}
