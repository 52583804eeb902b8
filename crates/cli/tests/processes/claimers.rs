//! Fifty who claim from two servers on one database, one of which is killed, and whose answers get lost: each piece of
//! work is held by one of them, and none by nobody.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::postgres::SharedLedger;
use crate::server::free_port;

/// How many delegations, where nobody says: `CONSIGN_CLAIM_DELEGATIONS=10000` is the acceptance of the feature.
const DELEGATIONS: usize = 2000;
const DELEGATIONS_VARIABLE: &str = "CONSIGN_CLAIM_DELEGATIONS";
const CLAIMERS: usize = 50;
/// Of so many tries to claim, one is cut off when it was sent, and the answer to one gets lost.
const CUT_OFF: u64 = 12;
const LOST: u64 = 7;

/// What a claimer wrote down when it was handed something.
type Entry = (String, u64);

#[test]
fn each_attempt_is_held_by_one_whatever_gets_lost() {
    let told = std::env::var(DELEGATIONS_VARIABLE).ok();
    let total = told.map_or(DELEGATIONS, |told| told.parse().unwrap());
    let (ledger, listen) = (SharedLedger::new(), format!("127.0.0.1:{}", free_port()));
    let start = || ledger.serve().env("CONSIGN_LISTEN", &listen).start();
    let (first, second) = (start(), ledger.serve().start());
    let clients = [first.client(), second.client()];
    let done = AtomicUsize::new(0);
    let (first, logs) = thread::scope(|scope| {
        let claimer = |number| Claimer::new(number, &clients, &done, total);
        let claimers: Vec<_> =
            (0..CLAIMERS).map(claimer).map(|claimer| scope.spawn(move || claimer.work())).collect();
        let delegating = scope.spawn(|| delegate_all(&clients[1], total));
        while done.load(Ordering::Relaxed) < total / 3 {
            thread::sleep(Duration::from_millis(5));
        }
        first.kill();
        let first = start();
        delegating.join().unwrap();
        let logs: Vec<_> = claimers.into_iter().map(|it| it.join().unwrap()).collect();
        (first, logs)
    });
    assert_each_was_held_by_one(&logs, total);
    assert_each_has_one_verdict(&ledger, &clients[0], total);
    drop((first, second));
}

/// In small pieces, so that who claims has to wait now and then.
fn delegate_all(client: &Client, total: usize) {
    let request = |number: usize| {
        let (id, priority) = (format!("d{number}"), number % 3);
        json!({"delegation_id": id, "caller_id": "alice", "callee_id": "bob", "task": number, "priority": priority})
    };
    for from in (0..total).step_by(50) {
        let requests: Vec<Value> = (from..total.min(from + 50)).map(request).collect();
        let body = json!({"delegations": requests});
        acknowledged(|| client.try_ask(Method::POST, "/v1/delegations/batch", Some(&body)));
    }
}

/// One worker, under one name.
struct Claimer<'a> {
    number: usize,
    clients: &'a [Client; 2],
    done: &'a AtomicUsize,
    total: usize,
    dice: u64,
}

impl<'a> Claimer<'a> {
    fn new(number: usize, clients: &'a [Client; 2], done: &'a AtomicUsize, total: usize) -> Self {
        Self { number, clients, done, total, dice: 0x9e37_79b9 * (number as u64 + 1) }
    }

