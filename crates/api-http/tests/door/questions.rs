//! Every question: pages, filters, and what they say of nothing.

use insta::assert_snapshot;
use serde_json::Value;

use crate::cast::Door;

#[tokio::test]
async fn one_delegation_is_shown_whole() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.get("/v1/delegations/D1").await;
    door.get("/v1/delegations/D1?wait_s=0&until=stuck").await;
    door.get("/v1/delegations/D2").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_list_is_narrowed_by_each_filter() {
    let mut door = Door::open().await;
    for (id, caller, callee) in
        [("one", "alice", "bob"), ("two", "bob", "carol"), ("three", "alice", "carol")]
    {
        let parent = if id == "two" { r#","parent_id":"one""# } else { "" };
        let body = format!(
            r#"{{"delegation_id":"{id}","caller_id":"{caller}","callee_id":"{callee}","task":"t"{parent}}}"#
        );
        door.post("/v1/delegations", &body).await;
        door.wait(60).await;
    }
    door.verb("three", "cancel", "").await;
    for (query, expected) in [
        ("", vec!["three", "two", "one"]),
        ("?status=cancelled", vec!["three"]),
        ("?status=queued", vec!["two", "one"]),
        ("?status=in_flight", vec!["two", "one"]),
        ("?status=stuck", vec![]),
        ("?caller=alice", vec!["three", "one"]),
        ("?callee=carol", vec!["three", "two"]),
        ("?callee=carol&status=in_flight", vec!["two"]),
        ("?parent=one", vec!["two"]),
        ("?parent=nobody", vec![]),
        ("?id_prefix=t", vec!["three", "two"]),
        ("?created_after=2027-01-15T08:01:00Z", vec!["three", "two"]),
        ("?created_before=2027-01-15T08:01:00Z", vec!["one"]),
        (
            "?created_after=2027-01-15T08:01:00%2B00:00&created_before=2027-01-15T08:02:00Z",
            vec!["two"],
        ),
    ] {
        let answer = door.get(&format!("/v1/delegations{query}")).await.json();
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(answer["count"], expected.len());
        assert_eq!(answer["next_cursor"], Value::Null);
    }
    assert_eq!(ids(&door.get("/v1/delegations/one/children").await.json()), ["two"]);
    assert_eq!(ids(&door.get("/v1/delegations/one/children?status=failed").await.json()), [""; 0]);
    assert_eq!(door.get("/v1/delegations/none/children").await.status, 404);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let mut door = Door::open().await;
    for n in 0..7 {
        door.delegated(&format!("D{n}")).await;
    }
    let (mut all, mut cursor) = (vec![], String::new());
    loop {
        let page = door.get(&format!("/v1/delegations?limit=3{cursor}")).await.json();
        all.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(all, ["D6", "D5", "D4", "D3", "D2", "D1", "D0"]);
}

fn ids(page: &Value) -> Vec<String> {
    let delegations = page["delegations"].as_array().expect("a list");
    delegations.iter().map(|it| it["delegation_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_list_leaves_out_the_bodies() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "complete", r#"{"result":"r"}"#).await;
    let listed = &door.get("/v1/delegations").await.json()["delegations"][0];
    assert_eq!(listed.get("task"), None);
    assert_eq!(listed.get("result"), None);
    assert_eq!((&listed["task_preview"], &listed["result_preview"]), (&"t".into(), &"r".into()));
}

#[tokio::test]
async fn a_long_task_is_kept_whole_and_previewed() {
    let mut door = Door::open().await;
    let task = "ä😀€".repeat(60_000 / 9);
    let body = serde_json::json!({"delegation_id": "D1", "caller_id": "a", "callee_id": "b", "task": task});
    door.post("/v1/delegations", &body.to_string()).await;
    let shown = door.get("/v1/delegations/D1").await.json();
    assert_eq!(shown["delegation"]["task"], task);
    let preview = shown["delegation"]["task_preview"].as_str().expect("a text");
    assert!(task.starts_with(preview));
    assert!((4093..=4096).contains(&preview.len()), "{}", preview.len());
}

#[tokio::test]
async fn events_come_in_pages() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "accept", r#"{"claim_id":"c"}"#).await;
    door.verb("D1", "release", r#"{"lease":"$1","reason":"tired"}"#).await;
    door.verb("D1", "cancel", r#"{"reason":"enough"}"#).await;
    door.forget();
    let page = door.get("/v1/delegations/D1/events?limit=3").await.json();
    door.get(&format!("/v1/delegations/D1/events?after={}", page["next_cursor"])).await;
    door.get("/v1/delegations/D1/events?after=100").await;
    door.get("/v1/delegations/D2/events").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn explaining_says_what_comes_next() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.get("/v1/delegations/D1/explain").await;
    door.verb("D1", "heartbeat", "").await;
    door.wait(2).await;
    door.get("/v1/delegations/D1/explain").await;
    door.wait(4).await;
    door.get("/v1/delegations/D1/explain").await;
    door.post("/v1/sweeps", r#"{"dry_run":true}"#).await;
    door.post("/v1/sweeps", r#"{"dry_run":false}"#).await;
    door.get("/v1/sweeps").await;
    door.get("/v1/sweeps?limit=1").await;
    door.get("/v1/delegations/D1/explain").await;
    door.verb("D1", "cancel", "").await;
    door.get("/v1/delegations/D1/explain").await;
    door.get("/v1/delegations/D2/explain").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn an_inbox_lists_verdicts_and_the_warnings_that_were_asked_for() {
    let mut door = Door::open().await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"D1","caller_id":"al/ice","callee_id":"bob","task":"t","notify":["stuck"]}"#,
    )
    .await;
    door.verb("D1", "heartbeat", "").await;
    door.wait(6).await;
    door.post("/v1/sweeps", "").await;
    door.verb("D1", "complete", r#"{"result":{"n":1}}"#).await;
    door.forget();
    let page = door.get("/v1/agents/al%2Fice/inbox?limit=1").await.json();
    door.get(&format!("/v1/agents/al%2Fice/inbox?after={}", page["next_after"])).await;
    door.get("/v1/agents/al%2Fice/inbox?after=99").await;
    door.get("/v1/agents/nobody/inbox").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn the_counts_name_every_status() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.delegated("D2").await;
    door.verb("D2", "cancel", "").await;
    door.forget();
    door.get("/v1/stats").await;
    door.get("/healthz").await;
    door.get("/readyz").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn the_settings_in_force_are_told() {
    let mut door = Door::open().await;
    door.get("/v1/settings").await;
    assert_snapshot!(door.said());
}
