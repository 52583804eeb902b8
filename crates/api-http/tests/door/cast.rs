//! The cast: alice delegates, bob works, and the door writes down what was said.
//!
//! What it writes down is what a test compares. A delegation is written whole the first time, without its
//! nulls, and then by what has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use consign_api_http::{App, Hosts, router};
use consign_delivery::{Follower, TooMany, Topic, WAITERS_MAX};
use consign_ledger::delegation::retention::Retention;
use consign_ledger::{AgentId, Ledger, Settings};
use consign_sweeper::{Pruner, Pruning, Sweeper};
use consign_testkit::{HandClock, SeededIds};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::store::{Place, Store};

/// How long a silence may last here, in seconds.
const THRESHOLD_S: u32 = 5;

/// How long things are kept here.
const KEPT: Retention = Retention { acknowledged_days: Some(0), any_days: Some(180) };

/// Longer than a test takes.
const AT_MOST: Duration = Duration::from_mins(10);

/// The fields of a delegation, all of them, always.
pub(crate) const FIELDS: [&str; 33] = [
    "delegation_id",
    "caller_id",
    "callee_id",
    "status",
    "attempt",
    "max_attempts",
    "task",
    "task_preview",
    "result",
    "result_preview",
    "error_detail",
    "failure",
    "stuck_reason",
    "progress",
    "progress_at",
    "waiting",
    "last_heartbeat",
    "deadline",
    "due_at",
    "stuck_threshold_s",
    "stuck_grace_s",
    "start_within_s",
    "progress_within_s",
    "priority",
    "notify",
    "idempotency_key",
    "parent_id",
    "retry_of",
    "metadata",
    "version",
    "created_at",
    "updated_at",
    "finished_at",
];

/// A door onto a fresh ledger.
pub(crate) struct Door {
    router: Router,
    clock: HandClock,
    ledger: Ledger<Store>,
    follower: Arc<Follower<Store>>,
    said: String,
    shown: BTreeMap<String, Map<String, Value>>,
    leases: Vec<String>,
    // The parts that run end with their senders.
    _stop: watch::Sender<bool>,
    _place: Place,
}

/// What the door answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}

impl Door {
    pub(crate) async fn open() -> Self {
        let (place, clock) = (Place::fresh().await, HandClock::default());
        let store = place.open(clock.clone()).await;
        let settings = Settings { stuck_threshold_s: THRESHOLD_S };
        let (ledger, desk) =
            Ledger::open(store, settings, SeededIds::new(7)).await.expect("an open store");
        tokio::spawn(desk.run());
        let sweeping = consign_sweeper::Settings { interval_s: 300, brake: true };
        let (stop, stopping) = watch::channel(false);
        let follower = Arc::new(Follower::new(ledger.clone()));
        let follows = Arc::clone(&follower);
        tokio::spawn(async move { follows.run(stopping).await });
        let router = router(App {
            sweeper: Arc::new(Sweeper::new(ledger.clone(), sweeping)),
            ledger: ledger.clone(),
            follower: Arc::clone(&follower),
            pruner: Arc::new(Pruner::new(ledger.clone(), KEPT, Pruning::Asked)),
            ledger_shown: "sqlite:/srv/consign.db".to_owned(),
            hosts: Hosts::of(([127, 0, 0, 1], 7420).into()),
        });
        let (said, shown, leases) = (String::new(), BTreeMap::new(), vec![]);
        let door = Self {
            router,
            clock,
            ledger,
            follower,
            said,
            shown,
            leases,
            _stop: stop,
            _place: place,
        };
        door.ledger.listen().await.expect("a ledger that listens");
        door
    }

    /// Another hand on the same door.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns once so many wait.
    pub(crate) async fn waiters(&self, count: usize) {
        while self.follower.waiting() < count {
            tokio::task::yield_now().await;
        }
    }

    /// As many wait as may, without asking the store for anything, until what is returned is dropped.
    pub(crate) async fn fill_with_waiters(&self) -> JoinSet<Result<(), TooMany>> {
        let mut waiting = JoinSet::new();
        for _ in 0..WAITERS_MAX {
            let (follower, topic) =
                (Arc::clone(&self.follower), Topic::Inbox(AgentId::new("all").expect("an id")));
            let look = || async { Ok(()) };
            waiting.spawn(async move { follower.wait_for(topic, AT_MOST, look, |()| false).await });
        }
        self.waiters(WAITERS_MAX).await;
        waiting
    }

