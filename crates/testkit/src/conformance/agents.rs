//! Agents: what is set for them, who is known, and how each does. DESIGN §10.

use consign_ledger::delegation::terms::Notify;
use consign_ledger::query::{AgentHealth, AgentsQuery, ENDED_MAX, Latest};
use consign_ledger::{AgentId, AgentTerms, Reader as _};

use crate::{Backend, Fault, World};

const WARNED: Notify = Notify { stuck: true, recovered: true };

fn agent(id: &str) -> AgentId {
    AgentId::new(id).unwrap()
}

fn threshold(seconds: u32) -> AgentTerms {
    AgentTerms { stuck_threshold_s: Some(seconds), ..AgentTerms::default() }
}

async fn health<B: Backend>(world: &World<B>, id: &str) -> AgentHealth {
    world.reader().agent(&agent(id)).await.unwrap().expect("somebody known").0
}

pub async fn a_record_is_written_whole_and_the_same_again_changes_nothing<B: Backend>(
    world: World<B>,
) {
    let bob = || agent("bob/..\u{1f980}");
    let terms = AgentTerms {
        stuck_threshold_s: Some(60),
        notify: WARNED,
        max_in_flight: Some(3),
        max_queued: Some(0),
    };
    assert!(world.reader().agent(&bob()).await.unwrap().is_none());
    let first = world.ledger().set_agent(bob(), terms).await.unwrap();
    assert_eq!((first.created, first.changed), (true, true));
    world.wait(5).await;
    let again = world.ledger().set_agent(bob(), terms).await.unwrap();
    assert_eq!((again.created, again.changed), (false, false));
    assert_eq!(again.agent, first.agent);
    let other = world.ledger().set_agent(bob(), threshold(7)).await.unwrap();
    assert_eq!((other.created, other.changed), (false, true));
    let (before, now) = (first.agent.unwrap(), other.agent.unwrap());
    assert_eq!(now.terms, threshold(7));
    assert_eq!(now.created_at, before.created_at);
    assert_eq!(now.updated_at.since_ms(before.updated_at), 5000);
    assert_eq!(health(&world, bob().as_str()).await.record, Some(now));
}

pub async fn what_a_delegation_leaves_open_is_in_its_agents_records<B: Backend>(
    mut world: World<B>,
) {
    let alice = AgentTerms { notify: WARNED, ..threshold(1) };
    world.ledger().set_agent(agent("alice"), alice).await.unwrap();
    let bob = AgentTerms { notify: WARNED, ..threshold(60) };
    world.ledger().set_agent(agent("bob"), bob).await.unwrap();
    world
        .play(
            "
            alice delegates open to bob
            alice delegates said to bob, threshold 30s, notify stuck
            carol delegates quiet to bob
            alice delegates default to dave
            bob beats open
            bob beats said
            bob beats quiet
            dave beats default
            wait 61s
            sweep              open stuck; said stuck; quiet stuck; default in_progress",
        )
        .await;
    let terms = async |name| world.see(name).await.terms;
    assert_eq!(terms("open").await.stuck_threshold_s, Some(60), "the callee's");
    assert_eq!(terms("said").await.stuck_threshold_s, Some(30), "its own");
    assert_eq!(terms("default").await.stuck_threshold_s, None, "the ledger's");
    assert_eq!(terms("open").await.notify, WARNED, "the caller's");
    assert_eq!(terms("said").await.notify, Notify { stuck: true, recovered: false }, "its own");
    assert_eq!(terms("quiet").await.notify, Notify::default(), "not the callee's");
    assert_eq!(world.inbox("alice").await.messages.len(), 2);
    assert!(world.inbox("carol").await.messages.is_empty());
}

pub async fn a_record_that_changes_or_goes_changes_no_delegation<B: Backend>(mut world: World<B>) {
    world.ledger().set_agent(agent("bob"), threshold(60)).await.unwrap();
    world.play("alice delegates D1 to bob").await;
    let made = world.see("D1").await;
    world.ledger().set_agent(agent("bob"), threshold(10)).await.unwrap();
    world.play("alice delegates D2 to bob").await;
    let removed = world.ledger().remove_agent(agent("bob")).await.unwrap();
    assert_eq!((removed.agent, removed.changed), (None, true));
    world.play("alice delegates D3 to bob").await;
    assert_eq!(world.see("D1").await, made);
    assert_eq!(world.see("D2").await.terms.stuck_threshold_s, Some(10));
    assert_eq!(world.see("D3").await.terms.stuck_threshold_s, None);
    assert!(health(&world, "bob").await.record.is_none(), "known by what it is asked for");
    assert!(!world.ledger().remove_agent(agent("bob")).await.unwrap().changed);
}

