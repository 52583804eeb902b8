//! What a callee takes from its queue, without knowing what there is.

use std::collections::HashSet;
use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use consign_ledger::command::{Claim, Command, Create, Taken};
use consign_ledger::delegation::change::{EventKind, Role};
use consign_ledger::delegation::terms::Terms;
use consign_ledger::{ClaimId, DelegationId, Error, Ledger, Payload, Reader as _, Store};

use super::reading::{agent, by};
use crate::{Backend, World};

fn claim(callee: &str, max: usize, name: Option<&str>) -> Claim {
    let claim_id = name.map(|name| ClaimId::new(name).unwrap());
    Claim { callee_id: agent(callee), max, claim_id }
}

pub async fn the_highest_priority_comes_first_and_then_who_has_waited_longest<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates low to bob, priority -1
            alice delegates D1 to bob
            alice delegates high to bob, priority 7
            wait 1s
            alice delegates D2 to bob & alice delegates D3 to bob
            bob claims                       takes high; high in_progress; D1 queued
            bob claims 2                     takes D1 D2
            bob claims 100                   takes D3 low
            bob claims                       takes nothing",
        )
        .await;
}

pub async fn a_claim_is_the_first_sign_of_life_and_gives_the_lease<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, threshold 1m
            wait 10s
            bob claims as C1                 takes D1; D1 heard 0s ago; D1 history created claimed
            bob beats D1, no lease           refused lease-required
            carol accepts D1                 refused lease-held
            wait 59s
            sweep                            D1 in_progress
            wait 3s
            sweep                            D1 stuck: no heartbeat for 1m2s
            bob beats D1                     D1 in_progress
            bob completes D1 with \"42\"       D1 completed; alice has 1 message",
        )
        .await;
    let events = world.events().await;
    let claimed = events.iter().find(|event| event.kind == EventKind::Claimed).unwrap();
    assert_eq!((claimed.role, claimed.actor_id.as_deref()), (Role::Callee, Some("bob")));
    assert_eq!(claimed.data.as_ref().unwrap().as_str(), r#"{"claim_id":"C1"}"#);
}

pub async fn no_two_claims_of_a_batch_get_the_same<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob
            alice delegates D4 to carol
            bob claims 2 & bob claims 2 & carol claims & bob claims    takes D1 D2 & takes D3 & takes D4 & takes nothing
                                                                       D1 version 2; D3 version 2",
        )
        .await;
}

/// Also what an act takes away that comes before it, and what one before it makes.
pub async fn a_claim_sees_what_the_acts_before_it_decided<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            carol accepts D1 & bob claims                            changed & takes D2
            alice delegates D3 to bob & bob claims 2                 changed & takes D3
            alice delegates D4 to bob
            alice delegates D5 to bob
            alice cancels D4 & alice dispatches D5 & bob claims      changed & changed & takes nothing
            bob releases D3 & bob claims                             changed & takes D3
            alice delegates D6 to bob
            alice retries D6 as D6, to carol & bob claims & carol claims    changed & takes nothing & takes D6
            alice delegates D7 to bob, priority 1
            bob claims & bob completes D7 & bob claims               takes D7 & refused lease-required & takes nothing",
        )
        .await;
}

pub async fn the_same_claim_gets_what_it_holds_while_that_is_current<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates low to bob, priority -1
            alice delegates D1 to bob
            bob claims 2 as C1               takes D1 low
            alice delegates D2 to bob
            bob claims 2 as C1               takes D1 low; D1 version 2; D2 queued
            bob claims as C1                 takes D1 low
            restart
            bob claims 2 as C1 & bob claims 2 as C1    takes D1 low & takes D1 low
            bob beats D1                     told in_progress
            bob accepts D1 as C1             replayed
            bob completes D1
            bob claims 2 as C1               takes low
            wait 11m
            sweep                            low stuck
            bob claims 2 as C1               takes low; low stuck
            alice retries low                low attempt 2
            bob claims 2 as C1               takes D2 low; low in_progress
            bob accepts D3                   refused not-found
            carol claims 2 as C1             takes nothing
            bob releases low & bob releases D2
            bob claims                       takes D2
            alice delegates D4 to bob
            bob accepts D4 as C4
            bob claims as C4                 takes D4",
        )
        .await;
}

