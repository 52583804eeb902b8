//! What is asked for an agent and not for a delegation: its record, and how far it has read its inbox.

use crate::agent::{Agent, AgentTerms};
use crate::book::Book;
use crate::delegation::refusal::{Refusal, Refused};
use crate::error::Error;
use crate::id::{AgentId, Seq};
use crate::store::Questions;

/// A verb about an agent.
#[derive(Clone, Debug)]
pub(crate) enum Tend {
    /// Write its record, whole.
    Set(AgentId, AgentTerms),
    /// Forget its record. What it has read, and its work, stay.
    Remove(AgentId),
    /// It has read its inbox up to here.
    Acknowledge(AgentId, Seq),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tended {
    Record(Registered),
    Read(Seq),
}

/// An agent's record after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// As it is now; `None` where there is none.
    pub agent: Option<Agent>,
    /// Whether there was none before.
    pub created: bool,
    /// Whether anything changed.
    pub changed: bool,
}

impl Tend {
    pub(crate) fn ask(&self, questions: &mut Questions) {
        match self {
            Self::Set(id, _) | Self::Remove(id) => {
                questions.agents.push(id.clone());
                questions.agents_written.push(id.clone());
            }
            Self::Acknowledge(id, _) => questions.inboxes.push(id.clone()),
        }
    }

    pub(crate) fn decide(&self, book: &mut Book) -> Result<Tended, Error> {
        match self {
            Self::Set(id, terms) => Ok(Tended::Record(set(id, *terms, book))),
            Self::Remove(id) => Ok(Tended::Record(remove(id, book))),
            Self::Acknowledge(id, through) => acknowledge(id, *through, book).map(Tended::Read),
        }
    }
}

/// The same record again changes nothing, so that a repeat is harmless.
fn set(id: &AgentId, terms: AgentTerms, book: &mut Book) -> Registered {
    let now = book.now();
    let before = book.agent(id).cloned();
    let changed = before.as_ref().is_none_or(|agent| agent.terms != terms);
    let agent = match &before {
        Some(same) if !changed => same.clone(),
        _ => {
            let created_at = before.as_ref().map_or(now, |agent| agent.created_at);
            let agent = Agent { agent_id: id.clone(), terms, created_at, updated_at: now };
            book.put_agent(agent.clone());
            agent
        }
    };
    Registered { agent: Some(agent), created: before.is_none(), changed }
}

fn remove(id: &AgentId, book: &mut Book) -> Registered {
    let changed = book.agent(id).is_some();
    if changed {
        book.remove_agent(id);
    }
    Registered { agent: None, created: false, changed }
}

/// The point only moves on. Messages are numbered in the order of their commits, so whoever saw the newest was
/// never to be shown an older one after it: what is acknowledged was there to be read.
fn acknowledge(id: &AgentId, through: Seq, book: &mut Book) -> Result<Seq, Error> {
    let inbox = book.inbox(id);
    let newest = inbox.newest.max(inbox.acked_through);
    if through > newest {
        return Err(Refused::from(Refusal::AheadOfInbox { through, newest }).into());
    }
    if through > inbox.acked_through {
        book.acknowledge(id, through);
    }
    Ok(through.max(inbox.acked_through))
}