    /// Asks, and writes nothing down.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the door always answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a whole answer");
        let text = String::from_utf8(bytes.to_vec()).expect("answers are UTF-8");
        Answer { status, headers, text }
    }

    /// Asks and writes down what was said. `$1` in a body is the first lease.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let sent =
            self.leases.iter().enumerate().fold(body.to_owned(), |body, (n, lease)| {
                body.replace(&format!("${}", n + 1), lease)
            });
        let answer = self.send(request(method, path, sent)).await;
        let space = if body.is_empty() { "" } else { " " };
        writeln!(self.said, "{method} {path}{space}{body}").expect("a string takes everything");
        let told = self.told(&answer);
        writeln!(self.said, "  {} {told}", answer.status).expect("a string takes everything");
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "").await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, body).await
    }

    /// Says a verb about a delegation.
    pub(crate) async fn verb(&mut self, id: &str, verb: &str, body: &str) -> Answer {
        self.post(&format!("/v1/delegations/{id}/{verb}"), body).await
    }

    /// Bob claims.
    pub(crate) async fn claims(&mut self, body: &str) -> Answer {
        self.post("/v1/agents/bob/claim", body).await
    }

    /// Alice delegates to bob.
    pub(crate) async fn delegated(&mut self, id: &str) -> Answer {
        let body = format!(
            r#"{{"delegation_id":"{id}","caller_id":"alice","callee_id":"bob","task":"t"}}"#
        );
        self.post("/v1/delegations", &body).await
    }

    /// A line of its own, before what follows.
    pub(crate) fn says(&mut self, what: &str) {
        writeln!(self.said, "\n# {what}").expect("a string takes everything");
    }

    /// Time passes while the ledger listens.
    pub(crate) async fn wait(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock.advance_ms(1000);
            self.ledger.listen().await.expect("a ledger that listens");
        }
        writeln!(self.said, "wait {seconds}s").expect("a string takes everything");
    }

    /// All that was said.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Forgets what was said: it only sets the scene.
    pub(crate) fn forget(&mut self) {
        self.said.clear();
    }

    /// The answer, with leases numbered and delegations shortened.
    fn told(&mut self, answer: &Answer) -> String {
        let Ok(mut value) = serde_json::from_str(&answer.text) else { return answer.text.clone() };
        self.number_leases(&value);
        self.shorten(&mut value);
        let text = value.to_string();
        self.leases
            .iter()
            .enumerate()
            .fold(text, |text, (n, lease)| text.replace(lease.as_str(), &format!("${}", n + 1)))
    }

    fn number_leases(&mut self, value: &Value) {
        let claims = value.get("claims").and_then(Value::as_array).into_iter().flatten();
        for lease in claims.chain([value]).filter_map(|it| it.get("lease")?.as_str()) {
            if !self.leases.iter().any(|known| known == lease) {
                self.leases.push(lease.to_owned());
            }
        }
    }

    fn shorten(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.shorten(item)),
            Value::Object(object) if object.contains_key("callee_id") => {
                self.shorten_delegation(object);
            }
            Value::Object(object) => object.values_mut().for_each(|value| self.shorten(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn shorten_delegation(&mut self, delegation: &mut Map<String, Value>) {
        assert_all_fields(delegation);
        let id = delegation["delegation_id"].to_string();
        let before = self.shown.entry(id).or_default();
        let now = delegation.clone();
        delegation.retain(|field, value| {
            field == "delegation_id" || before.get(field).unwrap_or(&Value::Null) != value
        });
        before.extend(now);
    }
}

/// Lists leave out the bodies; nothing else is ever missing, and nothing is ever added.
fn assert_all_fields(delegation: &Map<String, Value>) {
    let fields: BTreeSet<&str> = delegation.keys().map(String::as_str).collect();
    let whole: BTreeSet<&str> = FIELDS.into_iter().collect();
    let mut listed = whole.clone();
    listed.remove("task");
    listed.remove("result");
    assert!(fields == whole || fields == listed, "{fields:?}");
}

/// A request as a program on this machine sends it.
pub(crate) fn request(method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:7420")
        .header("content-type", "application/json")
        .body(body.into())
        .expect("a well-formed request")
}
