//! Inboxes: read from the acknowledged point, which only moves on. DESIGN §8.

use consign_ledger::command::{Command, Complete};
use consign_ledger::query::{Inbox, InboxQuery, PAGE_MAX};
use consign_ledger::{AgentId, Error, Payload, Reader, Refusal, Seq};

use crate::{Backend, Fault, World};

fn alice() -> AgentId {
    AgentId::new("alice").unwrap()
}

/// What alice reads where she does not say from where.
async fn read(reader: &impl Reader) -> Inbox {
    let query = InboxQuery { agent_id: alice(), after: None, limit: PAGE_MAX };
    reader.inbox(query).await.unwrap()
}

fn numbers(inbox: &Inbox) -> Vec<Seq> {
    inbox.messages.iter().map(|message| message.seq).collect()
}

async fn three_verdicts<B: Backend>(world: &mut World<B>) -> Vec<Seq> {
    for name in ["D1", "D2", "D3"] {
        let script = format!("alice delegates {name} to bob\nbob completes {name}\nwait 1s");
        world.play(&script).await;
    }
    numbers(&world.inbox("alice").await)
}

pub async fn an_inbox_is_read_from_the_acknowledged_point<B: Backend>(mut world: World<B>) {
    let all = three_verdicts(&mut world).await;
    let inbox = read(world.reader()).await;
    assert_eq!((numbers(&inbox), inbox.acked_through, inbox.unread), (all.clone(), 0, 3));
    assert_eq!(inbox.oldest_unread_at, Some(world.now().await - 3000));
    assert_eq!(world.ledger().acknowledge(alice(), all[0]).await.unwrap(), all[0]);
    let inbox = read(world.reader()).await;
    assert_eq!(numbers(&inbox), all[1..]);
    assert_eq!((inbox.acked_through, inbox.unread), (all[0], 2));
    assert_eq!(inbox.oldest_unread_at, Some(world.now().await - 2000));
    assert_eq!(
        numbers(&world.inbox("alice").await),
        all,
        "what was acknowledged can be read again"
    );
    world.ledger().acknowledge(alice(), all[2]).await.unwrap();
    let inbox = read(world.reader()).await;
    assert_eq!((inbox.messages.len(), inbox.unread, inbox.oldest_unread_at), (0, 0, None));
}

pub async fn a_page_of_long_results_ends_early_and_the_next_goes_on<B: Backend>(
    mut world: World<B>,
) {
    for (nth, mib) in [3, 3, 9, 1, 3, 3, 3].into_iter().enumerate() {
        world.play(&format!("alice delegates D{nth} to bob")).await;
        let (id, result) = (world.id(&format!("D{nth}")), Payload::Text("x".repeat(mib << 20)));
        let complete = Complete { id, result: Some(result), lease: None, override_reason: None };
        world.ledger().act(Command::Complete(complete)).await.unwrap();
    }
    let (mut pages, mut after) = (vec![], None);
    loop {
        let query = InboxQuery { agent_id: alice(), after, limit: PAGE_MAX };
        let messages = world.reader().inbox(query).await.unwrap().messages;
        let Some(newest) = messages.last() else { break };
        after = Some(newest.seq);
        let ids = messages.iter().map(|message| message.delegation_id.as_str());
        pages.push(ids.collect::<Vec<_>>().join(" "));
    }
    assert_eq!(pages.join(", "), "D0 D1, D2, D3 D4 D5, D6");
}

pub async fn a_message_that_was_not_acknowledged_is_read_again_as_it_was<B: Backend>(
    mut world: World<B>,
) {
    three_verdicts(&mut world).await;
    let first = read(world.reader()).await;
    world.play("restart").await;
    assert_eq!(read(world.reader()).await, first);
}

pub async fn the_acknowledged_point_never_goes_back<B: Backend>(mut world: World<B>) {
    let all = three_verdicts(&mut world).await;
    let acknowledge = async |through| world.ledger().acknowledge(alice(), through).await.unwrap();
    assert_eq!(acknowledge(0).await, 0);
    assert_eq!(acknowledge(all[1]).await, all[1]);
    assert_eq!(acknowledge(all[0]).await, all[1]);
    assert_eq!(acknowledge(all[1]).await, all[1]);
    let (second, _) = world.second_writer().await;
    assert_eq!(second.acknowledge(alice(), all[2]).await.unwrap(), all[2]);
    assert_eq!(acknowledge(all[1]).await, all[2]);
    assert_eq!(read(world.reader()).await.acked_through, all[2]);
}

pub async fn what_is_not_there_yet_cannot_be_acknowledged<B: Backend>(mut world: World<B>) {
    let newest = *three_verdicts(&mut world).await.last().unwrap();
    world.play("carol delegates D4 to bob\nbob completes D4").await;
    for through in [newest + 1, Seq::MAX] {
        let refused = world.ledger().acknowledge(alice(), through).await.unwrap_err();
        let Error::Refused(refused) = refused else { panic!("{refused}") };
        assert_eq!(refused.refusal, Refusal::AheadOfInbox { through, newest });
    }
    assert_eq!(read(world.reader()).await.unread, 3);
    let nobody = world.ledger().acknowledge(AgentId::new("nobody").unwrap(), 1).await;
    assert!(nobody.is_err(), "an empty inbox ends at 0");
}

pub async fn an_acknowledgement_whose_commit_is_unknown_can_be_repeated<B: Backend>(
    mut world: World<B>,
) {
    let all = three_verdicts(&mut world).await;
    for (fault, through) in [(Fault::LostUnknown, all[0]), (Fault::CommittedUnknown, all[1])] {
        world.faults().fail_batches([fault]);
        assert_eq!(world.ledger().acknowledge(alice(), through).await.unwrap(), through);
        assert_eq!(world.ledger().acknowledge(alice(), through).await.unwrap(), through);
    }
}

/// A reader that always acknowledges the newest that it was shown misses no message, however two writers'
/// commits overtake each other.
pub async fn a_message_that_was_never_seen_is_never_acknowledged<B: Backend>(mut world: World<B>) {
    const VERDICTS: usize = 60;
    let (second, _) = world.second_writer().await;
    for n in 0..VERDICTS {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    let tasks: Vec<_> = (0..VERDICTS)
        .map(|n| {
            let ledger = if n % 2 == 0 { world.ledger().clone() } else { second.clone() };
            let (id, result) = (world.id(&format!("D{n}")), Some(Payload::Text(n.to_string())));
            let complete = Complete { id, result, lease: None, override_reason: None };
            tokio::spawn(async move { ledger.act(Command::Complete(complete)).await.unwrap() })
        })
        .collect();
    let mut seen = vec![];
    while seen.len() < VERDICTS {
        let query = InboxQuery { agent_id: alice(), after: None, limit: 3 };
        let page = world.reader().inbox(query).await.unwrap();
        if let Some(newest) = page.messages.last() {
            world.ledger().acknowledge(alice(), newest.seq).await.unwrap();
        }
        seen.extend(numbers(&page));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(seen, numbers(&world.inbox("alice").await));
    assert_eq!(read(world.reader()).await.unread, 0);
}
