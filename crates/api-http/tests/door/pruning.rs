//! Pruning: what may go, and what goes.

use insta::assert_snapshot;

use crate::cast::Door;

#[tokio::test]
async fn what_was_acknowledged_may_go_and_exactly_what_was_seen_goes() {
    let mut door = Door::open().await;
    for id in ["D1", "D2", "D3"] {
        door.delegated(id).await;
    }
    door.verb("D1", "cancel", "").await;
    door.verb("D2", "cancel", "").await;
    door.wait(1).await;
    door.forget();
    door.get("/v1/prunable").await;
    door.post("/v1/agents/alice/inbox/ack", r#"{"through":5}"#).await;
    let page = door.get("/v1/prunable?limit=1").await.json();
    let next = page["next_cursor"].as_str().unwrap();
    door.get(&format!("/v1/prunable?limit=2&cursor={next}")).await;
    let asked = r#"{"delegations":[
        {"delegation_id":"D1","if_version":2},{"delegation_id":"D2","if_version":1},{"delegation_id":"D3"},
        {"delegation_id":"D4"},{"delegation_id":"","if_version":1},{"delegation_id":"D1"}]}"#;
    door.post("/v1/prune", asked).await;
    door.get("/v1/delegations/D1").await;
    door.get("/v1/agents/alice/inbox?after=0").await;
    door.get("/v1/stats").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn what_cannot_be_pruned_is_refused_by_name() {
    let mut door = Door::open().await;
    door.post("/v1/prune", "").await;
    door.post("/v1/prune", r#"{"delegations":[],"days":3}"#).await;
    door.post("/v1/prune", r#"{"delegations":[{"delegation_id":"D1","if_version":0}]}"#).await;
    door.get("/v1/prunable?cursor=AQAAAAAAAAAB").await;
    door.get("/v1/prunable?limit=0").await;
    assert_snapshot!(door.said());
}
