//! Bad input: each a clear 4xx that names what is wrong, and nothing changes.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use insta::assert_snapshot;
use serde_json::json;

use crate::cast::{Answer, Door, request};

/// A door with one delegation in flight, and what it looks like.
async fn door() -> (Door, String) {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    let before = everything(&door).await;
    door.forget();
    (door, before)
}

/// All that the ledger tells: it must be the same after bad input.
async fn everything(door: &Door) -> String {
    let mut all = String::new();
    for path in ["/v1/delegations", "/v1/delegations/D1", "/v1/delegations/D1/events", "/v1/stats"]
    {
        all += &door.send(request("GET", path, "")).await.text;
    }
    all
}

async fn unchanged(door: &Door, before: &str) {
    assert_eq!(everything(door).await, before);
}

#[tokio::test]
async fn a_request_to_delegate_is_checked_field_by_field() {
    let (mut door, before) = door().await;
    let long = "x".repeat(256);
    let with = |field: &str, value: &str| {
        let mut fields = vec![("caller_id", "\"a\""), ("callee_id", "\"b\""), ("task", "1")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let long_id = format!("{long:?}");
    for (field, value) in [
        ("caller_id", "\"\""),
        ("caller_id", "null"),
        ("caller_id", "7"),
        ("caller_id", long_id.as_str()),
        ("callee_id", r#""a\u0000b""#),
        ("callee_id", r#""a\nb""#),
        ("callee_id", r#""a\ud800b""#),
        ("delegation_id", "\"\""),
        ("delegation_id", "[]"),
        ("parent_id", "\"\""),
        ("idempotency_key", "\"\""),
        ("task", r#"{"deep":["\u0000"]}"#),
        ("task", r#""\ud83d alone""#),
        ("task", r#"{"half":"\udc00"}"#),
        ("deadline", "\"tomorrow\""),
        ("deadline", "1800000000"),
        ("deadline", "\"2027-01-15T08:00:01\""),
        ("deadline", "\"2027-13-45T08:00:01Z\""),
        ("deadline_s", "0"),
        ("deadline_s", "-1"),
        ("deadline_s", "1.5"),
        ("deadline_s", "31622401"),
        ("deadline_s", "12345678901234567890"),
        ("deadline_s", "123456789012345678901234567890"),
        ("deadline_s", "1e30"),
        ("deadline_s", "1e999"),
        ("deadline_s", "-9223372036854775809"),
        ("deadline_s", "-1e19"),
        ("deadline_s", "\"60\""),
        ("deadline_s", "true"),
        ("stuck_threshold_s", "0"),
        ("stuck_grace_s", "-5"),
        ("start_within_s", "1.000001"),
        ("progress_within_s", "{}"),
        ("on_not_started", "\"panic\""),
        ("max_attempts", "0"),
        ("max_attempts", "1001"),
        ("priority", "2147483648"),
        ("priority", "-2147483649"),
        ("notify", "\"stuck\""),
        ("notify", "[\"stuck\",\"dead\"]"),
        ("notify", "[{\"stuck\":null}]"),
        ("dispatched", "1"),
        ("dispatched", "\"true\""),
        ("cancel_children", "[]"),
        ("status", "\"completed\""),
        ("Caller_id", "\"a\""),
    ] {
        door.post("/v1/delegations", &with(field, value)).await;
    }
    let said = door.said().replace(&long, "<256 bytes>");
    assert_snapshot!(said);
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused() {
    let (mut door, before) = door().await;
    for body in [
        "",
        " \n ",
        "{",
        "{}x",
        "{\"\":1}",
        "{} {}",
        "[]",
        "[\"a\",\"b\",1]",
        "null",
        "\"text\"",
        "7",
        "nul",
        "{\"caller_id\":}",
        "{'caller_id':'a'}",
        "{\"caller_id\":\"a\",\"caller_id\":\"b\",\"callee_id\":\"b\",\"task\":1}",
        "{\"caller_id\":\"a\nb\",\"callee_id\":\"b\",\"task\":1}",
        "{\"caller_id\":\"a\",\"callee_id\":\"b\",\"task\":NaN}",
        "{\"caller_id\":\"a\",\"callee_id\":\"b\",\"task\":01}",
        "{\"caller_id\":\"a\",\"callee_id\":\"b\",\"task\":1,}",
        "\u{feff}{}",
    ] {
        door.post("/v1/delegations", body).await;
    }
    assert_snapshot!(door.said());
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn invalid_utf_8_is_refused_wherever_it_stands() {
    let (door, before) = door().await;
    let refused = async |method: &str, path: &str, body: &'static [u8]| {
        let answer = door.send(request(method, path, Body::from(Bytes::from_static(body)))).await;
        assert_eq!(answer.status, 400, "{path} {}", answer.text);
        answer.json()["detail"].as_str().expect("a detail").to_owned()
    };
    let body = b"{\"caller_id\":\"a\xff\",\"callee_id\":\"b\",\"task\":1}";
    assert_eq!(
        refused("POST", "/v1/delegations", body).await,
        "the body is not valid UTF-8, from byte 15 on"
    );
    refused(
        "POST",
        "/v1/delegations",
        b"{\"caller_id\":\"a\",\"callee_id\":\"b\",\"task\":{\"x\":\"\xc3\x28\"}}",
    )
    .await;
    refused("POST", "/v1/delegations", b"\x00").await;
    refused("GET", "/v1/delegations/a%FF", b"").await;
    refused("GET", "/v1/delegations?caller=a%FF", b"").await;
    refused("GET", "/v1/delegations?%FF=a", b"").await;
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn endless_nesting_is_refused() {
    let (door, before) = door().await;
    let post = async |path: &str, field: &str, depth: usize| -> Answer {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(r#"{{"caller_id":"a","callee_id":"b","task":1,"{field}":{deep}}}"#)
            .replace("\"task\":1,\"task\"", "\"task\"");
        door.send(request("POST", path, body)).await
    };
    for (field, depth) in [("task", 100), ("task", 1000), ("metadata", 100), ("task", 500_000)] {
        let answer = post("/v1/delegations", field, depth).await;
        assert_eq!((answer.status, &answer.json()["field"]), (400, &json!(field)), "{depth}");
    }
    let open = "[".repeat(100_000);
    for body in [format!("{{\"task\":{open}"), open.clone(), "{\"a\":".repeat(100_000)] {
        assert_eq!(door.send(request("POST", "/v1/delegations", body)).await.status, 400);
    }
    unchanged(&door, &before).await;
    assert_eq!(post("/v1/delegations", "task", 99).await.status, 201);
}

#[tokio::test]
async fn the_other_verbs_are_checked_as_well() {
    let (mut door, before) = door().await;
    let long = "x".repeat(4097);
    let longer = "x".repeat(65_536);
    for (verb, body) in [
        ("dispatch", r#"{"x":1}"#),
        ("accept", r#"{"claim_id":""}"#),
        ("accept", r#"{"claim":"c"}"#),
        ("heartbeat", r#"{"lease":""}"#),
        ("heartbeat", r#"{"lease":{}}"#),
        ("heartbeat", r#"{"progress":"LONG"}"#),
        ("heartbeat", r#"{"progress":"\u0000"}"#),
        ("heartbeat", r#"{"waiting":"human"}"#),
        ("heartbeat", r#"{"waiting":["human"]}"#),
        ("heartbeat", r#"{"waiting":{}}"#),
        ("heartbeat", r#"{"waiting":{"for":"godot"}}"#),
        ("heartbeat", r#"{"waiting":{"for":"human","for_s":0}}"#),
        ("heartbeat", r#"{"waiting":{"for":"human","until":"x"}}"#),
        ("heartbeat", r#"{"waiting":{"for":"human","note":"LONG"}}"#),
        ("complete", "{}"),
        ("complete", r#"{"result":1,"override":"me"}"#),
        ("complete", r#"{"result":"\u0000"}"#),
        ("fail", "{}"),
        ("fail", r#"{"error_detail":null}"#),
        ("fail", r#"{"error_detail":"LONG"}"#),
        ("fail", r#"{"error_detail":"a\u0000"}"#),
        ("fail", r#"{"error_detail":"x","override":""}"#),
        ("release", "{}"),
        ("release", r#"{"lease":null}"#),
        ("cancel", r#"{"reason":7}"#),
        ("cancel", r#"{"reason":"LONG"}"#),
        ("retry", r#"{"deadline_s":0}"#),
        ("retry", r#"{"callee_id":""}"#),
        ("retry", r#"{"if_attempt":0}"#),
        ("retry", r#"{"if_attempt":4294967296}"#),
        ("extend", r#"{"deadline_s":-1}"#),
        ("extend", r#"{"deadline":"never"}"#),
        ("extend", r#"{"deadline_s":5,"if_version":0}"#),
        ("extend", r#"{"deadline_s":5,"if_version":99999999999999999999}"#),
    ] {
        door.verb("D1", verb, &body.replace("LONG", &long)).await;
    }
    door.ask("PUT", "/v1/delegations/D1/status", r#"{"status":"STUCK"}"#).await;
    door.ask("PUT", "/v1/delegations/D1/status", "{}").await;
    door.post("/v1/sweeps", r#"{"dry_run":"yes"}"#).await;
    door.post("/v1/sweeps", r#"{"dryrun":true}"#).await;
    door.post("/v1/sweeps?dry_run=true", "{}").await;
    door.post("/v1/delegations/D1/cancel?reason=x", "").await;
    for body in [
        r#"{"max":0}"#,
        r#"{"max":101}"#,
        r#"{"max":"all"}"#,
        r#"{"wait_s":61}"#,
        r#"{"claim_id":""}"#,
        r#"{"limit":1}"#,
        "[]",
    ] {
        door.claims(body).await;
    }
    door.post("/v1/agents/bob/claim?wait_s=5", "").await;
    door.post("/v1/heartbeats", "{}").await;
    door.post("/v1/heartbeats", r#"{"heartbeats":{}}"#).await;
    door.post("/v1/heartbeats", r#"{"heartbeats":[{"delegation_id":"D1"}"#).await;
    door.post("/v1/delegations/batch", r#"{"delegations":"all"}"#).await;
    let huge = format!(r#"{{"caller_id":"a","callee_id":"b","task":1,"metadata":"{longer}"}}"#);
    door.post("/v1/delegations", &huge).await;
    let said = door.said().replace(&longer, "<65536 bytes>").replace(&long, "<4097 bytes>");
    assert_snapshot!(said);
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn parameters_are_checked_as_well() {
    let (mut door, before) = door().await;
    for path in [
        "/v1/delegations?status=done",
        "/v1/delegations?status=",
        "/v1/delegations?state=stuck",
        "/v1/delegations?=stuck",
        "/v1/delegations?status=stuck&status=queued",
        "/v1/delegations?caller=",
        "/v1/delegations?callee=a%00b",
        "/v1/delegations?created_after=yesterday",
        "/v1/delegations?created_after=2027-01-15T08:00:00",
        "/v1/delegations?limit=0",
        "/v1/delegations?limit=1001",
        "/v1/delegations?limit=-1",
        "/v1/delegations?limit=1.5",
        "/v1/delegations?limit=ten",
        "/v1/delegations?limit=",
        "/v1/delegations?limit",
        "/v1/delegations?limit=12345678901234567890",
        "/v1/delegations?cursor=",
        "/v1/delegations?cursor=x",
        "/v1/delegations?cursor=AAAAAAAAAAAA",
        "/v1/delegations?cursor=AYAAAAAAAAAA",
        "/v1/delegations?id_prefix=",
        "/v1/delegations/D1?wait_s=61",
        "/v1/delegations/D1?wait_s=-1",
        "/v1/delegations/D1?wait_s=1s",
        "/v1/delegations/D1?until=done",
        "/v1/delegations/D1?wait=1",
        "/v1/delegations/D1/events?after=-1",
        "/v1/delegations/D1/events?after=9223372036854775808",
        "/v1/delegations/D1/events?limit=0",
        "/v1/delegations/D1/events?cursor=1",
        "/v1/delegations/D1/explain?x=1",
        "/v1/delegations/D1/late-results?limit=1",
        "/v1/delegations/D1/children?parent=D1",
        "/v1/agents/a/inbox?after=x",
        "/v1/agents/a/inbox?limit=2000",
        "/v1/agents/a/inbox?until=stuck",
        "/v1/stats?x",
        "/v1/sweeps?limit=0",
        "/healthz?x=1",
        "/readyz?x=1",
        "/openapi.json?x=1",
    ] {
        door.get(path).await;
    }
    assert_snapshot!(door.said());
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn odd_paths_are_answered_with_problems() {
    let (mut door, before) = door().await;
    let long = "x".repeat(256);
    door.get("/").await;
    door.get("/v1/nothing").await;
    door.get("/v1/delegations/").await;
    door.get("/v1/delegations//events").await;
    door.get("/v1/delegations/D1/nothing").await;
    door.get("/v1/delegations/%00").await;
    door.get("/v1/delegations/a%0Ab/explain").await;
    door.get(&format!("/v1/delegations/{long}")).await;
    door.get(&format!("/v1/agents/{long}/inbox")).await;
    door.get("/v1/delegations/..").await;
    door.get("/v1/delegations/%2e%2e/events").await;
    door.ask("DELETE", "/v1/delegations/D1", "").await;
    door.ask("POST", "/v1/stats", "{}").await;
    door.ask("PATCH", "/v1/delegations", "{}").await;
    let said = door.said().replace(&long, "<256 bytes>");
    assert_snapshot!(said);
    unchanged(&door, &before).await;
    let refused = door.send(request("DELETE", "/v1/delegations/D1", "")).await;
    assert_eq!(refused.headers["allow"], "GET,HEAD");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn odd_ids_work_when_they_are_encoded() {
    let mut door = Door::open().await;
    for (id, encoded) in [
        ("a/b", "a%2Fb"),
        ("..", ".."),
        ("😀", "%F0%9F%98%80"),
        ("a b+c", "a%20b+c"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("?#&=", "%3F%23%26%3D"),
        ("batch", "batch"),
    ] {
        let body = json!({"delegation_id": id, "caller_id": "a", "callee_id": "b", "task": 1});
        assert_eq!(door.post("/v1/delegations", &body.to_string()).await.status, 201);
        let shown = door.get(&format!("/v1/delegations/{encoded}/events")).await.json();
        assert_eq!(shown["events"][0]["delegation_id"], id);
    }
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let (door, before) = door().await;
    let declared = async |content_type: Option<&str>, body: &'static str| {
        let mut request = request("POST", "/v1/delegations/D2/cancel", body);
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            request.headers_mut().insert("content-type", content_type.parse().unwrap());
        }
        door.send(request).await
    };
    let mut said = String::new();
    for content_type in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
        Some("application/jsonp"),
    ] {
        let answer = declared(content_type, "{}").await;
        writeln!(said, "{content_type:?}\n  {} {}", answer.status, answer.text)
            .expect("a string takes everything");
    }
    for (header, value) in [("content-type", "text/plain"), ("content-encoding", "gzip")] {
        let mut twice = request("POST", "/v1/delegations/D2/cancel", "{}");
        twice.headers_mut().append(header, value.parse().unwrap());
        let answer = door.send(twice).await;
        writeln!(
            said,
            "application/json and {header}: {value}\n  {} {}",
            answer.status, answer.text
        )
        .expect("a string takes everything");
    }
    assert_snapshot!(said);
    let mut plain = request("POST", "/v1/delegations/D2/cancel", "{}");
    plain.headers_mut().insert("content-encoding", "identity".parse().unwrap());
    assert_eq!(door.send(plain).await.status, 404);
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/a2a+json",
    ] {
        assert_eq!(declared(Some(content_type), "{}").await.status, 404, "{content_type}");
    }
    assert_eq!(declared(Some("application/x-www-form-urlencoded"), "").await.status, 404);
    assert_eq!(declared(None, "").await.status, 404);
    unchanged(&door, &before).await;
}

#[tokio::test]
async fn a_body_over_four_mebibytes_is_refused() {
    let (door, before) = door().await;
    let body = |bytes: usize| {
        let frame = r#"{"caller_id":"a","callee_id":"b","task":""}"#;
        frame.replace("\"\"", &format!("{:?}", "x".repeat(bytes - frame.len())))
    };
    let over = door.send(request("POST", "/v1/delegations", body((4 << 20) + 1))).await;
    assert_snapshot!(format!("{} {}", over.status, over.text));
    let mut announced = request("POST", "/v1/delegations", "{}");
    announced.headers_mut().insert("content-length", "99999999999".parse().unwrap());
    assert_eq!(door.send(announced).await.status, 413);
    unchanged(&door, &before).await;
    let full = door.send(request("POST", "/v1/delegations", body(4 << 20))).await;
    assert_eq!(full.status, 201);
}
