//! Acts of a script as requests to the ledger.

use std::sync::Arc;

use consign_ledger::command::{
    Accept, Cancel, Claim, Command, Complete, Create, Dispatch, Extend, Fail, Heartbeat, Outcome,
    Release, Retry, SetStatus, Taken, WaitChange,
};
use consign_ledger::delegation::deadline::DeadlineRequest;
use consign_ledger::delegation::terms::{Notify, OnNotStarted, Terms};
use consign_ledger::delegation::waiting::WaitRequest;
use consign_ledger::{
    AgentId, AgentTerms, ClaimId, DelegationId, Error, IdempotencyKey, Json, Payload,
};
use futures_util::future::join_all;

use crate::Backend;
use crate::scenario::{Act, Answer, Beat, Claiming, Limit, Order, Retrial, ShownLease, Verb, Wait};

use super::{Said, World};

/// A lease that no ledger ever issued.
const FORGED_LEASE: &str = "AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAA";

impl<B: Backend> World<B> {
    /// The acts in one batch; a single one goes its ordinary way.
    pub async fn act(&mut self, acts: &[Act]) -> Vec<Said> {
        if acts.iter().any(|act| matches!(act.verb, Verb::Claim(_))) {
            return self.act_and_claim(acts).await;
        }
        let mut commands: Vec<Command> = acts.iter().map(|act| self.command(act)).collect();
        if let [Command::Heartbeat(_)] = commands[..]
            && let Some(Command::Heartbeat(beat)) = commands.pop()
        {
            let pulses = self.ledger().heartbeats(vec![beat]).await;
            return pulses.iter().map(Said::of_beat).collect();
        }
        let outcomes = self.ledger().act_all(commands).await;
        for (act, outcome) in acts.iter().zip(&outcomes) {
            if let Ok(outcome) = outcome {
                self.remember(act, outcome);
            }
        }
        outcomes.iter().map(Said::of).collect()
    }

    /// A claim is asked for by itself, and whatever is asked for before the desk looks is one batch.
    async fn act_and_claim(&mut self, acts: &[Act]) -> Vec<Said> {
        enum Done {
            Acted(Box<Result<Outcome, Error>>),
            Taken(Result<Vec<Taken>, Error>),
        }
        let asks = acts.iter().map(async |act| match &act.verb {
            Verb::Claim(claiming) => {
                Done::Taken(self.ledger().claim(claim(&act.who, claiming)).await)
            }
            _ => Done::Acted(Box::new(self.ledger().act(self.command(act)).await)),
        });
        let done = join_all(asks).await;
        let mut said = vec![];
        for (act, done) in acts.iter().zip(done) {
            match done {
                Done::Acted(outcome) => {
                    if let Ok(outcome) = &*outcome {
                        self.remember(act, outcome);
                    }
                    said.push(Said::of(&outcome));
                }
                Done::Taken(taken) => {
                    for Taken { delegation, lease } in taken.iter().flatten() {
                        let holder = (act.who.clone(), delegation.delegation_id.clone());
                        self.leases.insert(holder, lease.clone());
                    }
                    said.push(Said::of_claim(&taken));
                }
            }
        }
        said
    }

    pub(super) async fn limit(&self, Limit { who, in_flight, queued }: &Limit) {
        let (max_in_flight, max_queued) = (*in_flight, *queued);
        let terms = AgentTerms { max_in_flight, max_queued, ..AgentTerms::default() };
        self.ledger().set_agent(agent(who), terms).await.expect("a record can be written");
    }

    /// The request behind an act, unless it is a claim.
    #[must_use]
    pub fn command(&self, act: &Act) -> Command {
        let id = self.id(&act.id);
        match &act.verb {
            Verb::Delegate(order) => Command::Create(Box::new(self.create(act, order))),
            Verb::Dispatch => Command::Dispatch(Dispatch { id }),
            Verb::Accept(claim) => {
                let claim = claim.as_deref().map(|claim| ClaimId::new(claim).expect("an id"));
                Command::Accept(Accept { id, claim_id: claim })
            }
            Verb::Claim(_) => unreachable!("a claim is asked for by itself"),
            Verb::Beat(beat) => Command::Heartbeat(self.heartbeat(act, beat)),
            Verb::Complete(answer) => Command::Complete(Complete {
                lease: self.shown(act, answer),
                result: answer.with.clone().map(Payload::Text),
                override_reason: answer.override_reason.clone(),
                id,
            }),
            Verb::Fail(answer) => Command::Fail(Fail {
                lease: self.shown(act, answer),
                error_detail: answer.with.clone(),
                override_reason: answer.override_reason.clone(),
                id,
            }),
            Verb::Release(answer) => Command::Release(Release {
                lease: self.shown(act, answer).unwrap_or_default(),
                reason: answer.with.clone(),
                id,
            }),
            Verb::Cancel(why) => Command::Cancel(Cancel { id, reason: why.clone() }),
            Verb::Retry(retrial) => Command::Retry(retry(id, retrial)),
            Verb::Extend(extension) => Command::Extend(Extend {
                id,
                deadline: DeadlineRequest::In(extension.deadline_s),
                if_version: extension.if_version,
            }),
            Verb::Set(setting) => Command::SetStatus(SetStatus {
                id,
                status: setting.status,
                error_detail: setting.with.clone(),
                result: setting.with.clone(),
                lease: self.show(&act.who, &act.id, &setting.lease),
                override_reason: setting.override_reason.clone(),
            }),
        }
    }

