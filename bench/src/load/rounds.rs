//! Requests that were made before, over and over.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::request::{delegate, delegation, post};
use super::{Rate, Sender, Senders, Shape};
use crate::Outcome;
use crate::fleet::shuffle;

/// One connection's heartbeats go round over so many delegations at most.
const EACH_MAX: usize = 200_000;
/// Different batches of new delegations; sent again, they make further ones.
const BATCHES: usize = 20;

pub(super) async fn run(
    addresses: &[SocketAddr],
    shape: Shape,
    ids: &Path,
    seconds: u64,
) -> Outcome<Rate> {
    let [host] = addresses else {
        return Err("such a load is put on one server".into());
    };
    let requests = Arc::new(prepared(*host, shape, ids)?);
    let connections = shape.connections();
    let send = |sender: Sender| {
        let first = requests.len() * sender.nth / connections;
        send(sender, Arc::clone(&requests), first, shape.size())
    };
    Senders { addresses, connections }.rate(seconds, send).await
}

/// One request after the other. How many things were done.
async fn send(
    mut sender: Sender,
    requests: Arc<Vec<Vec<u8>>>,
    first: usize,
    things: usize,
) -> Outcome<usize> {
    let mut done = 0;
    for request in requests.iter().cycle().skip(first) {
        if sender.is_over() {
            break;
        }
        sender.connection.exchange(request, things).await?;
        done += things;
    }
    Ok(done)
}

/// All that is sent, in the order in which it is sent.
fn prepared(host: SocketAddr, shape: Shape, ids: &Path) -> Outcome<Vec<Vec<u8>>> {
    if shape == Shape::Delegate {
        return Ok((0..BATCHES).map(|_| batch(host, shape.size())).collect());
    }
    let text = std::fs::read_to_string(ids)?;
    let mut ids: Vec<&str> = text.lines().collect();
    if shape != Shape::BeatsTogether {
        shuffle(&mut ids);
    }
    Ok(match shape {
        Shape::BeatEach => ids.iter().take(EACH_MAX).map(|id| beat(host, id)).collect(),
        _ => ids.chunks_exact(shape.size()).map(|ids| beats(host, ids)).collect(),
    })
}

fn beat(host: SocketAddr, id: &str) -> Vec<u8> {
    post(host, &format!("/v1/delegations/{id}/heartbeat"), &json!({}))
}

fn beats(host: SocketAddr, ids: &[&str]) -> Vec<u8> {
    let beats: Vec<Value> = ids.iter().map(|id| json!({ "delegation_id": id })).collect();
    post(host, "/v1/heartbeats", &json!({ "heartbeats": beats }))
}

fn batch(host: SocketAddr, count: usize) -> Vec<u8> {
    let new = |nth: usize| {
        delegation(None, &format!("caller-{:03}", nth % 100), &format!("callee-{nth:04}"))
    };
    delegate(host, &(0..count).map(new).collect::<Vec<_>>())
}
