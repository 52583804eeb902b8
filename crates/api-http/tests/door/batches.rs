//! Many at once: an outcome each, and nobody suffers for a neighbour.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::cast::{Door, request};

#[tokio::test]
async fn each_delegation_of_a_batch_has_its_own_outcome() {
    let mut door = Door::open().await;
    door.post(
        "/v1/delegations/batch",
        r#"{"delegations":[
            {"delegation_id":"P","caller_id":"alice","callee_id":"bob","task":"t","metadata":{"n":1}},
            {"delegation_id":"C","caller_id":"bob","callee_id":"carol","task":{"a":1},"parent_id":"P"},
            {"delegation_id":"P","caller_id":"alice","callee_id":"bob","task":"t"},
            {"delegation_id":"P","caller_id":"alice","callee_id":"bob","task":"other"},
            {"caller_id":"alice","callee_id":"alice","task":"t"},
            {"caller_id":"alice","callee_id":"bob"},
            {"caller_id":"alice","callee_id":"bob","task":"\u0000"},
            {"caller_id":"alice","callee_id":"bob","task":"t","deadline_s":1,"deadline":"2027-01-16T00:00:00Z"},
            ["alice","bob","t"],
            7
        ]}"#,
    )
    .await;
    door.post("/v1/delegations/batch", r#"{"delegations":[]}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_batch_tells_of_its_delegations_as_a_list_does() {
    let mut door = Door::open().await;
    let long = "x".repeat(10_000);
    let body = json!({"delegations": [
        {"delegation_id": "D1", "caller_id": "alice", "callee_id": "bob", "task": long, "metadata": {"n": 1}}
    ]});
    let made = door.send(request("POST", "/v1/delegations/batch", body.to_string())).await.json();
    door.verb("D1", "complete", &json!({"result": long}).to_string()).await;
    let again = door.send(request("POST", "/v1/delegations/batch", body.to_string())).await.json();
    for (answer, replayed, result) in [(made, false, None), (again, true, Some(&long[..4096]))] {
        let outcome = &answer["outcomes"][0];
        let told = &outcome["delegation"];
        assert_eq!((&outcome["ok"], &outcome["replayed"]), (&json!(true), &json!(replayed)));
        assert_eq!((told.get("task"), told.get("result")), (None, None));
        assert_eq!(told["task_preview"], &long[..4096]);
        assert_eq!(told["result_preview"], json!(result));
        assert_eq!(told["metadata"], json!({"n": 1}));
    }
}

#[tokio::test]
async fn each_heartbeat_of_a_batch_has_its_own_outcome() {
    let mut door = Door::open().await;
    for id in ["D1", "D2", "D3"] {
        door.delegated(id).await;
    }
    door.verb("D2", "accept", "{}").await;
    door.verb("D3", "cancel", "{}").await;
    door.forget();
    let beats = r#"{"heartbeats":[
            {"delegation_id":"D1"},
            {"delegation_id":"D1","progress":[1,2]},
            {"delegation_id":"D2"},
            {"delegation_id":"D2","lease":"$1","waiting":{"for":"auth"}},
            {"delegation_id":"D3"},
            {"delegation_id":"D4"},
            {"delegation_id":"D1","lease":7},
            {"delegation_id":""},
            {"lease":"$1"},
            {"delegation_id":"D1","waiting":["human"]},
            {"delegation_id":"D1","extra":1}
        ]}"#;
    door.post("/v1/heartbeats", beats).await;
    door.get("/v1/delegations/D1").await;
    door.get("/v1/delegations/D2").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_batch_has_at_most_a_thousand() {
    let door = Door::open().await;
    for (path, field, item) in [
        ("/v1/heartbeats", "heartbeats", json!({"delegation_id": "D"})),
        (
            "/v1/delegations/batch",
            "delegations",
            json!({"caller_id": "a", "callee_id": "b", "task": 1}),
        ),
    ] {
        let send = async |count: usize| {
            let body = json!({field: vec![&item; count]}).to_string();
            door.send(request("POST", path, body)).await
        };
        let full = send(1000).await;
        assert_eq!((full.status, outcomes(&full.json())), (200, 1000), "{path}");
        let over = send(1001).await;
        assert_eq!((over.status, &over.json()["field"]), (400, &json!(field)), "{path}");
    }
}

fn outcomes(answer: &Value) -> usize {
    answer["outcomes"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_key_in_the_header_is_for_one_delegation() {
    let door = Door::open().await;
    let with_key = |path: &str, key: &str, body: &str| {
        let mut request = request("POST", path, body.to_owned());
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        request
    };
    let body = r#"{"caller_id":"a","callee_id":"b","task":"t"}"#;
    let first = door.send(with_key("/v1/delegations", "k", body)).await;
    let again = door.send(with_key("/v1/delegations", "k", body)).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["delegation"]["idempotency_key"], "k");
    let other = body.replace("\"t\"", "\"t\",\"idempotency_key\":\"other\"");
    let contradicts = door.send(with_key("/v1/delegations", "k", &other)).await;
    assert_eq!(
        (contradicts.status, &contradicts.json()["field"]),
        (400, &json!("idempotency_key"))
    );
    let mut both = with_key("/v1/delegations", "k", body);
    both.headers_mut().append("idempotency-key", "other".parse().unwrap());
    let both = door.send(both).await;
    assert_eq!((both.status, &both.json()["field"]), (400, &json!("Idempotency-Key")));
    let empty = door.send(with_key("/v1/delegations", "", body)).await;
    assert_eq!((empty.status, &empty.json()["field"]), (400, &json!("Idempotency-Key")));
    let batch = door.send(with_key("/v1/delegations/batch", "k", r#"{"delegations":[]}"#)).await;
    assert_eq!((batch.status, &batch.json()["field"]), (400, &json!("Idempotency-Key")));
}
