//! What a load is told to do. It is a process of its own, so it is told on its command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A load, and where to put it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The servers of one ledger, among which the connections are shared out.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) load: Load,
}

/// What is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Load {
    /// The same requests over and over, for so long.
    Rounds {
        shape: Shape,
        /// The delegations that beat, an id on each line.
        ids: PathBuf,
        seconds: u64,
    },
    /// Each connection delegates and completes, one after the other, for so long.
    Pairs { connections: usize, seconds: u64 },
    /// A queue is filled, and claimed.
    Claims(Claims),
    /// Callers wait, and are told.
    Waits(Waits),
}

/// What the same requests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// 100 heartbeats of delegations that have nothing to do with each other.
    BeatsScattered,
    /// 100 heartbeats of delegations that were created together.
    BeatsTogether,
    /// One heartbeat.
    BeatEach,
    /// 1000 new delegations.
    Delegate,
}

/// How work is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) claimers: usize,
    /// The callees that they claim for.
    pub(crate) callees: usize,
    /// What one claim asks for, and must be given.
    pub(crate) max: usize,
    /// Claims of each claimer, one after the other.
    pub(crate) each: usize,
}

/// How callers wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waits {
    pub(crate) at: At,
    /// Who wait at the same time and are told, again and again.
    pub(crate) waiters: usize,
    /// Who wait beside them and are told nothing.
    pub(crate) idle: usize,
    /// How many verdicts fall at the same moment.
    pub(crate) at_once: usize,
    /// How often somebody is told, at least.
    pub(crate) samples: usize,
}

/// Where a caller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum At {
    /// At the delegation.
    Delegation,
    /// At its inbox.
    Inbox,
}

impl Order {
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Shape {
    /// Things in one request.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::BeatsScattered | Self::BeatsTogether => 100,
            Self::BeatEach => 1,
            Self::Delegate => 1000,
        }
    }

    /// Connections, each with one request on its way.
    pub(crate) fn connections(self) -> usize {
        match self {
            Self::BeatsScattered | Self::BeatsTogether => 16,
            Self::BeatEach => 64,
            Self::Delegate => 4,
        }
    }
}
