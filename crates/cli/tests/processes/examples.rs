//! The callees of `examples/`, as a reader would run them: each does its work, ends it when it is told to, gives it back
//! when it is shut down, and is found when it is killed.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::server::Ledger;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);

#[test]
fn a_callee_in_shell_does_its_work() {
    does_its_work(&["sh", &example("callee.sh")], &json!(3));
}

#[test]
fn a_callee_in_python_does_its_work() {
    does_its_work(&["python3", &example("callee.py")], &json!(3));
}

#[test]
fn a_callee_in_typescript_does_its_work() {
    let folder = TempDir::new().unwrap();
    let script = as_this_node_runs_it(&example("callee.ts"), &folder);
    does_its_work(&["node", script.to_str().unwrap()], &json!(3));
}

#[test]
fn a_callee_in_rust_does_its_work() {
    let built = Path::new(env!("CARGO_BIN_EXE_consign")).with_file_name("examples").join("callee");
    let says =
        "is built with the other targets, or with: cargo build -p consign-cli --example callee";
    assert!(built.exists(), "{} {says}", built.display());
    does_its_work(&[built.to_str().unwrap()], &json!("3"));
}

#[test]
fn no_example_is_longer_than_a_screen() {
    for name in ["callee.sh", "callee.py", "callee.ts", "callee.rs"] {
        let lines = std::fs::read_to_string(example(name)).unwrap().lines().count();
        assert!(lines < 60, "{name} has {lines} lines");
    }
}

fn does_its_work(command: &[&str], three: &Value) {
    let ledger = Ledger::new();
    let server = ledger.start(3);
    let client = server.client();
    let ask = |id, task| client.delegate(id, &json!({"callee_id": "eve/1", "task": task}));
    ask("the \"first\"", json!({"count_to": 3}));
    ask("a text", json!("write the report"));
    let lossy = Lossy::before(&server.url());
    let mut callee = Callee::start(command, &lossy.url);

    let done = client.until_terminal("the%20%22first%22");
    assert_eq!((&done["status"], &done["result"]), (&json!("completed"), three), "{done}");
    assert_ne!(done["progress"], Value::Null);
    let refused = client.until_terminal("a%20text");
    let why = refused["error_detail"].as_str().unwrap();
    assert!(why.contains(r#"the task must be {"count_to": NUMBER}"#), "{why}");
    assert_eq!(lossy.lost(), ["claim", "complete", "fail"], "answers that were lost on their way");

    ask("endless", json!({"count_to": 1000}));
    until(&client, "endless", |it| it["status"] == "in_progress");
    client.post("/v1/delegations/endless/cancel", &json!({})).expect(200);
    ask("next", json!({"count_to": 1}));
    assert_eq!(client.until_terminal("next")["status"], "completed", "it ended what was cancelled");
    assert_eq!(client.event_kinds("endless"), ["created", "claimed", "cancelled"]);
    let late = client.get("/v1/delegations/endless/late-results").expect(200);
    assert_eq!(late["late_results"], json!([]));

    ask("given back", json!({"count_to": 1000}));
    // Not only claimed: the callee knows that it has it.
    until(&client, "given%20back", |it| it["progress"] != Value::Null);
    callee.signal(Signal::TERM);
    assert!(callee.ended().success());
    assert_eq!(client.event_kinds("given%20back"), ["created", "claimed", "released"]);

    let mut callee = Callee::start(command, &server.url());
    until(&client, "given%20back", |it| it["progress"] != Value::Null);
    callee.signal(Signal::KILL);
    callee.ended();
    let silent = client.until_stuck("given%20back");
    assert_eq!((&silent["status"], &silent["stuck_reason"]), (&json!("stuck"), &json!("silent")));
}

/// Waits for what is no news that a server tells.
fn until(client: &Client, id: &str, is_so: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    while !is_so(&client.delegation(id)) {
        assert!(begun.elapsed() < PATIENCE, "still not so: {}", client.delegation(id));
        thread::sleep(Duration::from_millis(20));
    }
}

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    path.to_str().unwrap().to_owned()
}

/// The script itself where this Node takes types, else without them.
fn as_this_node_runs_it(script: &str, folder: &TempDir) -> PathBuf {
    let needs = "this test needs Node 22.18 or newer, or Node 18 and esbuild; install it, as with: apt-get install nodejs esbuild";
    let output = |command: io::Result<Output>| {
        let output = command.unwrap_or_else(|why| panic!("{why}: {needs}"));
        assert!(output.status.success(), "{output:?}: {needs}");
        output.stdout
    };
    let version = output(Command::new("node").arg("--version").output());
    let version = String::from_utf8(version).unwrap();
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map(|it| it.parse().unwrap());
    let version: (u32, u32) = (numbers.next().unwrap(), numbers.next().unwrap());
    if version >= (22, 18) {
        return script.into();
    }
    let stripped = folder.path().join("callee.mjs");
    let javascript = output(Command::new("esbuild").arg(script).output());
    std::fs::write(&stripped, javascript).unwrap();
    stripped
}

/// A callee, with whatever it starts, reaped whatever happens.
struct Callee(Child);

impl Callee {
    fn start(command: &[&str], url: &str) -> Self {
        let mut process = Command::new(command[0]);
        process.args(&command[1..]).arg("eve/1").process_group(0);
        process.env("CONSIGN_URL", url).env("BEAT_S", "1");
        Self(process.spawn().unwrap_or_else(|why| panic!("{}: {why}; install it", command[0])))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn ended(&mut self) -> std::process::ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        // Its group may outlive it, as what a shell started does.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        drop(self.0.wait());
    }
}

/// A way to a server on which the first answer to each verb is lost.
struct Lossy {
    url: String,
    lost: Arc<Mutex<Vec<&'static str>>>,
}

impl Lossy {
    fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let lost = Arc::new(Mutex::new(vec![]));
        let (server, losing) = (server.replace("http://", ""), Arc::clone(&lost));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, lost) = (server.clone(), Arc::clone(&losing));
                thread::spawn(move || drop(carry(client, &server, &lost)));
            }
        });
        Self { url, lost }
    }

    fn lost(&self) -> Vec<&'static str> {
        self.lost.lock().unwrap().clone()
    }
}