    /// Claims and completes until all is done; what it was handed.
    fn work(mut self) -> Vec<Entry> {
        let mut log = vec![];
        while self.done.load(Ordering::Relaxed) < self.total {
            for claim in self.claim() {
                let it = &claim["delegation"];
                let id = it["delegation_id"].as_str().unwrap().to_owned();
                log.push((id.clone(), it["attempt"].as_u64().unwrap()));
                self.complete(&id, &claim["lease"]);
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
        log
    }

    fn claim(&mut self) -> Vec<Value> {
        let body = json!({
            "claim_id": format!("worker-{}", self.number), "max": 1 + self.number % 4, "wait_s": 1,
        });
        loop {
            let client = self.either();
            if self.roll(CUT_OFF) == 0 {
                cut_off(client, &body);
                continue;
            }
            let answer = client.try_ask(Method::POST, "/v1/agents/bob/claim", Some(&body));
            let is_lost = self.roll(LOST) == 0;
            match answer {
                Ok(Answer { status: 200, .. }) if is_lost => {}
                Ok(Answer { status: 200, body }) => {
                    return body["claims"].as_array().unwrap().clone();
                }
                Ok(Answer { status: 503, .. }) | Err(_) => thread::sleep(Duration::from_millis(20)),
                Ok(answer) => panic!("{answer:?}"),
            }
        }
    }

    fn complete(&mut self, id: &str, lease: &Value) {
        let (path, body) =
            (format!("/v1/delegations/{id}/complete"), json!({"result": id, "lease": lease}));
        let answer = acknowledged(|| self.either().try_ask(Method::POST, &path, Some(&body)));
        assert_eq!(answer["kept_as_late"], false, "somebody else completed {id}");
    }

    fn either(&mut self) -> &'a Client {
        &self.clients[usize::from(self.roll(2) == 0)]
    }

    /// A number below `sides`, the same in each run.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.dice >> 33) % sides
    }
}

/// Sends a claim whole, and does not wait for what becomes of it.
fn cut_off(client: &Client, body: &Value) {
    let (address, body) = (client.url().replace("http://", ""), body.to_string());
    let request = format!(
        "POST /v1/agents/bob/claim HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    // While the server is away, nothing is sent.
    if let Ok(mut stream) = TcpStream::connect(&address) {
        drop(stream.write_all(request.as_bytes()));
    }
}

fn acknowledged(mut ask: impl FnMut() -> reqwest::Result<Answer>) -> Value {
    loop {
        match ask() {
            Ok(Answer { status: 200 | 201, body }) => return body,
            Ok(Answer { status: 503, .. }) | Err(_) => thread::sleep(Duration::from_millis(20)),
            Ok(answer) => panic!("{answer:?}"),
        }
    }
}

#[track_caller]
fn assert_each_was_held_by_one(logs: &[Vec<Entry>], total: usize) {
    let mut holders: HashMap<&Entry, Vec<usize>> = HashMap::new();
    for (claimer, log) in logs.iter().enumerate() {
        for entry in log {
            holders.entry(entry).or_default().push(claimer);
        }
    }
    for (entry, claimers) in &holders {
        assert_eq!(claimers.len(), 1, "{entry:?} was handed to {claimers:?}");
    }
    assert_eq!(holders.len(), total);
    let idle = logs.iter().filter(|log| log.is_empty()).count();
    assert!(idle < CLAIMERS / 5, "{idle} claimers got nothing");
}

/// One claim, one verdict and one message for each, and nothing that still waits for anybody.
#[track_caller]
fn assert_each_has_one_verdict(ledger: &SharedLedger, client: &Client, total: usize) {
    for kind in ["claimed", "completed"] {
        let events = "SELECT count(*) FROM events WHERE kind = ";
        let each = "SELECT count(DISTINCT num) FROM events WHERE kind = ";
        for question in [events, each] {
            let count = ledger.count(&format!("{question}'{kind}'"));
            assert_eq!(usize::try_from(count).unwrap(), total, "{question} {kind}");
        }
    }
    let messages = client.inbox("alice");
    let told: HashSet<&str> =
        messages.iter().map(|message| message["delegation_id"].as_str().unwrap()).collect();
    assert_eq!((messages.len(), told.len()), (total, total));
    let stats = client.get("/v1/stats").expect(200);
    for status in ["queued", "dispatched", "in_progress", "stuck", "failed", "cancelled"] {
        assert_eq!(stats[status], 0, "{stats}");
    }
}
