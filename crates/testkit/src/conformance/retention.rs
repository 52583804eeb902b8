//! Retention: what is over goes whole once it was kept long enough, and never sooner. DESIGN §12.

use consign_ledger::command::Prune;
use consign_ledger::delegation::retention::{Retention, Stays};
use consign_ledger::query::{PAGE_MAX, PruneQuery};
use consign_ledger::{AgentId, DelegationId, Reader as _};

use crate::{Backend, Fault, World};

const USUAL: Retention = Retention::USUAL;
/// Whatever is over goes.
const NOTHING: Retention = Retention { acknowledged_days: Some(0), any_days: Some(0) };

fn days<B: Backend>(world: &World<B>, days: i64) {
    (0..days).for_each(|_| world.clock().advance_ms(24 * 3600 * 1000));
}

async fn prune<B: Backend>(
    world: &World<B>,
    names: &[&str],
    retention: Retention,
) -> Vec<Result<(), Stays>> {
    let prune = |name: &&str| Prune { id: world.id(name), if_version: None, retention };
    let answers = world.ledger().prune(names.iter().map(prune).collect()).await;
    answers.into_iter().map(|answer| answer.expect("a sound row can be pruned")).collect()
}

async fn prunable<B: Backend>(world: &World<B>, retention: Retention) -> Vec<String> {
    let now = world.now().await;
    let (mut found, mut after) = (vec![], None);
    loop {
        let query = PruneQuery {
            any_before: retention.any_before(now),
            acknowledged_before: retention.acknowledged_before(now),
            after,
            limit: 2,
        };
        let page = world.reader().prunable(query).await.unwrap();
        found.extend(page.prunable.into_iter().map(|it| it.delegation_id.to_string()));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

async fn acknowledge<B: Backend>(world: &World<B>, agent: &str, through: i64) {
    world.ledger().acknowledge(AgentId::new(agent).unwrap(), through).await.unwrap();
}

pub async fn a_verdict_goes_after_its_time_and_earlier_once_it_is_acknowledged<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates read to bob
            bob completes read
            carol delegates unread to bob
            bob fails unread",
        )
        .await;
    let message = world.inbox("alice").await.messages[0].seq;
    acknowledge(&world, "alice", message).await;
    days(&world, 30);
    assert_eq!(prunable(&world, USUAL).await, [""; 0]);
    assert_eq!(prune(&world, &["read", "unread"], USUAL).await, [Err(Stays::Young); 2]);
    world.clock().advance_ms(1);
    assert_eq!(prunable(&world, USUAL).await, ["read"]);
    let forever = Retention { acknowledged_days: None, any_days: None };
    assert_eq!(prune(&world, &["read"], forever).await, [Err(Stays::Young)]);
    assert_eq!(prune(&world, &["read", "unread"], USUAL).await, [Ok(()), Err(Stays::Young)]);
    days(&world, 150);
    assert_eq!(prunable(&world, USUAL).await, ["unread"]);
    assert_eq!(prune(&world, &["read", "unread"], USUAL).await, [Err(Stays::Unknown), Ok(())]);
    world.audit().await;
}

pub async fn nothing_in_flight_goes_however_old_it_is<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates waits to bob, deadline 8784h
            alice delegates works to bob, deadline 8784h
            alice delegates stuck to bob, deadline 8784h
            bob beats works
            bob beats stuck
            bob sets stuck to stuck",
        )
        .await;
    days(&world, 40);
    let before = world.everything().await;
    assert_eq!(prunable(&world, NOTHING).await, [""; 0]);
    let stays = prune(&world, &["waits", "works", "stuck"], NOTHING).await;
    assert_eq!(stays, [Err(Stays::InFlight); 3]);
    assert_eq!(world.everything().await, before);
}

