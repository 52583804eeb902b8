//! `consign demo`, played to its end, spoiled, and cut off: every verdict is seen, a wrong one is named, and nothing
//! stays behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::postgres::SharedLedger;
use crate::pty::Terminal;

/// Each agent, and the verdict that it must get.
const VERDICTS: [(&str, &str, Option<&str>); 13] = [
    ("healthy", "completed", None),
    ("slow", "completed", None),
    ("waiting", "completed", None),
    ("killed", "completed", None),
    ("frozen", "completed", None),
    ("replaced", "completed", None),
    ("wedged", "failed", Some("attempts_exhausted")),
    ("absent", "failed", Some("not_started")),
    ("late", "failed", Some("deadline_exceeded")),
    ("twice", "completed", None),
    ("honest", "failed", Some("reported")),
    ("obedient", "cancelled", None),
    ("child", "cancelled", Some("parent_cancelled")),
];

/// `consign demo` with a folder of its own for what it leaves lying about while it runs.
fn demo(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consign"));
    command.arg("demo").args(args).env("TMPDIR", folder.path()).stderr(Stdio::piped());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// A demo that tells in lines what happens.
struct Play {
    folder: TempDir,
    child: Child,
    lines: BufReader<ChildStdout>,
    url: String,
}

impl Play {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = demo(&folder, &[]).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut play = Self { folder, child, lines, url: String::new() };
        let invitation = play.until("--url ");
        let (_, url) = invitation.split_once("--url ").unwrap();
        url.trim().clone_into(&mut play.url);
        play
    }

    /// Reads on to a line that has this in it.
    #[track_caller]
    fn until(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "it never said {part:?}");
            if line.contains(part) {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads to the end; how it ended, what else it said, and what it complained about.
    fn read_to_its_end(&mut self) -> (ExitStatus, String, String) {
        let (mut said, mut complaints) = (String::new(), String::new());
        self.lines.read_to_string(&mut said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        (self.child.wait().unwrap(), said, complaints)
    }

    /// The processes that are still there: the server knows the folder, the agents the address.
    fn processes(&self) -> Vec<Pid> {
        let folder = self.folder.path().to_str().unwrap();
        [processes(folder), processes(&self.url)].concat()
    }

    #[track_caller]
    fn assert_nothing_stays(&self) {
        assert_eq!(self.processes(), []);
        assert_eq!(fs::read_dir(&self.folder).unwrap().count(), 0, "files");
        let address = self.url.strip_prefix("http://").unwrap();
        assert!(TcpStream::connect(address).is_err(), "the port is served");
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Processes whose command line has this in it; where the system does not tell, none.
fn processes(mark: &str) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return vec![] };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let marked = |id: &i32| {
        fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(mark))
    };
    ids.filter(marked).filter_map(Pid::from_raw).collect()
}

#[test]
fn every_agent_of_the_demo_gets_its_verdict_and_nothing_stays() {
    let mut play = Play::start();
    let (status, said, complaints) = play.read_to_its_end();
    assert_eq!((status.code(), complaints.as_str()), (Some(0), ""), "{said}");
    for (agent, verdict, failure) in VERDICTS {
        let told = format!("\n{agent:8}  {verdict:9}  ");
        let (_, rest) = said.split_once(&told).unwrap_or_else(|| panic!("{told} is not in {said}"));
        let history = rest.lines().skip(1).take_while(|line| line.starts_with(' '));
        let history: String = history.collect();
        let why = failure.map(|failure| format!("({failure})")).unwrap_or_default();
        assert!(history.contains(verdict) && history.contains(&why), "{agent}: {history}");
    }
    for part in ["13 agents, 13 verdicts in ", "each as it must be", "consign delegate --caller"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    play.assert_nothing_stays();
}

#[test]
fn a_demo_on_a_database_of_ones_own_is_told_as_one_document_and_kept() {
    let (ledger, folder) = (SharedLedger::new(), TempDir::new().unwrap());
    let output = demo(&folder, &["--json", "--database-url", &ledger.url()]).output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), complaints.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["as_expected"], json!(true));
    let agents = document["agents"].as_array().unwrap();
    assert_eq!(agents.len(), VERDICTS.len());
    for (agent, (name, verdict, failure)) in agents.iter().zip(VERDICTS) {
        assert_eq!(
            (&agent["agent"], &agent["status"], &agent["failure"], &agent["verdicts_in_inbox"]),
            (&json!(name), &json!(verdict), &json!(failure), &json!(1)),
        );
    }
    let steps = agents.iter().flat_map(|agent| agent["history"].as_array().unwrap());
    let kinds: BTreeSet<&str> = steps.map(|step| step["kind"].as_str().unwrap()).collect();
    for kind in [
        "created",
        "accepted",
        "started",
        "waiting",
        "resumed",
        "stuck",
        "recovered",
        "requeued",
        "completed",
        "failed",
        "cancelled",
        "late_result",
    ] {
        assert!(kinds.contains(kind), "{kind} is not in {kinds:?}");
    }
    assert_eq!(ledger.count("SELECT count(*) FROM delegations"), 13);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "files");
}