pub async fn a_claim_whose_commit_was_not_answered_is_recognised<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            cut after commit
            bob claims                       takes D1; D1 version 2; D2 queued
            cut before commit
            bob claims                       takes D2; D2 version 2",
        )
        .await;
}

pub async fn what_is_stuck_and_held_by_nobody_may_be_claimed<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates idle to bob, start within 1m
            alice delegates record to bob, dispatched, start within 1m
            alice delegates held to bob, threshold 1m
            bob accepts held
            alice delegates beaten to bob, threshold 1m
            bob beats beaten
            alice delegates warned to bob
            alice sets warned to stuck
            alice delegates ours to bob
            alice dispatches ours
            alice sets ours to stuck
            wait 2m
            sweep                            pass: 4 stuck, 0 errors; record stuck; held stuck
            bob claims 100                   takes idle beaten warned
                                             idle in_progress; warned in_progress; idle attempt 1
            alice retries record
            alice retries ours
            bob claims 100                   takes record ours; record attempt 2",
        )
        .await;
}

pub async fn what_is_past_its_deadline_is_not_handed_out<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 10s
            alice delegates D2 to bob, deadline 1m
            wait 11s
            bob claims                       takes D2; D1 queued
            alice extends D1 to 1m
            bob claims 2                     takes D1",
        )
        .await;
}

pub async fn a_row_that_cannot_exist_holds_up_nobody_behind_it<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob",
        )
        .await;
    world.backend().poison(&world.id("D1")).await;
    world.play("bob claims & bob claims & bob claims   takes D2 & takes D3 & takes nothing").await;
}

pub async fn whoever_leaves_before_the_claim_is_decided_takes_nothing<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob").await;
    {
        let asked = pin!(world.ledger().claim(claim("bob", 1, None)));
        let looked = asked.poll(&mut Context::from_waker(Waker::noop()));
        assert!(looked.is_pending(), "it is on its way to the desk");
    }
    world.play("bob claims   takes D1; D1 version 2").await;
}

/// Claims, and verdicts and retries that come between.
pub async fn of_many_claims_by_two_writers_each_delegation_is_taken_once<B: Backend>(
    mut world: World<B>,
) {
    const ROWS: usize = 40;
    let lines: Vec<_> = (0..ROWS).map(|n| format!("alice delegates D{n} to bob")).collect();
    world.play(&lines.join("\n")).await;
    let (second, _) = world.second_writer().await;
    let claimers: Vec<_> = (0..20)
        .map(|n| {
            let ledger = if n % 2 == 0 { world.ledger().clone() } else { second.clone() };
            tokio::spawn(take_all(ledger, 1 + n % 3))
        })
        .collect();
    let mut taken = vec![];
    for claimer in claimers {
        taken.extend(claimer.await.unwrap());
    }
    assert_eq!(taken.len(), ROWS);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), ROWS);
    for entry in world.reader().list(by(100)).await.unwrap().items {
        assert_eq!(entry.delegation.version, 2, "created, claimed");
    }
}

