//! Heartbeats that cannot be read: the callee is told where things stand all the same.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::cast::{Door, request};

/// What a heartbeat is told that could not be read.
async fn unread(door: &Door, request: Request<Body>, status: u16) -> Value {
    let answer = door.send(request).await;
    assert_eq!(answer.status, status, "{}", answer.text);
    let told = answer.json();
    json!([
        told["current_status"],
        told["attempt"],
        told["deadline"],
        told["stop"],
        told["why"] == told["detail"]
    ])
}

#[tokio::test]
async fn a_heartbeat_that_cannot_be_read_is_told_where_things_stand() {
    let mut door = Door::open().await;
    door.delegated("D1").await;
    for stands in [
        json!(["queued", 1, "2027-01-15T14:00:00.000Z", false, true]),
        json!(["cancelled", 1, "2027-01-15T14:00:00.000Z", true, false]),
    ] {
        let path = "/v1/delegations/D1/heartbeat";
        let beat = |body: &'static str| request("POST", path, body);
        for body in [
            "{",
            "[]",
            "{\"lease\":7}",
            "{\"leese\":\"\"}",
            "{\"progress\":\"\\u0000\"}",
            "\u{feff}{}",
        ] {
            assert_eq!(unread(&door, beat(body), 400).await, stands, "{body}");
        }
        assert_eq!(
            unread(&door, request("POST", &format!("{path}?lease=x"), ""), 400).await,
            stands
        );
        assert_eq!(
            unread(&door, request("POST", path, vec![b' '; (4 << 20) + 1]), 413).await,
            stands
        );
        let child = door.send(beat(r#"{"waiting":{"for":"child","child_id":"nobody"}}"#)).await;
        assert!([404, 409].contains(&child.status), "{}", child.text);
        assert_eq!(child.json()["current_status"], stands[0]);
        let mut undeclared = beat("{}");
        undeclared.headers_mut().remove("content-type");
        assert_eq!(unread(&door, undeclared, 415).await, stands);
        let late = tokio::spawn(door.router().oneshot(request("POST", path, endless())));
        tokio::time::pause();
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
        let late = late.await.expect("no panic").expect("the door answers");
        assert_eq!(late.status(), 408);
        let bytes = to_bytes(late.into_body(), usize::MAX).await.expect("a whole answer");
        let told: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(told["current_status"], stands[0]);
        door.verb("D1", "cancel", "").await;
    }
    let nobody = unread(&door, request("POST", "/v1/delegations/D2/heartbeat", "{"), 400).await;
    assert_eq!(nobody, json!([null, null, null, false, true]));
}

/// A body whose end never comes.
fn endless() -> Body {
    let end = pending::<Option<Result<HeaderMap, Infallible>>>();
    Body::new(Full::new(Bytes::from_static(b"{")).with_trailers(end))
}
