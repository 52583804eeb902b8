//! Two servers that want the same at once: one gets it, both are told the same story.

use std::collections::HashMap;
use std::time::Duration;

use consign_ledger::command::{Accept, Claim, Command, Complete, Outcome, Retry, Taken};
use consign_ledger::{
    AgentId, ClaimId, DelegationId, Error, IdempotencyKey, Ledger, Payload, Reader as _, Store,
};
use consign_store_postgres::PostgresStore;
use consign_testkit::postgres::AtCommit;
use consign_testkit::{Backend, World, conformance};
use tokio::time::timeout;

use super::backend::Postgres;
use super::replica::{Replica, delegate, on_real_threads};
use super::wire::{APPEND, Wired};

/// Rounds in which both try.
const ROUNDS: usize = 25;
/// Commands in one request.
const EACH: usize = 10;
/// Long enough for whatever could happen, short enough to wait for what must not.
const A_WHILE: Duration = Duration::from_millis(500);

fn ids(round: usize) -> Vec<String> {
    (0..EACH).map(|n| format!("D{round}-{n}")).collect()
}

fn id(text: &str) -> DelegationId {
    DelegationId::new(text).unwrap()
}

/// Both send their commands at once; what each was answered.
async fn at_once<B: Backend>(
    world: &World<B>,
    second: &Replica,
    commands: [Vec<Command>; 2],
) -> [Vec<Result<Outcome, Error>>; 2] {
    let [ours, theirs] = commands;
    let (one, other) = (world.ledger().clone(), second.ledger.clone());
    let one = tokio::spawn(async move { one.act_all(ours).await });
    let other = tokio::spawn(async move { other.act_all(theirs).await });
    [one.await.unwrap(), other.await.unwrap()]
}

async fn two_servers() -> (World<Postgres>, Replica) {
    let world = World::<Postgres>::new().await;
    let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
    (world, second)
}

#[test]
fn the_same_ids_from_both_in_opposite_order_make_each_delegation_once() {
    on_real_threads(async {
        let (world, second) = two_servers().await;
        for round in 0..ROUNDS {
            let ids = ids(round);
            let ours = ids.iter().map(|id| delegate(id)).collect();
            let theirs = ids.iter().rev().map(|id| delegate(id)).collect();
            let answers = at_once(&world, &second, [ours, theirs]).await;
            let outcomes = answers.into_iter().flatten().map(Result::unwrap);
            let (made, replayed): (Vec<_>, Vec<_>) = outcomes.partition(|it| it.changed);
            assert_eq!((made.len(), replayed.len()), (EACH, EACH));
            assert!(replayed.iter().all(|outcome| outcome.replayed));
        }
        assert_eq!(world.stats().await, format!("{} queued", ROUNDS * EACH));
        world.audit().await;
    });
}

#[test]
fn the_same_keys_from_both_make_each_delegation_once_and_both_get_it() {
    on_real_threads(async {
        let (world, second) = two_servers().await;
        for round in 0..ROUNDS {
            let keyed = |who: &str, nth: usize| {
                let Command::Create(mut create) = delegate(&format!("{who}{round}-{nth}")) else {
                    unreachable!()
                };
                create.delegation_id = None;
                let key = format!("K{round}-{nth}");
                create.idempotency_key = Some(IdempotencyKey::new(&key).unwrap());
                Command::Create(create)
            };
            let ours = (0..EACH).map(|nth| keyed("ours", nth)).collect();
            let theirs = (0..EACH).rev().map(|nth| keyed("theirs", nth)).collect();
            let [ours, mut theirs] = at_once(&world, &second, [ours, theirs]).await;
            theirs.reverse();
            for (ours, theirs) in ours.into_iter().zip(theirs) {
                let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
                assert!(ours.changed != theirs.changed, "one of both made it");
                assert_eq!(ours.delegation.delegation_id, theirs.delegation.delegation_id);
            }
        }
        assert_eq!(world.stats().await, format!("{} queued", ROUNDS * EACH));
        world.audit().await;
    });
}