pub async fn removing_a_record_leaves_what_was_read<B: Backend>(mut world: World<B>) {
    world.ledger().set_agent(agent("alice"), threshold(60)).await.unwrap();
    world.play("alice delegates D1 to bob\nbob completes D1").await;
    let newest = world.inbox("alice").await.messages[0].seq;
    world.ledger().acknowledge(agent("alice"), newest).await.unwrap();
    world.ledger().remove_agent(agent("alice")).await.unwrap();
    assert_eq!(health(&world, "alice").await.acked_through, newest);
    assert_eq!(health(&world, "alice").await.unread, 0);
    assert_eq!(world.inbox("alice").await.messages.len(), 1, "the message stays");
}

pub async fn a_registration_whose_commit_is_unknown_is_done_once<B: Backend>(world: World<B>) {
    for fault in [Fault::LostUnknown, Fault::CommittedUnknown] {
        world.faults().fail_batches([fault]);
        let id = agent(&format!("{fault:?}"));
        let registered = world.ledger().set_agent(id.clone(), threshold(9)).await.unwrap();
        assert!(registered.created, "{fault:?}");
        assert!(!world.ledger().set_agent(id, threshold(9)).await.unwrap().changed, "{fault:?}");
    }
}

pub async fn records_outlive_a_restart<B: Backend>(mut world: World<B>) {
    world.ledger().set_agent(agent("bob"), threshold(60)).await.unwrap();
    world.play("alice delegates D1 to bob\nbob completes D1").await;
    world.ledger().acknowledge(agent("alice"), 2).await.unwrap();
    world.play("restart").await;
    assert_eq!(health(&world, "bob").await.record.unwrap().terms, threshold(60));
    assert_eq!(health(&world, "alice").await.acked_through, 2);
}

pub async fn everyone_known_is_listed_by_id_page_by_page<B: Backend>(mut world: World<B>) {
    for id in ["zoe", "Bob", "éva", "a\u{1f980}"] {
        world.ledger().set_agent(agent(id), threshold(60)).await.unwrap();
    }
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to Bob
            carol delegates D3 to alice",
        )
        .await;
    let mut expected = vec!["Bob", "alice", "a\u{1f980}", "bob", "carol", "zoe", "éva"];
    expected.sort_unstable();
    for limit in 1..=8 {
        let (mut seen, mut after) = (vec![], None);
        loop {
            let query = AgentsQuery { after: after.clone(), limit };
            let page = world.reader().agents(query).await.unwrap();
            assert!(page.agents.len() <= limit);
            seen.extend(page.agents.iter().map(|it| it.agent_id.to_string()));
            after = page.agents.last().map(|it| it.agent_id.clone());
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, expected, "{limit} on a page");
    }
}

pub async fn an_agents_health_tells_its_work_and_its_messages<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob
            alice delegates D4 to bob
            alice delegates D5 to bob
            alice delegates D6 to bob
            alice delegates D7 to bob, dispatched
            bob completes D1
            bob fails D2
            bob beats D3
            bob beats D4
            bob sets D4 to stuck
            wait 3s
            bob beats D3
            wait 2s",
        )
        .await;
    let bob = health(&world, "bob").await;
    assert_eq!((bob.queued, bob.in_flight, bob.stuck), (2, 5, 1));
    assert_eq!(bob.last_heard, Some(world.now().await - 2000));
    assert_eq!((bob.unread, bob.oldest_unread_at), (0, None));
    let alice = health(&world, "alice").await;
    assert_eq!((alice.queued, alice.in_flight, alice.stuck, alice.last_heard), (0, 0, 0, None));
    assert_eq!((alice.unread, alice.oldest_unread_at), (2, Some(world.now().await - 5000)));
    let first = world.inbox("alice").await.messages[0].seq;
    world.ledger().acknowledge(agent("alice"), first).await.unwrap();
    let read = health(&world, "alice").await;
    assert_eq!((read.unread, read.acked_through), (1, first));
    let listed = AgentsQuery { after: None, limit: 10 };
    let listed = world.reader().agents(listed).await.unwrap().agents;
    assert_eq!(listed, [read, bob], "a list tells what a look at one tells");
}

pub async fn an_answer_without_a_heartbeat_is_a_sign_of_life<B: Backend>(mut world: World<B>) {
    world.play("alice delegates D1 to bob\nwait 5s\nbob completes D1\nwait 1s").await;
    assert_eq!(health(&world, "bob").await.last_heard, Some(world.now().await - 1000));
    world.play("alice delegates D2 to carol\nalice cancels D2").await;
    assert_eq!(health(&world, "carol").await.last_heard, None, "its caller is not the callee");
}

pub async fn how_an_agent_ended_what_it_ended_last_is_told<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob
            alice delegates D4 to bob
            alice delegates D5 to bob
            alice delegates D6 to carol
            wait 1s
            bob completes D1
            wait 1s
            bob completes D2
            bob fails D3
            wait 8s
            alice cancels D4
            carol completes D6",
        )
        .await;
    let (_, ended) = world.reader().agent(&agent("bob")).await.unwrap().unwrap();
    assert!(ended.len() < ENDED_MAX);
    let latest = Latest::of(&ended);
    assert_eq!((latest.completed, latest.failed, latest.cancelled), (2, 1, 1));
    assert_eq!(latest.percentiles_ms, Some([1000, 2000, 2000]));
}
