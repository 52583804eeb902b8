//! Many at once, on real threads: whoever wins, everything tells one story. For every store that has threads.

use consign_ledger::command::{
    Accept, Cancel, Claim, Command, Complete, Fail, Heartbeat, Release, Retry, Sweep,
};
use consign_ledger::query::Lane;
use consign_ledger::{DelegationId, Ledger, Payload, Reader as _, Store, Time};

use super::reading::agent;
use crate::{Backend, World};

const ROWS: usize = 40;
const ACTORS: usize = 8;
const ACTS: usize = 120;

pub fn rivals_on_real_threads_leave_one_story<B: Backend>() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::<B>::new().await;
        let mut ids = vec![];
        for n in 0..ROWS {
            world.play(&format!("alice delegates D{n} to bob, attempts 3, deadline 1m")).await;
            ids.push(world.id(&format!("D{n}")));
        }
        let (second, _) = world.second_writer().await;
        let mut actors = vec![];
        for actor in 0..ACTORS {
            let (ids, first) = (ids.clone(), world.ledger().clone());
            let second = second.clone();
            let ledger = if actor % 2 == 0 { first } else { second };
            actors.push(tokio::spawn(act(ledger, ids, actor)));
        }
        let passes = {
            let (ledger, clock) = (world.ledger().clone(), world.clock().clone());
            tokio::spawn(async move {
                for _ in 0..40 {
                    clock.advance_ms(2000);
                    pass(&ledger).await;
                }
            })
        };
        for actor in actors {
            actor.await.unwrap();
        }
        passes.await.unwrap();
        world.audit().await;
        world.play("wait 2m").await;
        world.play("sweep").await;
        assert_eq!(world.reader().stats().await.unwrap().in_flight(), 0);
        world.audit().await;
    });
}

/// One of many who all want something else of the same few delegations.
async fn act<S: Store>(ledger: Ledger<S>, ids: Vec<DelegationId>, actor: usize) {
    let mut leases: Vec<Option<String>> = vec![None; ids.len()];
    let callee = agent("bob");
    for nth in 0..ACTS {
        // A walk through all pairs of row and verb, another one for each actor.
        let row = (nth * 7 + actor * 13) % ids.len();
        let id = ids[row].clone();
        let lease = leases[row].clone();
        let command = match (nth * 5 + actor * 3) % 11 {
            0 | 1 => {
                let claim = Claim { callee_id: callee.clone(), max: 1 + nth % 3, claim_id: None };
                for taken in ledger.claim(claim).await.iter().flatten() {
                    // Or it is the retry of one that had ended.
                    if let Some(row) =
                        ids.iter().position(|id| *id == taken.delegation.delegation_id)
                    {
                        leases[row] = Some(taken.lease.clone());
                    }
                }
                continue;
            }
            2 => Command::Accept(Accept { id, claim_id: None }),
            3 | 4 => {
                let beat =
                    Heartbeat { id, lease, progress: None, waiting: None, override_reason: None };
                drop(ledger.heartbeats(vec![beat.clone(), beat]).await);
                continue;
            }
            5 => Command::Complete(Complete {
                id,
                result: Some(Payload::Text(format!("{actor} {nth}"))),
                lease,
                override_reason: None,
            }),
            6 => Command::Fail(Fail {
                id,
                error_detail: Some(format!("{actor}")),
                lease,
                override_reason: None,
            }),
            7 => Command::Release(Release { id, lease: lease.unwrap_or_default(), reason: None }),
            8 => Command::Retry(Retry { id, deadline_s: None, callee_id: None, if_attempt: None }),
            9 if nth % 5 == 0 => Command::Cancel(Cancel { id, reason: None }),
            _ => Command::Complete(Complete { id, result: None, lease, override_reason: None }),
        };
        if let Ok(outcome) = ledger.act(command).await
            && outcome.lease.is_some()
        {
            leases[row] = outcome.lease;
        }
    }
}

async fn pass<S: Store>(ledger: &Ledger<S>) {
    for lane in [Lane::Deadline, Lane::Check] {
        let now: Time = ledger.reader().reading().await.unwrap().now;
        let due = ledger.reader().due(lane, now, None, 100).await.unwrap();
        let steps = due.iter().map(|due| Sweep::Examine(due.watch.num)).collect();
        for swept in ledger.sweep(steps).await {
            swept.unwrap();
        }
    }
}