pub async fn what_goes_goes_with_everything_that_belongs_to_it<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates stays to bob, key K1
            alice delegates D1 to bob, key K2, notify stuck
            bob accepts D1
            bob beats D1, progress \"x\"
            bob sets D1 to stuck
            bob completes D1 with \"one\"
            bob completes D1 with \"two\"
            bob completes stays with \"three\"
            wait 1s",
        )
        .await;
    let kept = world.see("stays").await;
    assert_eq!(world.see("D1").await.late_count, 1);
    assert_eq!(prune(&world, &["D1"], NOTHING).await, [Ok(())]);
    assert!(world.find("D1").await.is_none());
    assert!(world.history("D1").await.is_empty());
    assert!(world.reader().late_results(&world.id("D1")).await.unwrap().is_empty());
    let all = world.everything().await;
    assert_eq!(all.delegations.len(), 1);
    assert!(all.events.iter().all(|event| event.delegation_id == world.id("stays")));
    assert_eq!(world.inbox("alice").await.messages.len(), 1);
    assert_eq!(world.stats().await, "1 completed");
    assert_eq!(world.see("stays").await, kept);
    world.audit().await;
    world
        .play(
            "
            bob beats D1                              refused not-found
            alice retries D1                          refused not-found
            alice delegates again to bob, key K2      changed
            alice delegates other to bob, key K1, task \"stays\"  replayed",
        )
        .await;
}

pub async fn an_id_that_went_can_be_used_anew<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob completes D1 with \"one\"
            wait 1s",
        )
        .await;
    let newest = world.reader().newest_seq().await.unwrap();
    assert_eq!(prune(&world, &["D1"], NOTHING).await, [Ok(())]);
    world
        .play(
            "
            restart
            alice delegates D1 to carol
            carol fails D1 with \"no\"                  D1 failed; alice has 1 message",
        )
        .await;
    let numbers: Vec<_> = world.events().await.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, [newest + 1, newest + 2], "no number is handed out twice");
    world.audit().await;
}

pub async fn what_is_named_by_another_stays_until_that_one_has_gone<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates parent to bob
            bob delegates child to carol, under parent
            alice delegates old to bob
            bob fails old
            alice retries old as new
            bob completes parent
            wait 1s",
        )
        .await;
    assert_eq!(prune(&world, &["parent", "old"], NOTHING).await, [Err(Stays::Named); 2]);
    world
        .play(
            "
            carol completes child
            bob completes new
            wait 1s",
        )
        .await;
    assert_eq!(prunable(&world, NOTHING).await, ["child".to_owned(), world.id("new").to_string()]);
    assert_eq!(prune(&world, &["parent", "child"], NOTHING).await, [Err(Stays::Named), Ok(())]);
    assert_eq!(world.see("new").await.retry_of, Some(world.id("old")));
    world.play("alice retries old as new      replayed").await;
    assert_eq!(prune(&world, &["new", "parent"], NOTHING).await, [Ok(()), Ok(())]);
    assert_eq!(prune(&world, &["old"], NOTHING).await, [Ok(())]);
    assert_eq!(world.stats().await, "");
    world.audit().await;
}

pub async fn only_the_version_that_was_seen_goes<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob completes D1 with \"one\"",
        )
        .await;
    let seen = world.see("D1").await.version;
    world.play("bob completes D1 with \"two\"\nwait 1s").await;
    let at = async |if_version: u64| {
        let id = world.id("D1");
        let prune = Prune { id, if_version: Some(if_version), retention: NOTHING };
        world.ledger().prune(vec![prune]).await.pop().unwrap().unwrap()
    };
    assert_eq!(at(seen).await, Err(Stays::Changed));
    assert_eq!(at(seen + 1).await, Ok(()));
}

pub async fn who_reads_by_a_cursor_is_not_disturbed<B: Backend>(mut world: World<B>) {
    for n in 0..6 {
        let script = format!("alice delegates D{n} to bob\nbob completes D{n}\nwait 1s");
        world.play(&script).await;
    }
    let inbox = world.inbox("alice").await.messages;
    acknowledge(&world, "alice", inbox[2].seq).await;
    let events = world.events().await;
    assert_eq!(prune(&world, &["D1", "D5"], NOTHING).await, [Ok(()), Ok(())]);
    let left: Vec<_> = events
        .into_iter()
        .filter(|event| ![world.id("D1"), world.id("D5")].contains(&event.delegation_id))
        .collect();
    assert_eq!(world.events().await, left);
    let query = consign_ledger::query::InboxQuery {
        agent_id: AgentId::new("alice").unwrap(),
        after: None,
        limit: PAGE_MAX,
    };
    let read = world.reader().inbox(query).await.unwrap();
    let unread: Vec<_> = read.messages.iter().map(|it| it.seq).collect();
    assert_eq!(unread, [inbox[3].seq, inbox[4].seq]);
    assert_eq!((read.acked_through, read.unread), (inbox[2].seq, 2));
    // What was acknowledged stays acknowledged, also where it was newer than all that is left.
    acknowledge(&world, "alice", inbox[4].seq).await;
    assert_eq!(prune(&world, &["D4", "D3"], NOTHING).await, [Ok(()), Ok(())]);
    acknowledge(&world, "alice", inbox[4].seq).await;
    world.play("alice delegates D9 to bob\nbob completes D9").await;
    assert!(world.inbox("alice").await.messages.last().unwrap().seq > inbox[4].seq);
}

