//! The load generator: keep-alive connections, requests that were made before, every answer looked at.
//!
//! It shares the machine with the server, so it is as cheap as it can be: one thread, no HTTP library.

mod connection;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::Outcome;
use crate::args::Load;
use crate::stopwatch::Stopwatch;

pub(crate) use connection::{Connection, is_ready, scrape};
pub(crate) use request::post;

/// Load before the measurement, so that caches are what they are in the middle of a day.
const WARM_UP: Duration = Duration::from_secs(1);

/// Sends what the load says, and prints how much was done.
pub(crate) async fn run(load: &Load) -> Outcome<()> {
    let requests = Arc::new(request::prepared(load)?);
    rate(load, &requests, WARM_UP).await?;
    let rate = rate(load, &requests, Duration::from_secs(load.seconds)).await?;
    println!("{}", json!({ "things_per_s": rate }));
    Ok(())
}

async fn rate(load: &Load, requests: &Arc<Vec<Vec<u8>>>, time: Duration) -> Outcome<f64> {
    let connections = load.shape.connections();
    let watch = Stopwatch::start();
    let senders: Vec<_> = (0..connections)
        .map(|nth| {
            let first = requests.len() * nth / connections;
            tokio::spawn(send(
                load.address,
                Arc::clone(requests),
                first,
                load.shape.size(),
                watch,
                time,
            ))
        })
        .collect();
    let mut answered = 0;
    for sender in senders {
        answered += sender.await??;
    }
    Ok(f64::from(answered) * f64::from(u32::try_from(load.shape.size())?) / watch.seconds())
}

/// One request after the other. How many were answered as they should be.
async fn send(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    first: usize,
    things: usize,
    watch: Stopwatch,
    time: Duration,
) -> Outcome<u32> {
    let mut connection = Connection::open(address).await?;
    let mut answered = 0;
    let endless = requests.iter().cycle().skip(first);
    for request in endless {
        if watch.elapsed() >= time {
            break;
        }
        connection.exchange(request, things).await?;
        answered += 1;
    }
    Ok(answered)
}
