//! Claims: queues are filled, and then all claim at once. Everybody must be given as much as it asks for, and nobody
//! what another was given.

use std::collections::HashSet;
use std::net::SocketAddr;

use serde_json::json;

use super::request::{delegate, delegation, post};
use super::{Claims, Connection, Rate, connect};
use crate::Outcome;
use crate::stopwatch::{Stopwatch, wall_ms};

/// What is delegated in one request.
const BATCH: usize = 1000;
/// Connections that fill the queues.
const FILLERS: usize = 4;
/// What stays in the queues, in claims of each claimer: some may be in the hands of another server at any moment, and
/// are passed over.
const SPARE: usize = 2;

pub(super) async fn run(addresses: &[SocketAddr], claims: Claims) -> Outcome<Rate> {
    // Nobody has claimed for these callees before.
    let run = wall_ms();
    fill(addresses, claims, run).await?;
    let claimers = connect(addresses, claims.claimers).await?;
    let watch = Stopwatch::start();
    let tasks: Vec<_> = claimers
        .into_iter()
        .enumerate()
        .map(|(nth, connection)| tokio::spawn(claim(connection, claims, run, nth)))
        .collect();
    let mut given = vec![];
    for task in tasks {
        given.extend(task.await??);
    }
    let done = f64::from(u32::try_from(claims.claimers * claims.each)?);
    let things_per_s = done / watch.seconds();
    each_once(&given)?;
    Ok(Rate { things_per_s })
}

/// For whom this claimer claims.
fn callee(claims: Claims, run: i64, claimer: usize) -> String {
    format!("worker-{run}-{}", claimer % claims.callees)
}

async fn fill(addresses: &[SocketAddr], claims: Claims, run: i64) -> Outcome<()> {
    let fillers = connect(addresses, FILLERS).await?;
    let all = claims.claimers * (claims.each + SPARE) * claims.max;
    let tasks: Vec<_> = fillers
        .into_iter()
        .enumerate()
        .map(|(nth, connection)| {
            let mine: Vec<usize> = (nth * BATCH..all)
                .step_by(FILLERS * BATCH)
                .flat_map(|first| first..all.min(first + BATCH))
                .collect();
            tokio::spawn(delegate_all(connection, claims, run, mine))
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn delegate_all(
    mut connection: Connection,
    claims: Claims,
    run: i64,
    mine: Vec<usize>,
) -> Outcome<()> {
    let new = |nth: &usize| {
        let caller = format!("caller-{:03}", nth % 100);
        delegation(Some(&format!("{run}-{nth}")), &caller, &callee(claims, run, *nth))
    };
    for batch in mine.chunks(BATCH) {
        let request = delegate(connection.host, &batch.iter().map(new).collect::<Vec<_>>());
        connection.exchange(&request, batch.len()).await?;
    }
    Ok(())
}

/// One claim after the other, each under a name of its own, as by a worker that does what it is given in between. The
/// delegations that it was given.
async fn claim(
    mut connection: Connection,
    claims: Claims,
    run: i64,
    claimer: usize,
) -> Outcome<Vec<String>> {
    let path = format!("/v1/agents/{}/claim", callee(claims, run, claimer));
    let mut given = vec![];
    for nth in 0..claims.each {
        let body = json!({ "max": claims.max, "claim_id": format!("{run}-{claimer}-{nth}") });
        let is_full = |body: &str| body.matches("\"lease\":\"").count() == claims.max;
        let body = connection.ask(&post(connection.host, &path, &body), is_full).await?;
        given.extend(ids(body).map(str::to_owned));
    }
    Ok(given)
}

/// The ids of the delegations in an answer.
fn ids(body: &str) -> impl Iterator<Item = &str> {
    body.split("\"delegation_id\":\"").skip(1).filter_map(|rest| rest.split('"').next())
}

fn each_once(given: &[String]) -> Outcome<()> {
    let mut seen = HashSet::new();
    match given.iter().find(|id| !seen.insert(*id)) {
        Some(id) => Err(format!("{id} was handed out twice").into()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_twice_is_seen() {
        let body = |ids: [&str; 2]| {
            let [first, second] =
                ids.map(|id| json!({"delegation": {"delegation_id": id}, "lease": "l"}));
            json!({ "claims": [first, second] }).to_string()
        };
        let given = |bodies: [String; 2]| {
            let all = bodies.iter().flat_map(|body| ids(body)).map(str::to_owned);
            each_once(&all.collect::<Vec<_>>())
        };
        assert!(given([body(["a", "b"]), body(["c", "d"])]).is_ok());
        let twice = given([body(["a", "b"]), body(["c", "a"])]).unwrap_err();
        assert_eq!(twice.to_string(), "a was handed out twice");
    }
}