    fn create(&self, act: &Act, order: &Order) -> Create {
        let task = Payload::Text(order.task.clone().unwrap_or_else(|| act.id.clone()));
        Create {
            delegation_id: (!order.unnamed).then(|| self.id(&act.id)),
            caller_id: agent(&act.who),
            callee_id: agent(&order.to),
            bodies: Arc::new((task, None)),
            idempotency_key: order
                .key
                .as_deref()
                .map(|key| IdempotencyKey::new(key).expect("a key")),
            deadline: order.deadline_s.map(DeadlineRequest::In),
            dispatched: order.dispatched,
            max_attempts: order.attempts.unwrap_or(1),
            terms: terms(order),
            notify: notify(order),
            parent_id: order.under.as_deref().map(|parent| self.id(parent)),
        }
    }

    fn heartbeat(&self, act: &Act, beat: &Beat) -> Heartbeat {
        let waiting = beat.waiting.as_ref().map(|wait| match wait {
            Wait::Over => WaitChange::End,
            Wait::For { what, child, for_s } => WaitChange::For(WaitRequest {
                wait_for: *what,
                note: None,
                child_id: child.as_deref().map(|child| self.id(child)),
                for_s: *for_s,
            }),
        });
        Heartbeat {
            id: self.id(&act.id),
            lease: self.show(&act.who, &act.id, &beat.lease),
            progress: beat.progress.as_ref().map(|text| Json::trusted(format!("\"{text}\""))),
            waiting,
            override_reason: beat.override_reason.clone(),
        }
    }

    fn shown(&self, act: &Act, answer: &Answer) -> Option<String> {
        self.show(&act.who, &act.id, &answer.lease)
    }

    fn show(&self, who: &str, name: &str, lease: &ShownLease) -> Option<String> {
        let of = |who: &str| self.leases.get(&(who.to_owned(), self.id(name))).cloned();
        match lease {
            ShownLease::Own => of(who),
            ShownLease::None => None,
            ShownLease::Of(other) => of(other),
            ShownLease::Forged => Some(FORGED_LEASE.to_owned()),
        }
    }

    /// Keeps what later lines refer to: leases, and which id a name stands for.
    fn remember(&mut self, act: &Act, outcome: &Outcome) {
        let id = outcome.delegation.delegation_id.clone();
        if let Some(lease) = &outcome.lease {
            self.leases.insert((act.who.clone(), id.clone()), lease.clone());
        }
        let name = match &act.verb {
            Verb::Delegate(_) => Some(&act.id),
            Verb::Retry(retrial) => retrial.new_name.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.names.insert(name.clone(), id);
        }
    }
}

fn claim(who: &str, Claiming { max, name }: &Claiming) -> Claim {
    let claim_id = name.as_deref().map(|name| ClaimId::new(name).expect("an id"));
    Claim { callee_id: agent(who), max: *max, claim_id }
}

fn retry(id: DelegationId, retrial: &Retrial) -> Retry {
    Retry {
        id,
        deadline_s: retrial.deadline_s,
        callee_id: retrial.to.as_deref().map(agent),
        if_attempt: retrial.if_attempt,
    }
}

fn terms(order: &Order) -> Terms {
    Terms {
        stuck_threshold_s: order.threshold_s,
        stuck_grace_s: order.grace_s,
        start_within_s: order.start_within_s,
        on_not_started: if order.fail_unless_started {
            OnNotStarted::Fail
        } else {
            OnNotStarted::Stuck
        },
        progress_within_s: order.progress_within_s,
        priority: order.priority,
        cancel_children: order.cancel_children,
        ..Terms::default()
    }
}

/// An order that says nothing of warnings leaves them to its caller's record.
fn notify(order: &Order) -> Option<Notify> {
    let notify = Notify { stuck: order.notify_stuck, recovered: order.notify_recovered };
    (notify != Notify::default()).then_some(notify)
}

/// The agent with this name.
fn agent(name: &str) -> AgentId {
    AgentId::new(name).expect("a name is an agent's id")
}
