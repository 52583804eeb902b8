//! Numbers are handed out in the order of the commits, whoever began first.

use std::time::Duration;

use consign_ledger::query::{EventQuery, InboxQuery};
use consign_ledger::{AgentId, Ledger, Reader, Seq, Store};
use consign_testkit::postgres::AtCommit;
use consign_testkit::{World, conformance};
use tokio::time::timeout;

use super::replica::{Replica, command, on_real_threads};
use super::wire::{APPEND, Wired};

/// Long enough for whatever could happen, short enough to wait for what must not.
const A_WHILE: Duration = Duration::from_millis(500);

async fn events(reader: &impl Reader, after: Seq) -> Vec<Seq> {
    let query = EventQuery { delegation_id: None, after, limit: 1000 };
    reader.events(query).await.unwrap().events.into_iter().map(|event| event.seq).collect()
}

async fn messages(reader: &impl Reader, after: Seq) -> Vec<Seq> {
    let agent_id = AgentId::new("alice").unwrap();
    let query = InboxQuery { agent_id, after: Some(after), limit: 1000 };
    reader.inbox(query).await.unwrap().messages.into_iter().map(|message| message.seq).collect()
}

#[test]
fn who_began_first_and_commits_last_gets_the_greater_number() {
    conformance::run(async |mut world: World<Wired>| {
        let url = world.backend().database.url();
        let second = Replica::start(&url, world.clock(), 7).await;
        world.play("alice delegates D1 to bob & alice delegates D2 to bob").await;
        let seen = world.reader().newest_seq().await.unwrap();
        // The first writer stands before its tail: somebody else's result is in its way, and not committed yet.
        let mut vandal = world.backend().database.vandal().await;
        let in_the_way = vandal.transaction().await.unwrap();
        let sql = "INSERT INTO results (num, form, preview) VALUES ($1, 'text', '')";
        in_the_way.execute(sql, &[&world.num("D1").await]).await.unwrap();
        let (ledger, completes) =
            (world.ledger().clone(), command(&world, "bob completes D1 with \"1\""));
        let mut first = tokio::spawn(async move { ledger.act(completes).await });
        assert!(timeout(A_WHILE, &mut first).await.is_err(), "it waits");
        let completes = command(&world, "bob completes D2 with \"2\"");
        // Who waits has no numbers yet, and holds up nobody.
        let done = timeout(A_WHILE, second.ledger.act(completes)).await;
        assert!(done.expect("nobody is in its way").unwrap().changed);
        assert_eq!(events(world.reader(), seen).await, [seen + 1]);
        assert_eq!(messages(world.reader(), seen).await, [seen + 1]);
        in_the_way.rollback().await.unwrap();
        assert!(first.await.unwrap().unwrap().changed);
        assert_eq!(events(world.reader(), seen + 1).await, [seen + 2]);
        assert_eq!(messages(world.reader(), seen + 1).await, [seen + 2]);
        world.play("sweep    D1 version 2; D2 version 2").await;
    });
}

#[test]
fn who_has_numbers_commits_before_anybody_else_gets_any() {
    conformance::run(async |mut world: World<Wired>| {
        let url = world.backend().database.url();
        let second = Replica::start(&url, world.clock(), 7).await;
        world.play("alice delegates D1 to bob & alice delegates D2 to bob").await;
        let seen = world.reader().newest_seq().await.unwrap();
        world.backend().proxy.cut_commit(APPEND, AtCommit::Held);
        let (ledger, completes) = (world.ledger().clone(), command(&world, "bob completes D1"));
        let mut first = tokio::spawn(async move { ledger.act(completes).await });
        assert!(timeout(A_WHILE, &mut first).await.is_err(), "its commit is held back");
        let (ledger, completes) = (second.ledger.clone(), command(&world, "bob completes D2"));
        let mut other = tokio::spawn(async move { ledger.act(completes).await });
        assert!(timeout(A_WHILE, &mut other).await.is_err(), "it waits for the first");
        assert!(events(world.reader(), seen).await.is_empty());
        world.backend().proxy.let_go();
        assert!(first.await.unwrap().unwrap().changed);
        assert!(other.await.unwrap().unwrap().changed);
        assert_eq!(events(world.reader(), seen).await, [seen + 1, seen + 2]);
        let done = world.reader().find(&world.id("D1")).await.unwrap().unwrap().0;
        let query = EventQuery { delegation_id: Some(done.delegation_id), after: seen, limit: 9 };
        let of_the_first = world.reader().events(query).await.unwrap().events;
        assert_eq!(of_the_first[0].seq, seen + 1, "its commit came first");
    });
}

/// Reads by cursor, again and again, until so many were seen; whatever comes late is behind the cursor.
async fn poll(reader: &impl Reader, until: usize) -> (Vec<Seq>, Vec<Seq>) {
    let (mut seen, mut told): (Vec<Seq>, Vec<Seq>) = (vec![], vec![]);
    while seen.len() < until || told.len() < until {
        seen.extend(events(reader, seen.last().copied().unwrap_or_default()).await);
        told.extend(messages(reader, told.last().copied().unwrap_or_default()).await);
    }
    (seen, told)
}

async fn fail_each<S: Store>(ledger: Ledger<S>, commands: Vec<consign_ledger::command::Command>) {
    for command in commands {
        assert!(ledger.act(command).await.unwrap().changed);
    }
}

#[test]
fn readers_that_poll_by_cursor_miss_nothing_that_two_writers_write_and_see_each_once() {
    const EACH: usize = 60;
    on_real_threads(async {
        let mut world = World::<Wired>::new().await;
        let url = world.backend().database.url();
        let second = Replica::start(&url, world.clock(), 7).await;
        let names: Vec<String> = (0..2 * EACH).map(|n| format!("D{n}")).collect();
        let all: Vec<_> = names.iter().map(|it| format!("alice delegates {it} to bob")).collect();
        world.play(&all.join(" & ")).await;
        let commands = |half: &[String]| {
            half.iter().map(|it| command(&world, &format!("bob fails {it}"))).collect::<Vec<_>>()
        };
        let (ours, theirs) = names.split_at(EACH);
        let one = tokio::spawn(fail_each(world.ledger().clone(), commands(ours)));
        let other = tokio::spawn(fail_each(second.ledger.clone(), commands(theirs)));
        let (seen, told) = poll(world.reader(), 2 * EACH).await;
        one.await.unwrap();
        other.await.unwrap();
        let all = events(world.reader(), 0).await;
        let rest = events(world.reader(), *seen.last().unwrap()).await;
        assert_eq!([seen, rest].concat(), all, "nothing came up behind the cursor");
        assert_eq!(all.len(), 4 * EACH);
        assert_eq!(told.len(), 2 * EACH);
        assert!(told.is_sorted_by(|one, next| one < next), "each once");
        world.audit().await;
    });
}
