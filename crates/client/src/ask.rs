//! The questions: nothing changes.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Client;
use crate::error::Error;
use crate::reply::Reply;
use crate::request::Request;
use crate::shape::{
    AgentShown, Agents, EventPage, Inbox, LateResults, Outlook, Page, PrunablePage, Ready,
    Settings, Shown, Stats, Sweeps,
};

/// Which delegations to list. Everything narrows; the default is all.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names are the wire's, explained in docs/http.md")]
pub struct Filter {
    pub status: Option<String>,
    pub caller: Option<String>,
    pub callee: Option<String>,
    pub parent: Option<String>,
    pub created_after: Option<String>,
    pub created_before: Option<String>,
    pub id_prefix: Option<String>,
}

/// What counts as news to who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The verdict, or being stuck.
    Stuck,
    /// The verdict.
    Terminal,
}

impl Until {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Terminal => "terminal",
        }
    }
}

impl Client {
    /// One delegation, whole.
    pub async fn show(&self, id: &str) -> Result<Reply<Shown>, Error> {
        self.of(id, &[], &[]).await
    }

    /// The same, as soon as there is news, or as it is after `wait_s` seconds; 60 at most.
    pub async fn wait(&self, id: &str, until: Until, wait_s: u32) -> Result<Reply<Shown>, Error> {
        let query =
            [("until", Some(until.as_str().to_owned())), ("wait_s", Some(wait_s.to_string()))];
        let mut request = Request::get(&["v1", "delegations", id], &query);
        request.answer_within += Duration::from_secs(wait_s.into());
        self.ask(&request).await
    }

    /// One page of delegations; `cursor` is the `next_cursor` of the page before.
    pub async fn list(
        &self,
        filter: &Filter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Reply<Page>, Error> {
        let query = [
            ("status", filter.status.clone()),
            ("caller", filter.caller.clone()),
            ("callee", filter.callee.clone()),
            ("parent", filter.parent.clone()),
            ("created_after", filter.created_after.clone()),
            ("created_before", filter.created_before.clone()),
            ("id_prefix", filter.id_prefix.clone()),
            ("cursor", cursor.map(str::to_owned)),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.ask(&Request::get(&["v1", "delegations"], &query)).await
    }

    /// One page of the delegations created under one.
    pub async fn children(
        &self,
        id: &str,
        status: Option<&str>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Reply<Page>, Error> {
        let query = [
            ("status", status.map(str::to_owned)),
            ("cursor", cursor.map(str::to_owned)),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.of(id, &["children"], &query).await
    }

    /// One page of what happened to a delegation, behind the event `after`.
    pub async fn events(
        &self,
        id: &str,
        after: Option<i64>,
        limit: Option<u32>,
    ) -> Result<Reply<EventPage>, Error> {
        let query = [
            ("after", after.map(|after| after.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.of(id, &["events"], &query).await
    }

    /// What comes next by the clock, and why.
    pub async fn explain(&self, id: &str) -> Result<Reply<Outlook>, Error> {
        self.of(id, &["explain"], &[]).await
    }

    /// The answers that came too late.
    pub async fn late_results(&self, id: &str) -> Result<Reply<LateResults>, Error> {
        self.of(id, &["late-results"], &[]).await
    }

    /// One page of an agent's messages, behind the number `after`; `None`: behind what it has acknowledged.
    pub async fn inbox(
        &self,
        agent_id: &str,
        after: Option<i64>,
        limit: Option<u32>,
    ) -> Result<Reply<Inbox>, Error> {
        let query = [
            ("after", after.map(|after| after.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.ask(&Request::get(&["v1", "agents", agent_id, "inbox"], &query)).await
    }

    /// The same, as soon as there is a message, or as it is after `wait_s` seconds; 60 at most.
    pub async fn wait_for_messages(
        &self,
        agent_id: &str,
        after: Option<i64>,
        limit: Option<u32>,
        wait_s: u32,
    ) -> Result<Reply<Inbox>, Error> {
        let query = [
            ("after", after.map(|after| after.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
            ("wait_s", Some(wait_s.to_string())),
        ];
        let mut request = Request::get(&["v1", "agents", agent_id, "inbox"], &query);
        request.answer_within += Duration::from_secs(wait_s.into());
        self.ask(&request).await
    }

    /// One page of everybody who is known, by id, behind the id `after`.
    pub async fn agents(
        &self,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Reply<Agents>, Error> {
        let query =
            [("after", after.map(str::to_owned)), ("limit", limit.map(|limit| limit.to_string()))];
        self.ask(&Request::get(&["v1", "agents"], &query)).await
    }

    /// One agent: what is set for it, and how it does.
    pub async fn agent(&self, agent_id: &str) -> Result<Reply<AgentShown>, Error> {
        self.ask(&Request::get(&["v1", "agents", agent_id], &[])).await
    }

    /// How many delegations have each status.
    pub async fn stats(&self) -> Result<Reply<Stats>, Error> {
        self.ask(&Request::get(&["v1", "stats"], &[])).await
    }

    /// What the server runs by.
    pub async fn settings(&self) -> Result<Reply<Settings>, Error> {
        self.ask(&Request::get(&["v1", "settings"], &[])).await
    }

    /// One page of what is over and was kept long enough; `cursor` is the `next_cursor` of the page before.
    pub async fn prunable(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Reply<PrunablePage>, Error> {
        let query = [
            ("cursor", cursor.map(str::to_owned)),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        self.ask(&Request::get(&["v1", "prunable"], &query)).await
    }

    /// Whether the server can read its ledger.
    pub async fn ready(&self) -> Result<Reply<Ready>, Error> {
        self.ask(&Request::get(&["readyz"], &[])).await
    }

    /// The reports of the latest passes.
    pub async fn sweeps(&self, limit: Option<u32>) -> Result<Reply<Sweeps>, Error> {
        let query = [("limit", limit.map(|limit| limit.to_string()))];
        self.ask(&Request::get(&["v1", "sweeps"], &query)).await
    }

    async fn of<T: DeserializeOwned>(
        &self,
        id: &str,
        what: &[&str],
        query: &[(&str, Option<String>)],
    ) -> Result<Reply<T>, Error> {
        let segments = [&["v1", "delegations", id], what].concat();
        self.ask(&Request::get(&segments, query)).await
    }
}
