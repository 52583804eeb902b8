//! An agent's messages: the verdict on each thing that it delegated, and the warnings that it asked for.

use consign_delivery::{Topic, WaitError};
use consign_ledger::query::{Inbox, InboxQuery, PAGE_MAX};
use consign_ledger::{Reader as _, Seq};

use crate::agents::agent;
use crate::caller::WAIT;
use crate::error::Error;
use crate::ledger::Ledger;

impl Ledger {
    /// The messages that an agent has not acknowledged, up to a thousand; with `after`, those behind that number.
    pub async fn inbox(
        &self,
        agent_id: impl AsRef<str>,
        after: Option<Seq>,
    ) -> Result<Inbox, Error> {
        let query = InboxQuery { agent_id: agent(agent_id)?, after, limit: PAGE_MAX };
        Ok(self.core()?.ledger.reader().inbox(query).await?)
    }

    /// The same, as soon as there is a message. Deal with them, [`acknowledge`](Ledger::acknowledge) the last one, and
    /// ask again: a program that dies in between is shown the same ones again, and misses none.
    pub async fn next_messages(&self, agent_id: impl AsRef<str>) -> Result<Inbox, Error> {
        let query = InboxQuery { agent_id: agent(agent_id)?, after: None, limit: PAGE_MAX };
        loop {
            let core = self.core()?;
            let topic = Topic::Inbox(query.agent_id.clone());
            let look =
                || async { Ok::<_, WaitError>(core.ledger.reader().inbox(query.clone()).await?) };
            let is_news = |inbox: &Inbox| !inbox.messages.is_empty();
            let inbox = core.follower.wait_for(topic, WAIT, look, is_news).await?;
            if is_news(&inbox) {
                return Ok(inbox);
            }
        }
    }

    /// The agent has dealt with all its messages up to this number. Up to where it has by now.
    pub async fn acknowledge(&self, agent_id: impl AsRef<str>, through: Seq) -> Result<Seq, Error> {
        Ok(self.core()?.ledger.acknowledge(agent(agent_id)?, through).await?)
    }
}