/// Claims on until nothing is left, however often another writer has what could be had.
async fn take_all<S: Store>(ledger: Ledger<S>, max: usize) -> Vec<DelegationId> {
    let mut taken = vec![];
    loop {
        match ledger.claim(claim("bob", max, None)).await {
            Ok(more) if more.is_empty() && none_waits(&ledger).await => return taken,
            Ok(more) => taken.extend(more.into_iter().map(|it| it.delegation.delegation_id)),
            Err(Error::Unavailable | Error::Contended) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
}

async fn none_waits<S: Store>(ledger: &Ledger<S>) -> bool {
    let stats = ledger.reader().stats().await.unwrap();
    stats.of(consign_ledger::delegation::status::Status::Queued) == 0
}

pub async fn one_claim_that_two_writers_are_asked_for_gets_one_answer<B: Backend>(
    mut world: World<B>,
) {
    let (second, _) = world.second_writer().await;
    for n in 0..10 {
        let (one, other) = (format!("D{n}"), format!("E{n}"));
        world.play(&format!("alice delegates {one} to bob\nalice delegates {other} to bob")).await;
        let name = format!("C{n}");
        let ask = |ledger: &Ledger<_>| {
            let ledger = ledger.clone();
            let claim = claim("bob", 1, Some(&name));
            tokio::spawn(async move { ledger.claim(claim).await })
        };
        let (first, second) = (ask(world.ledger()), ask(&second));
        let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
        let ids = |taken: &[Taken]| -> Vec<(DelegationId, String)> {
            taken.iter().map(|it| (it.delegation.delegation_id.clone(), it.lease.clone())).collect()
        };
        assert_eq!(ids(&first), ids(&second));
        assert_eq!(first.len(), 1);
        world.play("bob claims 2").await;
    }
}

pub async fn a_callee_claims_no_more_than_it_may_hold<B: Backend>(mut world: World<B>) {
    for n in 1..=8 {
        world.play(&format!("alice delegates D{n} to bob, attempts 2, threshold 1m")).await;
    }
    world
        .play(
            "
            limit bob, in flight 2
            bob claims 100 as C1             takes D1 D2
            bob claims                       takes nothing
            bob claims 100 as C1             takes D1 D2
            bob completes D1 & bob claims & bob claims    changed & takes D3 & takes nothing
            wait 1s
            bob releases D2 & bob claims     changed & takes D4
            bob accepts D5                   D5 in_progress
            bob accepts D6                   D6 in_progress
            bob completes D3
            bob completes D5
            bob claims                       takes nothing
            wait 3m
            sweep                            pass: 2 stuck, 0 errors
            bob claims                       takes nothing
            wait 2m
            sweep                            pass: 2 requeued, 0 errors
            alice delegates D9 to carol
            carol claims                     takes D9
            bob claims 100                   takes D7 D8
            limit bob, in flight 0
            alice delegates D10 to bob
            bob claims                       takes nothing",
        )
        .await;
    world.ledger().remove_agent(agent("bob")).await.unwrap();
    world.play("bob claims 100   takes D2 D4 D6 D10").await;
}

pub async fn no_more_is_delegated_to_a_callee_than_may_wait_for_it<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            limit bob, queued 2
            alice delegates D1 to bob & alice delegates D2 to bob & alice delegates D3 to bob    changed & changed & refused queue-full
            alice delegates D4 to bob, dispatched        changed
            alice delegates D1 to bob                    replayed
            alice delegates D5 to carol                  changed
            bob claims & alice delegates D6 to bob       takes D1 & changed
            alice delegates D7 to bob                    refused queue-full
            bob releases D1                              D1 queued
            alice cancels D1
            alice retries D1 as D8                       D8 queued
            alice retries D5 as D5, to bob               D5 queued
            alice cancels D2
            alice cancels D6
            alice delegates D7 to bob                    refused queue-full
            bob claims                                   takes D5
            alice delegates D7 to bob                    changed; D3 unknown
            limit carol, queued 0
            alice delegates D9 to carol                  refused queue-full",
        )
        .await;
}

pub async fn limits_hold_for_two_writers_together<B: Backend>(mut world: World<B>) {
    world.play("limit bob, in flight 7, queued 9").await;
    let (second, _) = world.second_writer().await;
    let ledger =
        |n: usize| if n.is_multiple_of(2) { world.ledger().clone() } else { second.clone() };
    let delegated: Vec<_> = (0..30)
        .map(|n| {
            let (ledger, create) = (ledger(n), plain(&format!("D{n}")));
            tokio::spawn(async move { ledger.act(create).await.is_ok() })
        })
        .collect();
    let mut made = 0;
    for it in delegated {
        made += usize::from(it.await.unwrap());
    }
    let claims: Vec<_> = (0..30)
        .map(|n| {
            let ledger = ledger(n);
            tokio::spawn(async move { ledger.claim(claim("bob", 1, None)).await.unwrap().len() })
        })
        .collect();
    let mut taken = 0;
    for it in claims {
        taken += it.await.unwrap();
    }
    assert_eq!((made, taken), (9, 7));
    world.play("sweep   stats: 2 queued, 7 in_progress").await;
}

fn plain(id: &str) -> Command {
    Command::Create(Box::new(Create {
        delegation_id: Some(DelegationId::new(id).unwrap()),
        caller_id: agent("alice"),
        callee_id: agent("bob"),
        bodies: Arc::new((Payload::Text(String::new()), None)),
        idempotency_key: None,
        deadline: None,
        dispatched: false,
        max_attempts: 1,
        terms: Terms::default(),
        notify: None,
        parent_id: None,
    }))
}
