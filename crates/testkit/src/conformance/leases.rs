//! Who holds the work, and how it changes hands.

use consign_ledger::Error;
use consign_ledger::command::{Accept, Command};
use consign_ledger::delegation::change::{EventKind, Role};

use crate::{Backend, World};

pub async fn once_a_lease_was_issued_the_callee_must_show_it<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1                     told in_progress
            bob accepts D1                   D1 in_progress
            bob beats D1                     told in_progress
            bob beats D1, no lease           refused lease-required
            bob beats D1, a forged lease     refused lease-void
            bob completes D1, no lease       refused lease-required
            bob fails D1, no lease           refused lease-required
            bob releases D1, no lease        refused lease-void
            bob completes D1 with \"42\"       D1 completed
            bob completes D1 with \"42\"       replayed
            bob beats D1                     refused already-terminal
            bob completes D1 with \"43\", no lease     refused already-terminal",
        )
        .await;
}

pub async fn a_lease_belongs_to_its_delegation<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob accepts D1
            carol accepts D2",
        )
        .await;
    let beat = consign_ledger::command::Heartbeat {
        id: world.id("D1"),
        lease: Some(world.lease("carol", "D2")),
        progress: None,
        waiting: None,
        override_reason: None,
    };
    let pulse = world.ledger().heartbeats(vec![beat]).await.pop().unwrap();
    assert_eq!(crate::Said::of_beat(&pulse).refused.as_deref(), Some("lease-void"));
}

pub async fn of_two_claimers_one_gets_the_lease<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob accepts D1 & carol accepts D1                changed & refused lease-held
            bob accepts D2 as C1 & carol accepts D2 as C2    changed & refused lease-held
            bob beats D2, bob's lease                        told in_progress
                                                             D1 version 2; D2 version 2",
        )
        .await;
    world.play("alice delegates D3 to bob").await;
    let id = world.id("D3");
    let accepts = (0..20).map(|_| {
        let (ledger, id) = (world.ledger().clone(), id.clone());
        tokio::spawn(
            async move { ledger.act(Command::Accept(Accept { id, claim_id: None })).await },
        )
    });
    let mut won = 0;
    for accept in accepts.collect::<Vec<_>>() {
        won += u32::from(accept.await.unwrap().is_ok());
    }
    assert_eq!(won, 1);
}

pub async fn the_same_claim_gets_the_same_lease_while_its_attempt_is_current<B: Backend>(
    mut world: World<B>,
) {
    world.play("alice delegates D1 to bob, attempts 3").await;
    world.play("bob accepts D1 as C1    changed").await;
    let first = world.lease("bob", "D1");
    world
        .play(
            "
            bob accepts D1 as C1      replayed
            bob accepts D1 as C2      refused lease-held
            bob accepts D1            refused lease-held
            restart
            bob accepts D1 as C1      replayed; D1 version 2",
        )
        .await;
    assert_eq!(world.lease("bob", "D1"), first);
    world
        .play(
            "
            alice retries D1
            bob beats D1              refused lease-void
            bob accepts D1 as C1      changed; D1 attempt 2
            bob beats D1              told in_progress",
        )
        .await;
    assert_ne!(world.lease("bob", "D1"), first);
}

pub async fn a_lease_outlives_a_restart<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            restart
            bob beats D1              told in_progress
            down 1h
            bob completes D1          D1 completed",
        )
        .await;
}

pub async fn release_gives_the_work_back_and_burns_no_attempt<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            bob beats D1, progress \"half\"
            bob releases D1 with \"home time\"     changed; D1 queued; D1 attempt 1; D1 never heard
            bob releases D1                      replayed
            bob beats D1                         refused lease-void
            bob beats D1, no lease               refused lease-required
            bob completes D1                     refused lease-void and kept
            carol accepts D1                     D1 in_progress; D1 attempt 1
            bob releases D1                      refused lease-void
            carol completes D1                   D1 completed
            carol releases D1                    refused already-terminal
                  D1 history created accepted released late_result accepted completed",
        )
        .await;
}

pub async fn retry_hands_the_same_delegation_out_again<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1h
            alice retries D1                  unchanged; D1 attempt 1
            bob accepts D1
            bob beats D1, progress \"half\"
            wait 1m
            alice retries D1                  changed; D1 queued; D1 attempt 2; D1 callee bob
                                              D1 never heard; D1 deadline in 59m
            bob beats D1                      refused lease-void
            bob-two beats D1                  refused lease-required
            bob-two accepts D1                D1 in_progress
            bob-two beats D1, progress \"half\"
            alice retries D1, to carol, deadline 2h    D1 callee carol; D1 attempt 3; D1 deadline in 2h
            carol beats D1                    refused lease-required
            carol accepts D1                  D1 attempt 3",
        )
        .await;
    let delegation = world.see("D1").await;
    assert_eq!((delegation.max_attempts, delegation.attempts_allowed()), (1, 3));
    assert_eq!(delegation.progress_at, None);
}