pub async fn two_that_prune_share_the_work_and_fail_nobody<B: Backend>(mut world: World<B>) {
    const ROWS: usize = 150;
    for n in 0..ROWS {
        world.play(&format!("alice delegates D{n} to bob\nbob completes D{n}")).await;
    }
    world.wait(1).await;
    let (second, _) = world.second_writer().await;
    let all = || {
        let prune = |n| {
            let id = DelegationId::new(&format!("D{n}")).unwrap();
            Prune { id, if_version: None, retention: NOTHING }
        };
        (0..ROWS).map(prune).collect::<Vec<_>>()
    };
    let first = world.ledger().clone();
    let (one, other) = tokio::join!(first.prune(all()), second.prune(all()));
    for (one, other) in one.into_iter().zip(other) {
        let pair = (one.expect("no error"), other.expect("no error"));
        let shared = matches!(pair, (Ok(()), Err(Stays::Unknown)) | (Err(Stays::Unknown), Ok(())));
        assert!(shared, "{pair:?}");
    }
    assert_eq!(world.stats().await, "");
    world.audit().await;
}

pub async fn a_prune_that_is_cut_off_removed_whole_delegations_or_nothing<B: Backend>(
    mut world: World<B>,
) {
    for n in 0..20 {
        let script =
            format!("alice delegates D{n} to bob, key K{n}\nbob completes D{n} with \"x\"");
        world.play(&script).await;
    }
    world.wait(1).await;
    let names: Vec<String> = (0..20).map(|n| format!("D{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (fault, some) in
        [(Fault::LostUnknown, &names[..5]), (Fault::CommittedUnknown, &names[5..10])]
    {
        world.faults().fail_batches([fault]);
        assert_eq!(prune(&world, some, NOTHING).await, [Ok(()); 5], "{fault:?}");
        world.audit().await;
    }
    assert_eq!(world.stats().await, "10 completed");
    // The server dies with a prune in hand.
    let faults = world.faults();
    let closed = faults.close_gate().await;
    let begun = faults.begun();
    let ledger = world.ledger().clone();
    let prunes: Vec<Prune> = names[10..]
        .iter()
        .map(|name| Prune { id: world.id(name), if_version: None, retention: NOTHING })
        .collect();
    let hanging = tokio::spawn(async move { ledger.prune(prunes).await });
    faults.until_begun(begun + 1).await;
    world.kill().await;
    drop(closed);
    assert!(hanging.await.unwrap().iter().all(Result::is_err), "nobody was told that they went");
    world.start().await;
    assert!(["", "10 completed"].contains(&world.stats().await.as_str()));
    world.audit().await;
}

pub async fn a_lease_of_what_went_is_void_for_what_has_its_id_now<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob claims                            takes D1
            bob completes D1
            wait 1s
            prune                                 D1 unknown
            alice delegates D1 to carol
            carol claims                          takes D1
            bob beats D1                          refused lease-void
            bob fails D1 with \"of the first\"      refused lease-void; D1 version 2
            bob releases D1                       refused lease-void
            carol beats D1                        told in_progress
            carol releases D1
            bob beats D1                          refused lease-void
            alice retries D1
            carol beats D1                        refused lease-void
            carol completes D1 with \"late\"        refused lease-void and kept; D1 queued
            carol claims                          takes D1
            carol completes D1                    D1 completed",
        )
        .await;
}
