//! Waiting for news: the answer comes when there is some.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::cast::{Door, request};

#[tokio::test]
async fn who_waits_is_answered_at_the_verdict() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    let (status, body) =
        news(&mut door, "/v1/delegations/D1?wait_s=60", async |door: &mut Door| {
            door.verb("D1", "complete", r#"{"result":"r"}"#).await;
        })
        .await;
    assert_eq!((status, &body["delegation"]["result"]), (200, &json!("r")));
}

#[tokio::test]
async fn who_waits_for_trouble_is_answered_at_the_warning() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "heartbeat", "").await;
    let path = "/v1/delegations/D1?wait_s=60&until=stuck";
    let (status, body) = news(&mut door, path, async |door: &mut Door| {
        door.wait(6).await;
        door.post("/v1/sweeps", "").await;
    })
    .await;
    assert_eq!((status, &body["delegation"]["status"]), (200, &json!("stuck")));
    assert_eq!(body["delegation"]["error_detail"], "no heartbeat for 6s");
}

#[tokio::test]
async fn who_waits_for_what_is_over_or_unknown_is_answered_at_once() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "cancel", "").await;
    assert_eq!(door.get("/v1/delegations/D1?wait_s=60").await.status, 200);
    assert_eq!(door.get("/v1/delegations/D2?wait_s=60").await.status, 404);
}

#[tokio::test]
async fn who_waits_for_a_message_is_answered_when_it_comes() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    let path = "/v1/agents/alice/inbox?wait_s=60";
    let (status, body) = news(&mut door, path, async |door: &mut Door| {
        door.verb("D1", "complete", r#"{"result":"r"}"#).await;
    })
    .await;
    assert_eq!((status, &body["messages"][0]["delegation_id"]), (200, &json!("D1")));
    // What was not acknowledged is there at once, and what was is waited for.
    assert_eq!(door.get(path).await.json()["messages"], body["messages"]);
    door.post("/v1/agents/alice/inbox/ack", r#"{"through":2}"#).await;
    door.delegated("D2").await;
    let (_, body) = news(&mut door, path, async |door: &mut Door| {
        door.verb("D2", "cancel", "").await;
    })
    .await;
    assert_eq!(body["messages"][0]["delegation_id"], "D2");
}

#[tokio::test]
async fn who_waits_for_no_message_gets_an_empty_page() {
    let mut door = Door::open().await;
    let empty = door.get("/v1/agents/alice/inbox?wait_s=1").await;
    assert_eq!((empty.status, &empty.json()["messages"]), (200, &json!([])));
    assert_eq!(door.get("/v1/agents/alice/inbox?wait_s=0").await.status, 200);
}

#[tokio::test]
async fn who_waits_for_work_is_answered_when_there_is_some() {
    let mut door = Door::open().await;
    let asked = request("POST", "/v1/agents/bob/claim", r#"{"wait_s":60}"#);
    let (status, body) = answer_to(&mut door, asked, async |door: &mut Door| {
        door.delegated("D1").await;
    })
    .await;
    assert_eq!((status, &body["claims"][0]["delegation"]["delegation_id"]), (200, &json!("D1")));
}

/// A look without being told comes every two seconds, so that of several in a row most are late.
#[tokio::test]
async fn who_waits_at_its_limit_is_answered_as_soon_as_a_hand_is_free() {
    let mut door = Door::open().await;
    door.ask("PUT", "/v1/agents/bob", r#"{"max_in_flight":1}"#).await;
    // While somebody waits, nobody who comes makes the follower begin anew, which would be a look of its own.
    let always = request("GET", "/v1/agents/nobody/inbox?wait_s=60", "");
    let always = tokio::spawn(door.router().oneshot(always));
    door.waiters(1).await;
    door.delegated("D0").await;
    let mut claimed = door.claims("{}").await.json();
    let mut delays = vec![];
    for n in 1..6 {
        door.delegated(&format!("D{n}")).await;
        door.wait(1).await;
        let mut free_since = Instant::now();
        let asked = request("POST", "/v1/agents/bob/claim", r#"{"wait_s":60}"#);
        let (_, next) = answer_to(&mut door, asked, async |door: &mut Door| {
            door.waiters(2).await;
            let (verb, body) = match n {
                1 => ("complete", json!({"result": "r", "lease": claimed["claims"][0]["lease"]})),
                5 => ("release", json!({"lease": claimed["claims"][0]["lease"]})),
                _ => ("cancel", json!({})),
            };
            free_since = Instant::now();
            let answer = door.verb(&format!("D{}", n - 1), verb, &body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        })
        .await;
        delays.push(free_since.elapsed());
        assert_eq!(next["claims"][0]["delegation"]["delegation_id"], format!("D{n}"));
        claimed = next;
    }
    delays.sort_unstable();
    assert!(delays[2] < Duration::from_secs(1), "{delays:?}");
    always.abort();
}

#[tokio::test]
async fn who_leaves_while_waiting_for_work_takes_none() {
    let mut door = Door::open().await;
    let ask = |body: &'static str| request("POST", "/v1/agents/bob/claim", body);
    let left = tokio::spawn(door.router().oneshot(ask(r#"{"wait_s":60}"#)));
    let (status, body) = answer_to(&mut door, ask(r#"{"wait_s":60}"#), async |door: &mut Door| {
        left.abort();
        door.delegated("D1").await;
    })
    .await;
    assert_eq!((status, &body["claims"][0]["delegation"]["version"]), (200, &json!(2)));
}

#[tokio::test]
async fn one_too_many_that_waits_is_turned_away_and_told_when_to_come_back() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    let _waiting = door.fill_with_waiters().await;
    for asked in [
        request("GET", "/v1/delegations/D1?wait_s=60", ""),
        request("GET", "/v1/agents/alice/inbox?wait_s=60", ""),
        request("POST", "/v1/agents/carol/claim", r#"{"wait_s":60}"#),
    ] {
        let turned_away = door.send(asked).await;
        assert_eq!(turned_away.status, 429, "{}", turned_away.text);
        assert_eq!(turned_away.headers["retry-after"], "1");
        let problem = turned_away.json();
        assert_eq!(problem["type"], "urn:consign:problem:too-many-requests");
        let detail = "too many requests wait already; come back later, or ask without `wait_s`";
        assert_eq!(problem["detail"], detail);
    }
    // Who does not wait, and what is there already, need no place.
    door.delegated("D2").await;
    assert_eq!(door.get("/v1/delegations/D1?wait_s=0").await.status, 200);
    assert_eq!(door.claims(r#"{"wait_s":60}"#).await.status, 200);
}

/// The answer to a question that is asked before something happens.
async fn news(
    door: &mut Door,
    path: &str,
    happens: impl AsyncFnOnce(&mut Door),
) -> (u16, serde_json::Value) {
    answer_to(door, request("GET", path, ""), happens).await
}

async fn answer_to(
    door: &mut Door,
    asked: Request<Body>,
    happens: impl AsyncFnOnce(&mut Door),
) -> (u16, serde_json::Value) {
    let answer = tokio::spawn(door.router().oneshot(asked));
    happens(door).await;
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
    let response = answer.expect("news in time").expect("no panic").expect("the door answers");
    let status = response.status().as_u16();
    let bytes =
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a whole answer");
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}
