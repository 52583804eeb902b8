//! The command that is run, and how: checked before any work is taken, so that a wrong name costs none.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use consign_client::{Accepted, Address};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use tokio::process::Command;

use crate::error::CliError;

/// How much of a script's first line the system reads.
const FIRST_LINE_BYTES_MAX: u64 = 256;

/// A program that exists, and how it is run.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) result_json: bool,
    pub(crate) progress_fd: Option<i32>,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) kill_after: Duration,
}

/// Where a shell would find it.
pub(crate) fn found(name: &OsString) -> Result<PathBuf, CliError> {
    look_for(name).ok_or_else(|| CliError::Usage(not_found(name)))
}

fn look_for(name: &OsString) -> Option<PathBuf> {
    let runs = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(name)).find(runs)
}

fn not_found(name: &OsString) -> String {
    let hint = if name.to_string_lossy().contains(char::is_whitespace) {
        "\n  behind --exec stands the program alone, and its arguments behind --: \
         `--exec python3 -- worker.py`; a line for a shell is `--exec sh -- -c 'LINE'`"
    } else {
        "\n  check its name, that its file may be executed (`chmod +x`), and PATH, or give a path with a slash in it"
    };
    format!("--exec names {}, and there is no such program{hint}", name.display())
}

impl Program {
    /// Ready to be started on this work, in this process group; `speaks` is where it may say how far it is.
    pub(crate) fn command(
        &self,
        work: &Accepted,
        address: &Address,
        group: i32,
        speaks: Option<OwnedFd>,
    ) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .envs(environment(work, address))
            .process_group(group)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some((child_fd, parent_fd)) = self.progress_fd.zip(speaks) {
            let mapped = command.fd_mappings(vec![FdMapping { parent_fd, child_fd }]);
            mapped.expect("one descriptor collides with no other");
        }
        command
    }

    /// Why it could not be started, and what to do about it.
    pub(crate) fn not_started(&self, why: &io::Error) -> String {
        let hint = match Errno::from_io_error(why) {
            Some(Errno::NOEXEC) => {
                "; a script begins with `#!` and the program that reads it, such as `#!/bin/sh`"
                    .to_owned()
            }
            Some(Errno::NOENT) => {
                let reader = self.reader().filter(|reader| !Path::new(reader).exists());
                reader.map_or_else(String::new, |reader| {
                    format!("; it is there, but {reader:?} is not, which its first line names")
                })
            }
            _ => String::new(),
        };
        format!("{} cannot be started: {why}{hint}", self.path.display())
    }

    /// The program that reads it, where it is a script.
    fn reader(&self) -> Option<String> {
        let mut begins = vec![];
        File::open(&self.path).ok()?.take(FIRST_LINE_BYTES_MAX).read_to_end(&mut begins).ok()?;
        let line = begins.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        let words = line.split(|byte| b" \t".contains(byte));
        let name = words.into_iter().find(|word| !word.is_empty())?;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}

/// What a program may want to know, and what `consign heartbeat` and the others read by themselves.
fn environment(work: &Accepted, address: &Address) -> Vec<(&'static str, String)> {
    let it = &work.delegation;
    let mut variables = vec![
        ("CONSIGN_URL", address.to_string()),
        ("CONSIGN_DELEGATION_ID", it.delegation_id.clone()),
        ("CONSIGN_ATTEMPT", it.attempt.to_string()),
        ("CONSIGN_MAX_ATTEMPTS", it.max_attempts.to_string()),
        ("CONSIGN_CALLER_ID", it.caller_id.clone()),
        ("CONSIGN_CALLEE_ID", it.callee_id.clone()),
        ("CONSIGN_DEADLINE", format!("{:.3}", it.deadline)),
        ("CONSIGN_LEASE", work.lease.clone()),
    ];
    let (form, _) = task(work);
    variables.push(("CONSIGN_TASK_FORM", form.to_owned()));
    // Of a delegation that has none, also none that our own environment may have.
    let metadata = it.metadata.as_ref().map(|metadata| metadata.get().to_owned());
    variables.push(("CONSIGN_METADATA", metadata.unwrap_or_default()));
    variables
}

/// The task as its reader wants it, and whether that is `text` or `json`.
pub(crate) fn task(work: &Accepted) -> (&'static str, String) {
    let task = work.delegation.task.as_deref();
    let json = task.map_or("null", |task| task.get());
    match serde_json::from_str::<String>(json) {
        Ok(text) => ("text", text),
        Err(_) => ("json", json.to_owned()),
    }
}
