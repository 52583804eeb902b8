//! The requests of a load, whole and ready to be sent.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::Outcome;
use crate::args::{Load, Shape};
use crate::fleet::shuffle;

/// One connection's heartbeats go round over so many delegations at most.
const EACH_MAX: usize = 200_000;
/// Different batches of new delegations; sent again, they make further ones.
const BATCHES: usize = 20;

/// All that a load sends, in the order in which it is sent.
pub(crate) fn prepared(load: &Load) -> Outcome<Vec<Vec<u8>>> {
    if load.shape == Shape::Delegate {
        return Ok((0..BATCHES).map(|_| delegate(load, load.shape.size())).collect());
    }
    let text = std::fs::read_to_string(&load.ids)?;
    let mut ids: Vec<&str> = text.lines().collect();
    if load.shape != Shape::BeatsTogether {
        shuffle(&mut ids);
    }
    Ok(match load.shape {
        Shape::BeatEach => ids.iter().take(EACH_MAX).map(|id| beat(load, id)).collect(),
        _ => ids.chunks_exact(load.shape.size()).map(|ids| beats(load, ids)).collect(),
    })
}

fn beat(load: &Load, id: &str) -> Vec<u8> {
    post(load.address, &format!("/v1/delegations/{id}/heartbeat"), &json!({}))
}

fn beats(load: &Load, ids: &[&str]) -> Vec<u8> {
    let beats: Vec<Value> = ids.iter().map(|id| json!({ "delegation_id": id })).collect();
    post(load.address, "/v1/heartbeats", &json!({ "heartbeats": beats }))
}

fn delegate(load: &Load, count: usize) -> Vec<u8> {
    let new = |nth: usize| {
        json!({
            "caller_id": format!("caller-{:03}", nth % 100),
            "callee_id": format!("callee-{nth:04}"),
            "task": format!("Read chapter {nth} and list the places where the argument is weak. {}", "-".repeat(120)),
        })
    };
    let delegations: Vec<Value> = (0..count).map(new).collect();
    post(load.address, "/v1/delegations/batch", &json!({ "delegations": delegations }))
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
