//! Agents, and the inboxes that they acknowledge.

use insta::assert_snapshot;

use crate::cast::{Door, request};

#[tokio::test]
async fn an_agent_is_registered_set_anew_and_forgotten() {
    let mut door = Door::open().await;
    let whole = r#"{"stuck_threshold_s":60,"notify":["stuck"],"max_in_flight":2,"max_queued":0}"#;
    door.ask("PUT", "/v1/agents/bo%2Fb", whole).await;
    door.ask("PUT", "/v1/agents/bo%2Fb", whole).await;
    door.wait(1).await;
    door.ask("PUT", "/v1/agents/bo%2Fb", r#"{"notify":null}"#).await;
    door.get("/v1/agents/bo%2Fb").await;
    door.ask("DELETE", "/v1/agents/bo%2Fb", "").await;
    door.ask("DELETE", "/v1/agents/bo%2Fb", "").await;
    door.get("/v1/agents/bo%2Fb").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn what_cannot_be_set_is_refused_by_name() {
    let mut door = Door::open().await;
    for body in [
        r#"{"stuck_threshold_s":0}"#,
        r#"{"max_in_flight":10001}"#,
        r#"{"max_queued":-1}"#,
        r#"{"notify":["dead"]}"#,
        r#"{"threshold":5}"#,
    ] {
        door.ask("PUT", "/v1/agents/bob", body).await;
    }
    door.get("/v1/agents?limit=101").await;
    door.get("/v1/agents?cursor=x").await;
    door.get("/v1/agents/bob?verbose=1").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn everybody_known_is_listed_with_how_they_do() {
    let mut door = Door::open().await;
    door.ask("PUT", "/v1/agents/bob", r#"{"stuck_threshold_s":60}"#).await;
    door.delegated("D1").await;
    door.delegated("D2").await;
    door.wait(2).await;
    door.verb("D1", "complete", r#"{"result":"r"}"#).await;
    door.wait(3).await;
    door.forget();
    let page = door.get("/v1/agents?limit=1").await.json();
    door.get(&format!("/v1/agents?after={}", page["next_after"].as_str().unwrap())).await;
    door.get("/v1/agents/bob").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn an_inbox_is_acknowledged_and_read_from_there() {
    let mut door = Door::open().await;
    for id in ["D1", "D2"] {
        door.delegated(id).await;
        door.verb(id, "cancel", "").await;
    }
    door.forget();
    let ack = "/v1/agents/alice/inbox/ack";
    door.get("/v1/agents/alice/inbox?limit=1").await;
    door.post(ack, r#"{"through":2}"#).await;
    door.post(ack, r#"{"through":1}"#).await;
    door.get("/v1/agents/alice/inbox").await;
    door.post(ack, r#"{"through":5}"#).await;
    door.post(ack, "").await;
    door.post(ack, r#"{"through":-1}"#).await;
    door.post(ack, r#"{"through":4}"#).await;
    door.get("/v1/agents/alice/inbox").await;
    door.get("/v1/agents/alice/inbox?after=0&limit=1").await;
    door.get("/v1/agents/alice/inbox?wait_s=61").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn nobody_of_whom_nothing_is_known_is_not_found_and_has_an_empty_inbox() {
    let door = Door::open().await;
    let nobody = door.send(request("GET", "/v1/agents/nobody", "")).await;
    assert_eq!(nobody.status, 404);
    assert!(nobody.text.contains("urn:consign:problem:no-such-agent"), "{}", nobody.text);
    let empty = door.send(request("GET", "/v1/agents/nobody/inbox", "")).await;
    assert_eq!(empty.json()["messages"], serde_json::json!([]));
}
