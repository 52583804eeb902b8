//! The load generator: keep-alive connections, every answer looked at.
//!
//! It shares the machine with the server, so it is as cheap as it can be: no HTTP library, and no parsing of what a
//! search in the answer tells.

mod claims;
mod connection;
mod order;
mod pairs;
mod request;
mod rounds;
mod waits;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::stopwatch::Stopwatch;

pub(crate) use connection::{Connection, is_ready, scrape};
pub(crate) use order::{At, Claims, Load, Order, Shape, Waits};
pub(crate) use request::post;
pub(crate) use waits::Told;

/// Load before the measurement, so that caches are what they are in the middle of a day.
const WARM_UP: Duration = Duration::from_secs(1);

/// How much was done.
#[derive(Serialize, Deserialize)]
pub(crate) struct Rate {
    pub(crate) things_per_s: f64,
}

/// Does what it is told, and prints what came of it.
pub(crate) async fn run(Order { addresses, load }: &Order) -> Outcome<()> {
    match load {
        Load::Rounds { shape, ids, seconds } => {
            print(&rounds::run(addresses, *shape, ids, *seconds).await?)
        }
        Load::Pairs { connections, seconds } => {
            print(&pairs::run(addresses, *connections, *seconds).await?)
        }
        Load::Claims(claims) => print(&claims::run(addresses, *claims).await?),
        Load::Waits(waits) => print(&waits::run(addresses, *waits).await?),
    }
}

fn print(what: &impl Serialize) -> Outcome<()> {
    println!("{}", serde_json::to_string(what)?);
    Ok(())
}

/// The connections of a load that lasts for some time.
struct Senders<'a> {
    addresses: &'a [SocketAddr],
    connections: usize,
}

/// One of them.
struct Sender {
    nth: usize,
    connection: Connection,
    watch: Stopwatch,
    time: Duration,
}

impl Senders<'_> {
    /// Lets each do something for so many seconds, after a second that is not counted; how many things a second were
    /// done, where each tells how many it did.
    async fn rate<F>(&self, seconds: u64, each: impl Fn(Sender) -> F) -> Outcome<Rate>
    where
        F: Future<Output = Outcome<usize>> + Send + 'static,
    {
        self.things_per_s(WARM_UP, &each).await?;
        let things_per_s = self.things_per_s(Duration::from_secs(seconds), &each).await?;
        Ok(Rate { things_per_s })
    }

    async fn things_per_s<F>(&self, time: Duration, each: &impl Fn(Sender) -> F) -> Outcome<f64>
    where
        F: Future<Output = Outcome<usize>> + Send + 'static,
    {
        let watch = Stopwatch::start();
        let mut tasks = vec![];
        for (nth, connection) in
            connect(self.addresses, self.connections).await?.into_iter().enumerate()
        {
            tasks.push(tokio::spawn(each(Sender { nth, connection, watch, time })));
        }
        let mut things = 0;
        for task in tasks {
            things += task.await??;
        }
        Ok(f64::from(u32::try_from(things)?) / watch.seconds())
    }
}

impl Sender {
    fn is_over(&self) -> bool {
        self.watch.elapsed() >= self.time
    }
}

/// So many connections, shared out among the servers.
async fn connect(addresses: &[SocketAddr], count: usize) -> Outcome<Vec<Connection>> {
    let mut connections = vec![];
    for address in addresses.iter().cycle().take(count) {
        connections.push(Connection::open(*address).await?);
    }
    Ok(connections)
}
