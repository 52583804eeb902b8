//! Agents as processes of their own, which the kernel can take away.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::Ledger;

/// Tells this binary that it is an agent: the server's address, the delegation, and what becomes of the agent.
const ORDERS: &str = "CONSIGN_TEST_AGENT";
const BEAT: Duration = Duration::from_millis(500);
const BEATS_OF_WORK: u32 = 6;
/// Printed after the first beat.
const STARTED: &str = "the agent has started";

/// An agent, reaped whatever happens.
struct Agent {
    child: Child,
    /// Kept open, because the process may still print.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Agent {
    /// Delegates `id` and starts the agent that works on it; it has beaten once when this returns.
    fn start(client: &Client, id: &str, fate: &str, terms: &Value) -> Self {
        client.delegate(id, terms);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--nocapture", "--exact", "agent::agent"])
            .env(ORDERS, format!("{} {id} {fate}", client.url()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(says.any(|line| line.unwrap().contains(STARTED)), "{id} did not start");
        Self { child, _says: says }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What an agent process does. Without orders it does nothing.
#[test]
#[ignore = "the body of an agent: the test below starts it as processes of their own"]
fn agent() {
    let Some(orders) = std::env::var_os(ORDERS) else { return };
    let orders = orders.into_string().unwrap();
    let [url, id, fate] = orders.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (client, path) = (Client::of(url), format!("/v1/delegations/{id}"));
    for beat in 0.. {
        let progress = if fate == "wedged" { 0 } else { beat };
        let pulse = client.post(&format!("{path}/heartbeat"), &json!({"progress": progress}));
        if pulse.body["stop"] == true {
            return;
        }
        if beat == 0 {
            println!("{STARTED}");
        }
        if beat == BEATS_OF_WORK && fate != "works-on" && fate != "wedged" {
            let (verb, body) = match fate {
                "answers" => ("complete", json!({"result": "done"})),
                "gives-up" => ("fail", json!({"error_detail": "no such file"})),
                _ => panic!("no such fate: {fate}"),
            };
            client.try_ask(Method::POST, &format!("{path}/{verb}"), Some(&body)).unwrap();
            return;
        }
        thread::sleep(BEAT);
    }
}

#[test]
fn every_agent_gets_the_verdict_it_earned() {
    let ledger = Ledger::new();
    let server = ledger.start(3);
    let client = server.client();
    let start = |id, fate, terms| Agent::start(&client, id, fate, &terms);
    let mut well = start("well", "answers", json!({}));
    let mut honest = start("honest", "gives-up", json!({}));
    let killed = start("killed", "works-on", json!({"deadline_s": 10}));
    let frozen = start("frozen", "works-on", json!({}));
    let mut wedged = start("wedged", "wedged", json!({"progress_within_s": 4, "deadline_s": 12}));
    killed.signal(Signal::KILL);
    frozen.signal(Signal::STOP);

    let silent = |id| {
        let row = client.until_stuck(id);
        assert_eq!((&row["status"], &row["stuck_reason"]), (&json!("stuck"), &json!("silent")));
    };
    silent("killed");
    silent("frozen");
    frozen.signal(Signal::CONT);

    assert_eq!(client.until_terminal("well")["result"], "done");
    assert_eq!(client.until_terminal("honest")["error_detail"], "no such file");
    let idle = client.until_stuck("wedged");
    assert_eq!((&idle["status"], &idle["stuck_reason"]), (&json!("stuck"), &json!("no_progress")));
    for id in ["killed", "wedged"] {
        assert_eq!(client.until_terminal(id)["failure"], "deadline_exceeded");
    }
    // An agent that reads `stop` ends by itself.
    for agent in [&mut well, &mut honest, &mut wedged] {
        assert!(agent.child.wait().unwrap().success());
    }
    let history = client.event_kinds("frozen");
    assert_eq!(history, ["created", "started", "stuck", "recovered"]);
    assert_eq!(client.inbox("alice").len(), 4, "one message for each verdict");
}
