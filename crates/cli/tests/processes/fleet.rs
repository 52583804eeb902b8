//! Callees that beat each second, as threads: what a healthy fleet looks like to a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::client::Client;

/// From one beat to the next.
const PERIOD: Duration = Duration::from_secs(1);
/// After a beat that nobody answered.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Agents that all beat until they are told otherwise.
pub(crate) struct Fleet {
    agents: Vec<Agent>,
}

impl Fleet {
    /// So many agents, each with a delegation of its own, each heard at least once.
    pub(crate) fn of(count: usize, client: &Client) -> Self {
        let ids: Vec<String> = (0..count).map(|number| format!("agent-{number}")).collect();
        for id in &ids {
            client.delegate(id, &json!({}));
            client.heartbeat(id);
        }
        Self { agents: ids.into_iter().map(|id| Agent::start(id, client)).collect() }
    }

    /// An agent that works on what is already delegated.
    pub(crate) fn of_one(id: &str, client: &Client) -> Self {
        Self { agents: vec![Agent::start(id.to_owned(), client)] }
    }

    /// Silences one agent for good; its delegation, and since when it is silent.
    pub(crate) fn silence_one(&mut self) -> (String, Instant) {
        let mut agent = self.agents.pop().unwrap();
        let last_heard = agent.silence();
        (agent.id.clone(), last_heard)
    }

    /// Nobody who beats was ever marked, and all are in progress.
    #[track_caller]
    pub(crate) fn assert_never_marked(&self, client: &Client) {
        for Agent { id, .. } in &self.agents {
            assert_eq!(client.event_kinds(id), ["created", "started"], "{id}");
            assert_eq!(client.delegation(id)["status"], "in_progress", "{id}");
        }
    }
}

struct Agent {
    id: String,
    alive: Arc<AtomicBool>,
    beating: Option<JoinHandle<Instant>>,
}

impl Agent {
    fn start(id: String, client: &Client) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        let client = Client::patient_for(client.url(), PERIOD);
        let (path, lives) = (format!("/v1/delegations/{id}/heartbeat"), Arc::clone(&alive));
        let beating = thread::spawn(move || beat(&client, &path, &lives));
        Self { id, alive, beating: Some(beating) }
    }

    fn silence(&mut self) -> Instant {
        self.alive.store(false, Ordering::Relaxed);
        self.beating.take().unwrap().join().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.alive.store(false, Ordering::Relaxed);
    }
}

/// Beats each second, again at once where nobody answered; when it was last heard.
fn beat(client: &Client, path: &str, alive: &AtomicBool) -> Instant {
    let mut last_heard = Instant::now();
    while alive.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let answer = client.try_ask(Method::POST, path, Some(&json!({})));
        let heard = answer.is_ok_and(|answer| answer.status == 200);
        last_heard = if heard { begun } else { last_heard };
        thread::sleep(if heard { PERIOD } else { RETRY_AFTER });
    }
    last_heard
}
