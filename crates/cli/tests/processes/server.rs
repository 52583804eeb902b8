//! A server as a test sees it: started, asked, sent signals, and always reaped.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::client::Client;
#[cfg(target_os = "linux")]
use crate::pty::Terminal;

/// A ledger in a folder of its own, and the port that its servers listen on, one after another.
pub(crate) struct Ledger {
    folder: TempDir,
    port: u16,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), port: free_port() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("consign.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `consign serve` on this ledger, with nothing set but where it is.
    pub(crate) fn serve(&self) -> Serve {
        let mut url = OsString::from("sqlite:");
        url.push(self.path());
        Serve::bare()
            .env("CONSIGN_DATABASE_URL", url)
            .env("CONSIGN_LISTEN", format!("127.0.0.1:{}", self.port))
    }

    /// A server whose silence threshold is so many seconds.
    pub(crate) fn start(&self, threshold_s: u32) -> Server {
        self.serve().env("DELEGATION_STUCK_THRESHOLD_S", threshold_s.to_string()).start()
    }
}

/// A port below the ephemeral ones: a client that knocks at a closed ephemeral port on its own machine may be
/// given that very port for its side, and then the next server cannot have it. No two tests are told the same one: who
/// was told it may not listen yet.
pub(crate) fn free_port() -> u16 {
    static TOLD: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    std::iter::repeat_with(|| first + TOLD.fetch_add(1, Ordering::Relaxed))
        .take_while(|port| *port < 32_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a machine has a free port")
}

/// A command line that is not yet run.
pub(crate) struct Serve(Command);

impl Serve {
    /// `consign serve` without any setting from outside.
    pub(crate) fn bare() -> Self {
        Self::subcommand("serve")
    }

    /// A subcommand without any setting from outside.
    pub(crate) fn subcommand(name: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("CONSIGN_") || name.starts_with("DELEGATION_") {
                command.env_remove(&variable);
            }
        }
        command.arg(name);
        Self(command)
    }

    pub(crate) fn env(mut self, variable: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(variable, value);
        self
    }

    pub(crate) fn flag(mut self, flag: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.arg(flag).arg(value);
        self
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// The same, where no more than so many files may be open.
    pub(crate) fn with_open_files(self, files_max: u32) -> Self {
        self.behind(&format!("ulimit -n {files_max}"))
    }

    /// The same, where a file that may not grow is an error of the write, and does not end the process.
    pub(crate) fn told_of_full_files(self) -> Self {
        self.behind("trap '' XFSZ")
    }

    /// The same, where the end of its terminal is not its own: as `nohup` starts it.
    pub(crate) fn outliving_its_terminal(self) -> Self {
        self.behind("trap '' HUP")
    }

    /// The same, in the foreground of this terminal.
    #[cfg(target_os = "linux")]
    pub(crate) fn on(self, terminal: &Terminal) -> Self {
        // The first one to open a terminal that leads a session has it.
        let Self(shell) = self.behind(&format!("exec 8<>'{}'", terminal.name()));
        let mut command = Command::new("setsid");
        command.arg(shell.get_program()).args(shell.get_args());
        Self(inheriting(command, &shell))
    }

    /// The same, by a shell that does this first.
    fn behind(self, first: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first} && exec \"$0\" \"$@\"")]);
        command.arg(self.0.get_program()).args(self.0.get_args());
        Self(inheriting(command, &self.0))
    }

    /// What a test runs in its own way.
    pub(crate) fn command(self) -> Command {
        self.0
    }

    /// Runs it where it is expected to end by itself.
    pub(crate) fn output(mut self) -> Output {
        self.0.output().unwrap()
    }

    /// Starts it and reads its start line, so it listens when this returns.
    pub(crate) fn start(mut self) -> Server {
        let mut child = self.0.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Log::of(child.stderr.take().unwrap());
        let mut start_line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut start_line).unwrap();
        let mut server = Server { child, log, start_line };
        if !server.start_line.contains("http://") {
            let status = server.child.wait().unwrap();
            panic!("no start line; {status}");
        }
        server
    }
}

/// A command that runs another one: by the other's environment.
fn inheriting(mut command: Command, other: &Command) -> Command {
    for (variable, value) in other.get_envs() {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    command
}

/// What a server logs, read on a thread of its own.
struct Log {
    text: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

impl Log {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let all = Arc::clone(&text);
        let read = move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                *all.lock().unwrap() += &(line + "\n");
            }
        };
        Self { text, reading: Some(thread::spawn(read)) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    log: Log,
    pub(crate) start_line: String,
}

impl Server {
    /// Where it listens, as the start line says: `http://127.0.0.1:7420`.
    pub(crate) fn url(&self) -> String {
        let from = self.start_line.find("http://").unwrap();
        let url = self.start_line[from..].split_whitespace().next().unwrap();
        url.to_owned()
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(&self.url())
    }

    /// How much of the machine's memory it has.
    pub(crate) fn rss_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib << 10
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.text()
    }

    /// Stops it; all that it logged.
    pub(crate) fn log_to_its_end(mut self) -> String {
        self.signal(Signal::TERM);
        self.child.wait().unwrap();
        self.log.reading.take().unwrap().join().unwrap();
        self.log()
    }

    /// From now on none of its files may grow, or all may.
    pub(crate) fn let_files_grow(&self, may: bool) {
        let current = if may { None } else { Some(0) };
        let limit = Rlimit { current, maximum: None };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills it as the kernel would, and reaps it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop; how it ended, and after how long.
    pub(crate) fn stop(mut self, signal: Signal) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal(signal);
        let status = self.child.wait().unwrap();
        (status, begun.elapsed())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, or ended now: either way it is reaped.
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}