#[test]
fn of_two_who_accept_the_same_work_one_gets_the_lease() {
    on_real_threads(async {
        let (world, second) = two_servers().await;
        for round in 0..ROUNDS {
            let ids = ids(round);
            let made = world.ledger().act_all(ids.iter().map(|id| delegate(id)).collect()).await;
            assert!(made.iter().all(Result::is_ok));
            let accept = |it: &String| Command::Accept(Accept { id: id(it), claim_id: None });
            let ours = ids.iter().map(accept).collect();
            let theirs = ids.iter().rev().map(accept).collect();
            let answers = at_once(&world, &second, [ours, theirs]).await;
            let mut leases: HashMap<DelegationId, usize> = HashMap::new();
            for answer in answers.into_iter().flatten() {
                match answer {
                    Ok(outcome) => {
                        *leases.entry(outcome.delegation.delegation_id).or_default() += 1;
                    }
                    Err(Error::Refused(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(leases.len(), EACH, "each is somebody's");
            assert!(leases.values().all(|count| *count == 1), "and nobody's twice");
        }
        world.audit().await;
    });
}

/// One who wants something else of the same few delegations with every act.
async fn meddle(ledger: Ledger<PostgresStore>, ids: Vec<DelegationId>, seed: usize) {
    for nth in 0..100 {
        let id = ids[(nth * 7 + seed * 13) % ids.len()].clone();
        let command = match (nth * 5 + seed * 3) % 4 {
            0 => Command::Accept(Accept { id, claim_id: None }),
            1 => Command::Retry(Retry { id, deadline_s: None, callee_id: None, if_attempt: None }),
            2 => Command::Complete(Complete {
                id,
                result: Some(Payload::Text(format!("{seed} {nth}"))),
                lease: None,
                override_reason: None,
            }),
            _ => delegate(&format!("M{}", nth % 10)),
        };
        match ledger.act(command).await {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn servers_that_meddle_with_the_same_rows_while_both_sweep_leave_one_story() {
    on_real_threads(async {
        let (mut world, second) = two_servers().await;
        let third = Replica::start(&world.backend().database.url(), world.clock(), 8).await;
        let lines: Vec<String> = (0..20)
            .map(|n| format!("alice delegates D{n} to bob, attempts 3, deadline 2m"))
            .collect();
        world.play(&lines.join(" & ")).await;
        let ids: Vec<_> = (0..20).map(|n| id(&format!("D{n}"))).collect();
        let meddlers: Vec<_> = (0..8)
            .map(|seed| {
                let ledger = if seed % 2 == 0 { &second.ledger } else { &third.ledger };
                tokio::spawn(meddle(ledger.clone(), ids.clone(), seed))
            })
            .collect();
        for _ in 0..15 {
            world.clock().advance_ms(10_000);
            let reports = tokio::join!(world.sweep(), second.sweep(), third.sweep());
            assert_eq!(reports.0.errors + reports.1.errors + reports.2.errors, 0, "{reports:?}");
        }
        for meddler in meddlers {
            meddler.await.unwrap();
        }
        world.audit().await;
        let found = world.reader().find(&id("D0")).await.unwrap().unwrap().0;
        assert!(!found.in_flight(), "its deadline is over: {found:?}");
    });
}

/// Whoever is about to change a row may be another server in the middle of its claim.
#[tokio::test]
async fn a_claim_passes_over_what_another_is_about_to_change_and_does_not_wait() {
    let mut world = World::<Postgres>::new().await;
    world.play("alice delegates D1 to bob\nalice delegates D2 to bob").await;
    let other = world.backend().database.vandal().await;
    let lock = "BEGIN; SELECT 1 FROM delegations WHERE delegation_id = 'D1' FOR NO KEY UPDATE";
    other.batch_execute(lock).await.unwrap();
    world.play("bob claims 2   takes D2\nbob claims   takes nothing").await;
    other.batch_execute("ROLLBACK").await.unwrap();
    world.play("bob claims   takes D1").await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_no_claim_behind_it() {
    let mut world = World::<Postgres>::new().await;
    for n in 1..=4 {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    let vandal = world.backend().database.vandal().await;
    let break_two = "UPDATE delegations SET waiting = 'nonsense' WHERE num <= 2";
    vandal.batch_execute(break_two).await.unwrap();
    world
        .play("bob claims   takes D3\nbob claims 100   takes D4\nbob claims   takes nothing")
        .await;
}

/// The second server is asked while the commit of the first is on its way: what that took is not to be seen yet.
#[test]
fn one_claim_that_two_servers_are_asked_for_gets_one_answer() {
    conformance::run(async |mut world: World<Wired>| {
        let second = Replica::start(&world.backend().database.url(), world.clock(), 7).await;
        world.play("alice delegates D1 to bob\nalice delegates D2 to bob").await;
        world.backend().proxy.cut_commit(APPEND, AtCommit::Held);
        let mut first = tokio::spawn(claim(world.ledger().clone()));
        assert!(timeout(A_WHILE, &mut first).await.is_err(), "its commit is held back");
        let mut other = tokio::spawn(claim(second.ledger.clone()));
        assert!(timeout(A_WHILE, &mut other).await.is_err(), "it waits for the first");
        world.backend().proxy.let_go();
        let (first, other) = (first.await.unwrap(), other.await.unwrap());
        assert_eq!(first, other);
        assert_eq!(first.len(), 1);
    });
}

async fn claim<S: Store>(ledger: Ledger<S>) -> Vec<Taken> {
    let claim_id = Some(ClaimId::new("C1").unwrap());
    let callee_id = AgentId::new("bob").unwrap();
    ledger.claim(Claim { callee_id, max: 1, claim_id }).await.unwrap()
}
