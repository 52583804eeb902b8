//! Pairs: one delegates, another completes.

use std::net::SocketAddr;

use serde_json::Value;

use super::request::{complete, delegation, post};
use super::{Connection, Rate, Sender, Senders};
use crate::Outcome;
use crate::stopwatch::wall_ms;

/// As many as the fleets of the other measurements have.
const CALLERS: usize = 100;
const CALLEES: usize = 1000;

pub(super) async fn run(
    addresses: &[SocketAddr],
    connections: usize,
    seconds: u64,
) -> Outcome<Rate> {
    Senders { addresses, connections }.rate(seconds, send).await
}

/// One pair after the other. How many were completed.
async fn send(mut sender: Sender) -> Outcome<usize> {
    // Never the same id twice, whichever run it is.
    let (run, mut pairs) = (wall_ms(), 0);
    while !sender.is_over() {
        let id = format!("{run}-{}-{pairs}", sender.nth);
        let from = format!("caller-{:03}", pairs % CALLERS);
        let to = format!("callee-{:04}", (pairs * 7 + sender.nth) % CALLEES);
        pair(&mut sender.connection, &delegation(Some(&id), &from, &to), &id).await?;
        pairs += 1;
    }
    Ok(pairs)
}

async fn pair(connection: &mut Connection, new: &Value, id: &str) -> Outcome<()> {
    let host = connection.host;
    let is_new = |body: &str| body.contains("\"replayed\":false");
    connection.ask(&post(host, "/v1/delegations", new), is_new).await?;
    let is_the_verdict = |body: &str| body.contains("\"changed\":true");
    connection.ask(&complete(host, id), is_the_verdict).await?;
    Ok(())
}
