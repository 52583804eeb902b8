//! What a batch asks before it decides, and the answers.

use crate::agent::{AGENT_LIMIT_MAX, Agent};
use crate::delegation::Delegation;
use crate::delegation::lease::Epoch;
use crate::delegation::listening::Listening;
use crate::delegation::retention::Ties;
use crate::delegation::watch::RowNum;
use crate::error::CorruptRow;
use crate::id::{AgentId, ClaimId, DelegationId, IdempotencyKey, Seq};
use crate::payload::Json;
use crate::time::Time;

/// What a batch needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// Delegations by id.
    pub ids: Vec<DelegationId>,
    /// Delegations by number.
    pub nums: Vec<RowNum>,
    /// Who holds these keys; the holder's row is loaded, too.
    pub keys: Vec<(AgentId, IdempotencyKey)>,
    /// All ancestors of these, themselves included.
    pub lineages: Vec<DelegationId>,
    /// The retry of each of these terminal delegations, if there is one; its row is loaded, too. Also who
    /// holds the key of each: a retry takes it over where it is free.
    pub retries_of: Vec<DelegationId>,
    /// The records of these agents, as far as they have one.
    pub agents: Vec<AgentId>,
    /// Whose record will be written: it is locked until then. Also in `agents`.
    pub agents_written: Vec<AgentId>,
    /// How far these agents have read, and could read.
    pub inboxes: Vec<AgentId>,
    /// How much these callees hold, and how much waits for them: of those whose record has a limit, or is written.
    pub loads: Vec<AgentId>,
    /// What these callees may claim, each so many, first those whose turn it is; fewer only where there are no more,
    /// or where another writer has them.
    pub claims: Vec<(AgentId, usize)>,
    /// What these callees hold under these claims, as many as one claim may take.
    pub held_under: Vec<(AgentId, ClaimId)>,
    /// Whether these delegations, if they are over, were acknowledged, and who names them.
    pub ties: Vec<DelegationId>,
    /// Whether silence will be judged.
    pub listening: bool,
}

impl Questions {
    /// Each question once, in an order that is the same for everybody who takes locks.
    pub(crate) fn sort(&mut self) {
        fn sort<T: Ord>(list: &mut Vec<T>) {
            list.sort_unstable();
            list.dedup();
        }
        sort(&mut self.ids);
        sort(&mut self.nums);
        sort(&mut self.keys);
        sort(&mut self.lineages);
        sort(&mut self.retries_of);
        sort(&mut self.agents);
        sort(&mut self.agents_written);
        sort(&mut self.inboxes);
        sort(&mut self.loads);
        sort(&mut self.held_under);
        self.claims.sort_unstable();
        self.claims.dedup_by(|next, first| {
            let same = next.0 == first.0;
            first.1 += if same { next.1 } else { 0 };
            same
        });
        sort(&mut self.ties);
    }
}

/// The answers, true until the transaction ends. The parent of every loaded row is loaded, too.
#[derive(Debug)]
pub struct Loaded {
    /// The batch's one moment, read after its locks.
    pub now: Time,
    /// The rows, each once.
    pub rows: Vec<Row>,
    /// Rows that cannot exist; only acts on them fail.
    pub corrupt: Vec<BadRow>,
    /// Holders of the keys that are held.
    pub keys: Vec<((AgentId, IdempotencyKey), DelegationId)>,
    /// (terminal delegation, its retry).
    pub retries: Vec<(DelegationId, DelegationId)>,
    /// The late results that the loaded rows keep.
    pub late: Vec<LateKey>,
    /// The records that there are.
    pub agents: Vec<Agent>,
    /// The loads that were asked for.
    pub loads: Vec<(AgentId, Load)>,
    /// How far each agent that was asked for has read.
    pub inboxes: Vec<(AgentId, InboxState)>,
    /// What is tied to each delegation that was asked for and is there.
    pub ties: Vec<(DelegationId, Ties)>,
    /// When the ledger listened, as far back as the loaded rows need it, with the newest brake; empty where
    /// not asked for.
    pub listening: Listening,
}

/// How much an agent has to do, each counted up to [`LOAD_COUNT_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// What is in flight under a lease that holds.
    pub held: u32,
    /// What waits in its queue.
    pub queued: u32,
}

/// As far as loads are counted: to the largest limit, and what a batch can take away from it.
pub const LOAD_COUNT_MAX: u32 = AGENT_LIMIT_MAX + 2000;

/// How far an inbox was read, and how far it goes. Zero where nothing was, or is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxState {
    /// The acknowledged point.
    pub acked_through: Seq,
    /// The newest message.
    pub newest: Seq,
}

/// A delegation, its number, and what its callee last sent as progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number.
    pub num: RowNum,
    /// The delegation.
    pub delegation: Delegation,
    /// The progress text.
    pub progress: Option<Json>,
}

/// A row that cannot exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Its number.
    pub num: RowNum,
    /// Its id, where that can be read.
    pub delegation_id: Option<DelegationId>,
    /// What is wrong with it.
    pub why: CorruptRow,
}

/// What makes two late results the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LateKey {
    /// Which delegation.
    pub delegation_id: DelegationId,
    /// The epoch of the lease it came under.
    pub epoch: Epoch,
    /// The hash of its content.
    pub content: [u8; 16],
}
