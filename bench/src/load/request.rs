//! Requests, whole and ready to be sent.

use std::net::SocketAddr;

use serde_json::{Value, json};

/// A task of a usual length.
const TASK: &str = "Read the next chapter and list the places where the argument is weak. \
    ------------------------------------------------------------\
    ------------------------------------------------------------";

/// What is delegated, as it stands in a request.
pub(super) fn delegation(id: Option<&str>, from: &str, to: &str) -> Value {
    let mut new = json!({ "caller_id": from, "callee_id": to, "task": TASK });
    if let Some(id) = id {
        new["delegation_id"] = id.into();
    }
    new
}

/// A request that delegates all of these.
pub(super) fn delegate(host: SocketAddr, delegations: &[Value]) -> Vec<u8> {
    post(host, "/v1/delegations/batch", &json!({ "delegations": delegations }))
}

/// A request that completes this one.
pub(super) fn complete(host: SocketAddr, id: &str) -> Vec<u8> {
    let result = json!({ "result": "The argument is weak on the pages 12, 40 and 96." });
    post(host, &format!("/v1/delegations/{id}/complete"), &result)
}

/// A request with this body.
pub(crate) fn post(host: SocketAddr, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request for what is there.
pub(super) fn get(host: SocketAddr, path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}