/// Carries both ways, in the server's own name, until one side ends, or an answer is to be lost: then it is read, and everybody is hung up on.
fn carry(mut client: TcpStream, server: &str, lost: &Mutex<Vec<&'static str>>) -> io::Result<()> {
    let (own_name, name) = (client.local_addr()?.to_string(), server);
    let mut server = TcpStream::connect(name)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let loses = Arc::new(Mutex::new(false));
    let losing = Arc::clone(&loses);
    let back = thread::spawn(move || -> io::Result<()> {
        let mut bytes = vec![0; 65_536];
        loop {
            let read = from_server.read(&mut bytes)?;
            if read == 0 || *losing.lock().unwrap() {
                return to_client.shutdown(std::net::Shutdown::Both);
            }
            to_client.write_all(&bytes[..read])?;
        }
    });
    let mut bytes = vec![0; 65_536];
    loop {
        let read = client.read(&mut bytes)?;
        if read == 0 {
            server.shutdown(std::net::Shutdown::Both)?;
            return back.join().unwrap();
        }
        let text = String::from_utf8_lossy(&bytes[..read]);
        let line = text.lines().next().unwrap_or_default();
        let verb = ["claim", "complete", "fail"]
            .into_iter()
            .find(|verb| line.contains(&format!("/{verb} HTTP")));
        let mut lost = lost.lock().unwrap();
        if let Some(verb) = verb.filter(|verb| !lost.contains(verb)) {
            lost.push(verb);
            *loses.lock().unwrap() = true;
        }
        drop(lost);
        server.write_all(text.replace(&own_name, name).as_bytes())?;
    }
}