pub async fn setting_a_status_takes_the_lease_where_the_status_is_the_callees_to_set<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            bob sets D1 to stuck, no lease         refused lease-required
            bob sets D1 to stuck                   changed; D1 stuck
            bob sets D1 to in_progress             changed; D1 in_progress
            alice sets D1 to queued                changed; D1 queued; D1 attempt 2
            bob sets D1 to in_progress             refused lease-void
            bob accepts D1
            alice sets D1 to queued                changed; D1 attempt 3
            bob accepts D1
            bob sets D1 to completed with \"42\"     changed; D1 completed; D1 result \"42\"
            alice delegates D2 to bob
            bob accepts D2
            alice sets D2 to cancelled             changed; D2 cancelled
            alice delegates D3 to bob
            root sets D3 to cancelled, override \"bob is on holiday\"     D3 cancelled",
        )
        .await;
    assert_eq!(world.see("D2").await.last_act, (EventKind::Cancelled, Role::Caller));
    assert_eq!(world.see("D3").await.last_act, (EventKind::Cancelled, Role::Operator));
}

pub async fn progress_is_new_in_a_new_attempt<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, progress within 5m
            bob accepts D1
            bob beats D1, progress \"1\"
            alice retries D1
            bob-two accepts D1
            wait 1m
            bob-two beats D1, progress \"1\"     D1 progress \"1\"",
        )
        .await;
    assert_eq!(world.see("D1").await.progress_at, Some(world.wall()));
}

pub async fn a_record_needs_no_lease<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, dispatched       D1 dispatched
            bob beats D1                                told in_progress
            alice beats D1                              told in_progress
            bob completes D1 with \"42\"                  D1 completed; alice has 1 message",
        )
        .await;
}

pub async fn what_its_caller_hands_out_is_not_handed_out_by_itself<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob, dispatched, attempts 2     refused invalid-request; D1 unknown
            alice delegates D1 to bob, attempts 2
            alice delegates D1 to bob, dispatched, attempts 2     replayed
            alice delegates D2 to bob, dispatched, grace 1m
            bob beats D2
            wait 11m
            sweep                                                 D2 stuck
            wait 2m
            sweep                                                 D2 failed; D2 attempt 1",
        )
        .await;
}

pub async fn work_that_nobody_holds_can_be_accepted_in_every_status_in_flight<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob, dispatched
            alice delegates D3 to bob, dispatched
            alice delegates D4 to bob, dispatched
            bob beats D3
            alice sets D4 to stuck
            bob accepts D1     D1 in_progress
            bob accepts D2     D2 in_progress
            bob accepts D3     D3 in_progress
            bob accepts D4     D4 in_progress; D4 heard 0s ago
            carol accepts D3   refused lease-held",
        )
        .await;
}

pub async fn an_answer_under_a_void_lease_is_refused_and_kept<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            alice retries D1
            bob completes D1 with \"old\"     refused lease-void and kept; D1 queued
            bob completes D1 with \"old\"     refused lease-void and kept; D1 keeps 1 late results
            bob fails D1 with \"old\"         refused lease-void and kept; D1 keeps 2 late results
            carol accepts D1
            alice retries D1
            carol completes D1 with \"old\"   refused lease-void and kept; D1 keeps 3 late results
            dave accepts D1
            dave completes D1 with \"new\"    D1 completed; D1 result \"new\"
            bob completes D1 with \"new\"     refused already-terminal and kept; D1 keeps 4 late results
            bob fails D1 with \"newer\", a forged lease       refused already-terminal; D1 keeps 4 late results
                                            D1 result \"new\"; alice has 1 message",
        )
        .await;
}

/// Whoever began without a lease must not go on beside whoever holds one now.
pub async fn who_shows_no_lease_once_the_work_was_handed_out_again_is_told_to_stop<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1                                told in_progress
            alice retries D1                            D1 queued",
        )
        .await;
    assert!(stops(&world, "D1").await, "nobody holds it, and its attempt is over");
    world.play("bob-two accepts D1").await;
    assert!(stops(&world, "D1").await, "somebody else holds it");
    world
        .play(
            "
            bob-two releases D1
            alice delegates D2 to bob
            bob accepts D2",
        )
        .await;
    assert!(stops(&world, "D1").await, "it was given back");
    assert!(!stops(&world, "D2").await, "its holder may have forgotten the lease");
}

/// What who shows no lease is told, in the words of the refusal that says so.
async fn stops<B: Backend>(world: &World<B>, name: &str) -> bool {
    let beat = consign_ledger::command::Heartbeat {
        id: world.id(name),
        lease: None,
        progress: None,
        waiting: None,
        override_reason: None,
    };
    let Err(Error::Refused(refused)) = world.ledger().heartbeats(vec![beat]).await.pop().unwrap()
    else {
        panic!("{name} needs a lease")
    };
    assert_eq!(refused.refusal.name(), "lease-required");
    assert_eq!(
        refused.refusal.to_string().contains("accept it again"),
        refused.refusal.says_stop()
    );
    refused.refusal.says_stop()
}

pub async fn an_answer_without_a_lease_to_work_that_was_handed_out_again_is_kept<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob beats D1
            alice retries D1
            bob completes D1 with \"old\"     refused lease-required and kept; D1 queued
            bob completes D1 with \"old\"     refused lease-required and kept; D1 keeps 1 late results
            bob fails D1 with \"old\"         refused lease-required and kept; D1 keeps 2 late results
            carol accepts D1
            bob completes D1 with \"older\"   refused lease-required and kept; D1 keeps 3 late results
            carol completes D1 with \"new\"
            bob completes D1 with \"oldest\"  refused already-terminal and kept; D1 keeps 4 late results
                                            D1 result \"new\"; alice has 1 message",
        )
        .await;
}
