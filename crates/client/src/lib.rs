//! A client of a Consign server, over HTTP.
//!
//! [`Client`] has one method for each operation. It repeats what may be repeated: a request that found nobody, or
//! was told to come back, and, since every act can be sent again without being done twice, one whose answer was
//! lost. It decides nothing and keeps nothing; what is refused comes back as the server's own [`Problem`].
//!
//! ```no_run
//! # async fn guide() -> Result<(), Box<dyn std::error::Error>> {
//! use consign_client::{Client, NewDelegation, Until};
//!
//! let client = Client::new("http://127.0.0.1:7420")?;
//! let asked = NewDelegation::new("alice", "bob", "write the report");
//! let made = client.delegate(asked).await?.value;
//! let id = made.delegation.delegation_id;
//! let news = client.wait(&id, Until::Stuck, 30).await?.value.delegation;
//! println!("{} is {}", id, news.status);
//! # Ok(())
//! # }
//! ```

mod act;
mod address;
mod ask;
mod beating;
mod body;
mod error;
mod problem;
mod reply;
mod request;
mod retry;
mod shape;
mod transport;

use std::time::Duration;

pub use act::new_id;
pub use address::{Address, BadAddress};
pub use ask::{Filter, Until};
pub use body::{
    Accept, Beat, Cancel, Claim, Complete, Extend, Fail, NewDelegation, PruneItem, Release, Retry,
    SetAgent, Wait, WaitChange, json_text,
};
pub use error::{Error, Unreachable};
pub use problem::Problem;
pub use reply::Reply;
pub use shape::{
    Accepted, Acknowledged, Actor, Agent, AgentRemoved, AgentSet, AgentShown, Agents, Answered,
    Changed, Claims, Delegated, Delegation, Event, EventPage, Gap, Inbox, LateResult, LateResults,
    LatestWork, Message, Next, Outlook, Page, Prunable, PrunablePage, PruneAnswer, PruneOutcome,
    Pulse, Ready, Settings, Shown, Stats, Status, SweepReport, Sweeps, Swept, Waiting,
};

use transport::Transport;

/// How long a request is repeated where nobody says.
pub const RETRY_FOR_DEFAULT: Duration = Duration::from_secs(3);

/// Speaks to one server. Cheap to clone; the connections are kept and used again.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    retry_for: Duration,
}

impl Client {
    /// A client of the server at `url`, such as `http://127.0.0.1:7420`. Nothing is sent yet.
    pub fn new(url: &str) -> Result<Self, BadAddress> {
        let transport = Transport::to(Address::parse(url)?);
        Ok(Self { transport, retry_for: RETRY_FOR_DEFAULT })
    }

    /// The same, repeating requests for so long; zero never repeats.
    #[must_use]
    pub fn retrying_for(self, retry_for: Duration) -> Self {
        Self { retry_for, ..self }
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.transport.address()
    }
}
