//! PostgreSQL goes away under load, for longer than the threshold, and comes back: nobody healthy is marked, and
//! nothing acknowledged is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use consign_testkit::postgres::{Server as Postgres, Stop};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::client::Client;
use crate::crash::{audit, call};
use crate::fleet::Fleet;
use crate::postgres::serve_on;

const THRESHOLD_S: u32 = 6;
const AWAY: Duration = Duration::from_secs(10);
/// From one beat of the slow to the next, whether or not it was heard: long after the database is back, they have not
/// beaten yet.
const SLOW: Duration = Duration::from_secs(3);
/// Everything works again so soon after the database is back.
const HEALED_WITHIN: Duration = Duration::from_secs(10);
const AGENTS: usize = 10;
const CALLERS: usize = 3;

/// From the next session on, the database's clock is half a minute ahead: what is unqualified is found there first.
const CLOCK_AHEAD: &str = "
    CREATE SCHEMA ahead;
    CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS $$ SELECT pg_catalog.clock_timestamp() + interval '30 s' $$;
    ALTER DATABASE postgres SET search_path = ahead, pg_catalog, public;";

#[test]
fn an_outage_of_postgresql_under_load_is_nobodys_silence_and_loses_nothing() {
    let mut postgres = Postgres::start();
    let server = serve_on(&postgres.url())
        .env("DELEGATION_STUCK_THRESHOLD_S", THRESHOLD_S.to_string())
        .start();
    let client = server.client();
    let (mut fleet, slow) = (Fleet::of(AGENTS, &client), Slow::beat(&client));
    let over = AtomicBool::new(false);
    let done: usize = thread::scope(|scope| {
        let caller = |number| (number, client.clone(), &over);
        let callers: Vec<_> = (0..CALLERS)
            .map(caller)
            .map(|(number, client, over)| scope.spawn(move || call(number, &client, over)))
            .collect();
        thread::sleep(Duration::from_secs(2));
        go_away(&mut postgres, Stop::Immediate, &client);
        thread::sleep(Duration::from_secs(u64::from(THRESHOLD_S)));
        over.store(true, Ordering::Relaxed);
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    let messages: usize = (0..CALLERS).map(|number| audit(number, &client)).sum();
    assert!(done > 0 && messages == done, "{done} went through, and there are {messages} messages");
    assert_found_soon(&mut fleet, &client);
    fleet.assert_never_marked(&client);
    slow.assert_never_marked(&client);
}

#[test]
fn a_database_whose_clock_is_half_a_minute_ahead_after_an_outage_marks_nobody() {
    let mut postgres = Postgres::start();
    let server = serve_on(&postgres.url())
        .env("DELEGATION_STUCK_THRESHOLD_S", THRESHOLD_S.to_string())
        .start();
    let client = server.client();
    let (mut fleet, slow) = (Fleet::of(AGENTS, &client), Slow::beat(&client));
    let before = seen_at(&client, "before");
    let set_ahead = async { postgres.vandal().await.batch_execute(CLOCK_AHEAD).await.unwrap() };
    Runtime::new().unwrap().block_on(set_ahead);
    go_away(&mut postgres, Stop::Fast, &client);
    thread::sleep(Duration::from_secs(u64::from(THRESHOLD_S)));
    let ahead = seen_at(&client, "after").duration_since(before);
    assert!(ahead.as_secs() >= 30, "the clock went on by {ahead}: this test shows nothing");
    assert_found_soon(&mut fleet, &client);
    fleet.assert_never_marked(&client);
    slow.assert_never_marked(&client);
    assert!(server.log().contains("THE CLOCK STEPPED"), "said loudly: {}", server.log());
}

#[test]
fn a_server_stops_in_good_order_while_its_database_is_away() {
    let postgres = Postgres::start();
    let server = serve_on(&postgres.url()).start();
    let client = server.client();
    client.delegate("d1", &json!({}));
    postgres.stop(Stop::Immediate);
    assert_refused_for_now(&client);
    let (status, after) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(after < Duration::from_secs(8), "{after:?}");
}

/// Gone, refused in the meantime with when to come back, and healed once the database is there again.
fn go_away(postgres: &mut Postgres, how: Stop, client: &Client) {
    postgres.stop(how);
    let gone = Instant::now();
    assert_refused_for_now(client);
    thread::sleep(AWAY.saturating_sub(gone.elapsed()));
    postgres.start_again();
    let back = Instant::now();
    while client.get("/readyz").status != 200 {
        assert!(
            back.elapsed() < HEALED_WITHIN,
            "not ready {:?} after the database",
            back.elapsed()
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn assert_refused_for_now(client: &Client) {
    let http = reqwest::blocking::Client::new();
    let body = json!({"caller_id": "alice", "callee_id": "bob", "task": "t"});
    let writing = http.post(format!("{}/v1/delegations", client.url())).json(&body);
    for request in [writing, http.get(format!("{}/v1/stats", client.url()))] {
        let asked = Instant::now();
        let refused = request.send().unwrap();
        assert_eq!(refused.status(), 503, "{refused:?}");
        assert!(refused.headers().contains_key("retry-after"), "{refused:?}");
        let body = refused.text().unwrap();
        assert!(body.contains("urn:consign:problem:unavailable"), "{body}");
        assert!(asked.elapsed() < Duration::from_secs(20), "answered after {:?}", asked.elapsed());
    }
    assert_eq!(client.get("/healthz").status, 200, "the process itself is well");
}

/// Who falls silent after it all is found: the outage blinded nobody.
#[track_caller]
fn assert_found_soon(fleet: &mut Fleet, client: &Client) {
    let (id, last_heard) = fleet.silence_one();
    assert_eq!(client.until_stuck(&id)["status"], "stuck");
    let after = last_heard.elapsed();
    assert!(after < Duration::from_secs(u64::from(THRESHOLD_S) + 4), "{after:?}");
}

/// The ledger's time, by what it writes down.
fn seen_at(client: &Client, id: &str) -> jiff::Timestamp {
    client.delegate(id, &json!({}))["created_at"].as_str().unwrap().parse().unwrap()
}

/// Agents that beat together, and seldom.
struct Slow {
    over: Arc<AtomicBool>,
    beating: Option<JoinHandle<()>>,
}

impl Slow {
    fn beat(client: &Client) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for id in Self::ids() {
            client.delegate(&id, &json!({}));
            client.heartbeat(&id);
        }
        let (until, client) = (Arc::clone(&over), Client::patient_for(client.url(), SLOW / 3));
        let beating = thread::spawn(move || {
            let beats: Vec<Value> = Self::ids().map(|id| json!({"delegation_id": id})).collect();
            let beats = json!({"heartbeats": beats});
            while !until.load(Ordering::Relaxed) {
                let begun = Instant::now();
                drop(client.try_ask(Method::POST, "/v1/heartbeats", Some(&beats)));
                thread::sleep(SLOW.saturating_sub(begun.elapsed()));
            }
        });
        Self { over, beating: Some(beating) }
    }

    fn ids() -> impl Iterator<Item = String> {
        (0..AGENTS).map(|number| format!("slow-{number}"))
    }

    #[track_caller]
    fn assert_never_marked(mut self, client: &Client) {
        for id in Self::ids() {
            assert_eq!(client.event_kinds(&id), ["created", "started"], "{id}");
        }
        self.over.store(true, Ordering::Relaxed);
        self.beating.take().unwrap().join().unwrap();
    }
}
