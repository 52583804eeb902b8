//! Every outcome of every verb: what is asked, and what is answered.

use insta::assert_snapshot;

use crate::cast::Door;

#[tokio::test]
async fn delegating_makes_one_record_however_often_it_is_asked_for() {
    let mut door = Door::open().await;
    door.says("an id makes a repeat recognisable");
    door.delegated("D1").await;
    door.delegated("D1").await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"D1","caller_id":"alice","callee_id":"bob","task":"other"}"#,
    )
    .await;
    door.says("so does a key, until a failure frees it");
    let keyed = r#"{"caller_id":"alice","callee_id":"bob","task":{"n":1},"idempotency_key":"k"}"#;
    let answer = door.post("/v1/delegations", keyed).await;
    door.post("/v1/delegations", keyed).await;
    door.post("/v1/delegations", &keyed.replace("\"n\":1", "\"n\":2")).await;
    let id = answer.json()["delegation"]["delegation_id"].as_str().expect("an id").to_owned();
    door.verb(&id, "fail", r#"{"error_detail":"no"}"#).await;
    door.post("/v1/delegations", keyed).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn delegating_takes_every_term_and_shows_it() {
    let mut door = Door::open().await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"a/b 😀","caller_id":"alice","callee_id":"bob","task":[1.50,{"big":12345678901234567890123}],
            "idempotency_key":"k","deadline":"2027-01-15T10:00:00+01:00","dispatched":false,"stuck_threshold_s":60,
            "stuck_grace_s":30,"start_within_s":20,"on_not_started":"fail","progress_within_s":40,"max_attempts":3,
            "priority":-5,"notify":["recovered","stuck"],"cancel_children":true,"metadata":{"team":"x"}}"#,
    )
    .await;
    door.get("/v1/delegations/a%2Fb%20%F0%9F%98%80").await;
    door.says("no more than the least is needed, and null is as good as absent");
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":null,"caller_id":"alice","callee_id":"bob","task":null,"deadline_s":60.0,"notify":[],"metadata":null}"#,
    )
    .await;
    door.says("a record of what the caller hands out");
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"r","caller_id":"alice","callee_id":"bob","task":"t","dispatched":true}"#,
    )
    .await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn delegating_is_refused_where_it_would_never_end() {
    let mut door = Door::open().await;
    let post = |caller: &str, callee: &str, more: &str| {
        format!(r#"{{"caller_id":"{caller}","callee_id":"{callee}","task":"t"{more}}}"#)
    };
    door.says("to oneself");
    door.post("/v1/delegations", &post("alice", "alice", "")).await;
    door.says("with a deadline behind us, or too far ahead");
    door.post("/v1/delegations", &post("alice", "bob", r#","deadline":"2027-01-15T08:00:00Z""#))
        .await;
    for far in [
        "2028-01-17T08:00:00Z",
        "2028-01-17t08:00:00z",
        "2027-12-31T23:59:60-23:59",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:60.999999999999Z",
        "9999-12-31T23:59:59-23:59",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00+23:59",
    ] {
        let deadline = format!(r#","deadline":"{far}""#);
        door.post("/v1/delegations", &post("alice", "bob", &deadline)).await;
    }
    door.post(
        "/v1/delegations",
        &post("alice", "bob", r#","deadline":"2028-01-17T08:00:00Z","deadline_s":5"#),
    )
    .await;
    door.says("to be handed out again by itself, and by its caller");
    door.post("/v1/delegations", &post("alice", "bob", r#","dispatched":true,"max_attempts":2"#))
        .await;
    door.says("under a parent that is not there, or somebody else's, or over");
    door.post("/v1/delegations", &post("bob", "carol", r#","parent_id":"P""#)).await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"P","caller_id":"alice","callee_id":"bob","task":"t"}"#,
    )
    .await;
    door.post("/v1/delegations", &post("mallory", "carol", r#","parent_id":"P""#)).await;
    door.post("/v1/delegations", &post("bob", "alice", r#","parent_id":"P""#)).await;
    door.verb("P", "cancel", "").await;
    door.post("/v1/delegations", &post("bob", "carol", r#","parent_id":"P""#)).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_tree_may_be_sixteen_deep() {
    let mut door = Door::open().await;
    for depth in 1..=16 {
        let parent =
            if depth == 1 { String::new() } else { format!(r#","parent_id":"d{}""#, depth - 1) };
        let body = format!(
            r#"{{"delegation_id":"d{depth}","caller_id":"a{depth}","callee_id":"a{}","task":"t"{parent}}}"#,
            depth + 1
        );
        assert_eq!(door.post("/v1/delegations", &body).await.status, 201);
    }
    door.forget();
    door.post(
        "/v1/delegations",
        r#"{"caller_id":"a17","callee_id":"a18","task":"t","parent_id":"d16"}"#,
    )
    .await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn accepting_gives_one_lease() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "accept", r#"{"claim_id":"c1"}"#).await;
    door.verb("D1", "accept", r#"{"claim_id":"c1"}"#).await;
    door.verb("D1", "accept", r#"{"claim_id":"c2"}"#).await;
    door.verb("D1", "accept", "").await;
    door.verb("D1", "complete", r#"{"result":"r","lease":"$1"}"#).await;
    door.verb("D1", "accept", "{}").await;
    door.verb("D2", "accept", "{}").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn claiming_takes_what_waits_the_highest_priority_first() {
    let mut door = Door::open().await;
    for (id, priority) in [("D1", 0), ("D2", 5), ("D3", 0)] {
        let body = format!(
            r#"{{"delegation_id":"{id}","caller_id":"alice","callee_id":"bob","task":["t"],"priority":{priority}}}"#
        );
        door.post("/v1/delegations", &body).await;
    }
    door.forget();
    door.claims("").await;
    door.says("under a name, once more, while it holds");
    door.claims(r#"{"max":100,"claim_id":"c1"}"#).await;
    door.claims(r#"{"max":1,"claim_id":"c1","wait_s":60}"#).await;
    door.verb("D1", "complete", r#"{"result":"r","lease":"$2"}"#).await;
    door.claims(r#"{"claim_id":"c1"}"#).await;
    door.says("nothing is an answer, too, at once or after the wait");
    door.claims("{}").await;
    door.claims(r#"{"wait_s":1}"#).await;
    door.post("/v1/agents/nobody%2Felse/claim", "{}").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn limits_bound_what_is_delegated_and_what_is_claimed() {
    let mut door = Door::open().await;
    door.ask("PUT", "/v1/agents/bob", r#"{"max_in_flight":1,"max_queued":2}"#).await;
    door.delegated("D1").await;
    door.delegated("D2").await;
    door.forget();
    assert_eq!(door.delegated("D3").await.headers["retry-after"], "1");
    door.claims(r#"{"max":100}"#).await;
    door.claims("").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn tasks_that_are_too_large_together_are_left_to_be_shown() {
    let mut door = Door::open().await;
    let task = "x".repeat(3 << 20);
    for n in 1..=4 {
        let body = format!(
            r#"{{"delegation_id":"D{n}","caller_id":"alice","callee_id":"bob","task":"{task}"}}"#
        );
        door.post("/v1/delegations", &body).await;
    }
    let claims = door.claims(r#"{"max":4}"#).await.json()["claims"].clone();
    let told = |n: usize| claims[n]["delegation"].get("task").is_some();
    assert_eq!((0..4).map(told).collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(claims[3]["delegation"]["task_preview"].as_str().unwrap().len(), 4096);
}

#[tokio::test]
async fn dispatching_is_for_what_is_queued() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "dispatch", "").await;
    door.verb("D1", "dispatch", "{}").await;
    door.verb("D1", "heartbeat", "").await;
    door.verb("D1", "dispatch", "{}").await;
    door.verb("D1", "cancel", "{}").await;
    door.verb("D1", "dispatch", "{}").await;
    door.verb("D2", "dispatch", "{}").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_heartbeat_is_told_where_things_stand() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.says("the first one starts it, the next ones keep it alive");
    door.verb("D1", "heartbeat", "").await;
    door.wait(4).await;
    door.verb("D1", "heartbeat", r#"{"progress":{"step":1}}"#).await;
    door.get("/v1/delegations/D1").await;
    door.says("silence makes it stuck, and any heartbeat ends that");
    door.wait(6).await;
    door.post("/v1/sweeps", "").await;
    door.get("/v1/delegations/D1").await;
    door.verb("D1", "heartbeat", "{}").await;
    door.says("a lease, once issued, is needed");
    door.verb("D1", "accept", "{}").await;
    door.verb("D1", "heartbeat", "{}").await;
    door.verb("D1", "heartbeat", r#"{"lease":"$1"}"#).await;
    door.verb("D1", "heartbeat", r#"{"lease":"made up"}"#).await;
    door.verb("D1", "retry", "{}").await;
    door.verb("D1", "heartbeat", r#"{"lease":"$1"}"#).await;
    door.says("after the verdict there is nothing to keep alive");
    door.verb("D1", "cancel", "{}").await;
    door.verb("D1", "heartbeat", r#"{"lease":"$1"}"#).await;
    door.says("of an unknown delegation, and of an invalid one");
    door.verb("D2", "heartbeat", "{}").await;
    door.verb("D1", "heartbeat", r#"{"lease":7}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn a_heartbeat_says_what_it_waits_for() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"human","note":"which one?"}}"#).await;
    door.get("/v1/delegations/D1").await;
    door.says("absent leaves it as it is");
    door.verb("D1", "heartbeat", "{}").await;
    door.get("/v1/delegations/D1").await;
    door.says("an object sets it anew");
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"rate_limit","for_s":30}}"#).await;
    door.get("/v1/delegations/D1").await;
    door.says("null ends it");
    door.verb("D1", "heartbeat", r#"{"waiting":null}"#).await;
    door.get("/v1/delegations/D1").await;
    door.says("a child must be one, and its verdict ends the wait");
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"child"}}"#).await;
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"human","child_id":"C"}}"#).await;
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"child","child_id":"C"}}"#).await;
    door.delegated("C").await;
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"child","child_id":"C"}}"#).await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"C2","caller_id":"bob","callee_id":"carol","task":"t","parent_id":"D1"}"#,
    )
    .await;
    door.verb("D1", "heartbeat", r#"{"waiting":{"for":"child","child_id":"C2"}}"#).await;
    door.get("/v1/delegations/D1").await;
    door.verb("C2", "complete", r#"{"result":null}"#).await;
    door.get("/v1/delegations/D1").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn want_of_progress_is_ended_by_progress_alone() {
    let mut door = Door::open().await;
    door.post(
        "/v1/delegations",
        r#"{"delegation_id":"D1","caller_id":"alice","callee_id":"bob","task":"t","progress_within_s":3}"#,
    )
    .await;
    door.verb("D1", "heartbeat", r#"{"progress":1}"#).await;
    door.wait(4).await;
    door.forget();
    door.post("/v1/sweeps", "").await;
    door.verb("D1", "heartbeat", r#"{"progress":1}"#).await;
    door.verb("D1", "heartbeat", r#"{"progress":2}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn completing_records_one_verdict_and_keeps_what_comes_late() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "complete", r#"{"result":{"answer":42}}"#).await;
    door.says("the same again, however it is laid out");
    door.verb("D1", "complete", r#"{ "result" : { "answer" : 42 } }"#).await;
    door.says("another answer, and another status");
    door.verb("D1", "complete", r#"{"result":{"answer":43}}"#).await;
    door.verb("D1", "fail", r#"{"error_detail":"after all"}"#).await;
    door.get("/v1/delegations/D1/late-results").await;
    door.says("the first result fills a verdict without one");
    door.delegated("D2").await;
    door.verb("D2", "complete", r#"{"result":null}"#).await;
    door.verb("D2", "complete", r#"{"result":"at last"}"#).await;
    door.says("an unknown delegation");
    door.verb("D3", "complete", r#"{"result":null}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn completing_under_a_void_lease_is_refused_and_kept() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "accept", "{}").await;
    door.forget();
    door.verb("D1", "complete", r#"{"result":1}"#).await;
    door.verb("D1", "retry", "{}").await;
    door.verb("D1", "complete", r#"{"result":1,"lease":"$1"}"#).await;
    door.verb("D1", "complete", r#"{"result":1,"lease":"made up"}"#).await;
    door.get("/v1/delegations/D1/late-results").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn ten_late_results_are_kept_and_no_more() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    for n in 0..=10 {
        assert_eq!(door.verb("D1", "complete", &format!(r#"{{"result":{n}}}"#)).await.status, 200);
    }
    door.forget();
    door.verb("D1", "complete", r#"{"result":11}"#).await;
    door.verb("D1", "complete", r#"{"result":5}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn failing_records_one_verdict() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "fail", r#"{"error_detail":"out of memory"}"#).await;
    door.verb("D1", "fail", r#"{"error_detail":"out of memory"}"#).await;
    door.verb("D1", "fail", r#"{"error_detail":"out of disk"}"#).await;
    door.verb("D1", "complete", r#"{"result":1}"#).await;
    door.says("an operator may, and must say why");
    door.delegated("D2").await;
    door.verb("D2", "accept", "{}").await;
    door.verb("D2", "fail", r#"{"error_detail":"gone"}"#).await;
    door.verb("D2", "fail", r#"{"error_detail":"gone","override":" "}"#).await;
    door.verb("D2", "fail", r#"{"error_detail":"gone","override":"its host burned down"}"#).await;
    door.get("/v1/delegations/D2/events").await;
    door.says("a detail is needed");
    door.verb("D3", "fail", "{}").await;
    door.verb("D3", "fail", r#"{"error_detail":"x"}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn releasing_burns_no_attempt() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.verb("D1", "accept", "{}").await;
    door.forget();
    door.verb("D1", "release", "{}").await;
    door.verb("D1", "release", r#"{"lease":"made up"}"#).await;
    door.verb("D1", "release", r#"{"lease":"$1","reason":"host reboots"}"#).await;
    door.verb("D1", "release", r#"{"lease":"$1"}"#).await;
    door.verb("D1", "accept", "{}").await;
    door.verb("D1", "release", r#"{"lease":"$1"}"#).await;
    door.verb("D1", "cancel", "{}").await;
    door.verb("D1", "release", r#"{"lease":"$2"}"#).await;
    door.verb("D2", "release", r#"{"lease":"$2"}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn cancelling_is_a_verdict() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.delegated("D2").await;
    door.verb("D2", "complete", r#"{"result":"r"}"#).await;
    door.forget();
    door.verb("D1", "cancel", r#"{"reason":"not needed"}"#).await;
    door.verb("D1", "cancel", "").await;
    door.verb("D2", "cancel", "{}").await;
    door.verb("D3", "cancel", "{}").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn retrying_hands_the_work_out_again() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.says("what is queued already stays so");
    door.verb("D1", "retry", "").await;
    door.says("in flight: the same one, an attempt further");
    door.verb("D1", "heartbeat", "").await;
    door.verb("D1", "retry", r#"{"if_attempt":1,"callee_id":"carol","deadline_s":60}"#).await;
    door.verb("D1", "retry", r#"{"if_attempt":1}"#).await;
    door.verb("D1", "retry", r#"{"if_attempt":7}"#).await;
    door.verb("D1", "retry", r#"{"callee_id":"alice"}"#).await;
    door.says("terminal: a new one, once");
    door.verb("D1", "cancel", "").await;
    door.verb("D1", "retry", r#"{"if_attempt":1}"#).await;
    door.verb("D1", "retry", "").await;
    door.verb("D1", "retry", "").await;
    door.verb("D2", "retry", "").await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn the_deadline_moves_both_ways() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    door.verb("D1", "extend", r#"{"deadline_s":60,"if_version":1}"#).await;
    door.verb("D1", "extend", r#"{"deadline_s":60,"if_version":1}"#).await;
    door.verb("D1", "extend", r#"{"deadline":"2027-01-16T00:00:00.5+01:00"}"#).await;
    door.verb("D1", "extend", r#"{"deadline_s":60,"if_version":1}"#).await;
    door.says("not into the past, and not too far");
    door.verb("D1", "extend", r#"{"deadline":"2027-01-01T00:00:00Z"}"#).await;
    door.verb("D1", "extend", r#"{"deadline":"2029-01-01T00:00:00Z"}"#).await;
    door.says("exactly one of the two");
    door.verb("D1", "extend", "{}").await;
    door.verb("D1", "extend", r#"{"deadline":"2027-01-16T00:00:00Z","deadline_s":60}"#).await;
    door.says("not once it is over");
    door.verb("D1", "cancel", "").await;
    door.verb("D1", "extend", r#"{"deadline_s":60}"#).await;
    door.verb("D2", "extend", r#"{"deadline_s":60}"#).await;
    assert_snapshot!(door.said());
}

#[tokio::test]
async fn setting_a_status_follows_the_same_rules() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    door.forget();
    let path = "/v1/delegations/D1/status";
    for body in [
        r#"{"status":"dispatched"}"#,
        r#"{"status":"in_progress"}"#,
        r#"{"status":"dispatched"}"#,
        r#"{"status":"stuck","error_detail":"it says nothing"}"#,
        r#"{"status":"stuck"}"#,
        r#"{"status":"in_progress"}"#,
        r#"{"status":"queued"}"#,
        r#"{"status":"completed","result_preview":"done"}"#,
        r#"{"status":"completed","result_preview":"done","override":"seen in the other system"}"#,
        r#"{"status":"completed","result_preview":"done","override":"seen in the other system"}"#,
        r#"{"status":"completed","result_preview":"other","override":"seen in the other system"}"#,
        r#"{"status":"failed","error_detail":"no"}"#,
        r#"{"status":"queued"}"#,
        r#"{"status":"paused"}"#,
        r#"{"status":"in_progress","error_detail":"x"}"#,
        r#"{"status":"failed","result_preview":"x"}"#,
    ] {
        door.ask("PUT", path, body).await;
    }
    door.says("the other two verdicts");
    door.delegated("D2").await;
    door.ask("PUT", "/v1/delegations/D2/status", r#"{"status":"failed","error_detail":"no"}"#)
        .await;
    door.delegated("D3").await;
    door.ask("PUT", "/v1/delegations/D3/status", r#"{"status":"cancelled","error_detail":"no"}"#)
        .await;
    door.ask("PUT", "/v1/delegations/D4/status", r#"{"status":"cancelled"}"#).await;
    door.says("under a lease, which the callee needs and the caller does not");
    door.delegated("D5").await;
    door.verb("D5", "accept", "{}").await;
    let path = "/v1/delegations/D5/status";
    for body in [
        r#"{"status":"stuck"}"#,
        r#"{"status":"stuck","lease":"$1"}"#,
        r#"{"status":"in_progress","lease":"$1"}"#,
        r#"{"status":"queued"}"#,
        r#"{"status":"in_progress","lease":"$1"}"#,
        r#"{"status":"cancelled"}"#,
    ] {
        door.ask("PUT", path, body).await;
    }
    assert_snapshot!(door.said());
}