#[test]
fn a_wrong_verdict_and_a_missing_one_are_named() {
    let mut play = Play::start();
    // Somebody else calls one off, and kills another.
    play.until("slow      ledger  started");
    Client::of(&play.url).post("/v1/delegations/healthy/cancel", &json!({})).expect(200);
    let slow = processes(&format!("agent\0slow\0--turn\01\0--url\0{}", play.url));
    kill_process(slow[0], Signal::KILL).unwrap();

    let (status, said, complaints) = play.read_to_its_end();
    assert_eq!(status.code(), Some(20), "{complaints}");
    for part in [
        r#"healthy: its status: "cancelled", and it must be "completed""#,
        r#"slow: its status: "stuck", and it must be "completed""#,
        r#"slow: verdicts in its caller's inbox: "0", and it must be "1""#,
        "slow: its process ended with signal: 9",
    ] {
        assert!(complaints.contains(part), "{part} is not in {complaints}");
    }
    let named: BTreeSet<&str> =
        complaints.lines().filter_map(|line| line.strip_prefix("  ")?.split(':').next()).collect();
    assert_eq!(named, BTreeSet::from(["healthy", "slow"]));
    assert!(said.contains("NOT all as they must be"), "{said}");
    play.assert_nothing_stays();
}

#[test]
fn a_demo_that_is_told_to_end_leaves_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut play = Play::start();
        play.until("slow      agent");
        play.signal(signal);
        let (status, _, complaints) = play.read_to_its_end();
        assert_eq!(status.code(), Some(code), "{complaints}");
        assert!(complaints.contains("ended early"), "{complaints}");
        play.assert_nothing_stays();
    }
}

#[test]
fn a_demo_that_is_killed_takes_everything_with_it_also_what_is_frozen() {
    // Orphans come to this process, which is of their session: then the system does not wake the ones that are stopped.
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let mut play = Play::start();
    play.until("is frozen (SIGSTOP)");
    assert!(cfg!(not(target_os = "linux")) || play.processes().len() > 3);
    play.signal(Signal::KILL);
    let (status, ..) = play.read_to_its_end();
    assert_eq!(status.signal(), Some(Signal::KILL.as_raw()));
    while !play.processes().is_empty() || fs::read_dir(&play.folder).unwrap().count() > 0 {
        std::thread::yield_now();
    }
    play.assert_nothing_stays();
}

#[test]
fn a_terminal_is_painted_and_left_as_it_was() {
    let (folder, mut terminal) = (TempDir::new().unwrap(), Terminal::of(70));
    let mut command = demo(&folder, &[]);
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    let mut child = terminal.runs(command);
    let mut shown = terminal.until("is killed (SIGKILL)");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    shown += &terminal.read_to_its_end();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(shown.starts_with("\x1b[?1049h"), "{shown:?}");
    assert!(shown.contains("\x1b[38;5;14min_progress"), "{shown:?}");
    let (frames, after) = shown.rsplit_once("\x1b[?1049l").expect("the screen is left");
    assert_eq!(after.trim(), "consign: ended early; nothing goes on");
    for frame in frames.split("\x1b[H").skip(1) {
        assert_eq!(frame.matches('\n').count(), 39, "{frame:?}");
    }
}
