//! A page of a list has a bound in bytes, too: a thousand of the longest notes are sixty megabytes.

use std::sync::Arc;

use consign_ledger::command::{Command, Create};
use consign_ledger::delegation::terms::Terms;
use consign_ledger::query::{Entry, Filter, PAGE_BYTES_MAX, PAGE_MAX};
use consign_ledger::{AgentId, Json, Payload, Reader as _};
use consign_testkit::World;

use super::backend::Sqlite;

/// Delegations with notes of a mebibyte.
const DELEGATIONS: usize = 20;

#[tokio::test]
async fn a_page_of_long_notes_ends_early_and_the_next_goes_on() {
    let world = World::<Sqlite>::new().await;
    let notes = Json::trusted(format!("\"{}\"", "x".repeat(1 << 20)));
    let delegate = |nth| {
        Command::Create(Box::new(Create {
            delegation_id: Some(world.id(&format!("D{nth}"))),
            caller_id: AgentId::new("alice").unwrap(),
            callee_id: AgentId::new("bob").unwrap(),
            bodies: Arc::new((Payload::Text("count".to_owned()), Some(notes.clone()))),
            idempotency_key: None,
            deadline: None,
            dispatched: false,
            max_attempts: 1,
            terms: Terms::default(),
            notify: None,
            parent_id: None,
        }))
    };
    let delegated = world.ledger().act_all((0..DELEGATIONS).map(delegate).collect()).await;
    assert!(delegated.iter().all(Result::is_ok));

    let (mut pages, mut seen, mut before) = (0, vec![], None);
    loop {
        let filter = Filter { before, limit: PAGE_MAX, ..Filter::default() };
        let page = world.reader().list(filter).await.unwrap();
        assert!(page.items.iter().map(Entry::bytes).sum::<usize>() <= PAGE_BYTES_MAX);
        seen.extend(page.items.into_iter().map(|it| it.delegation.delegation_id));
        (pages, before) = (pages + 1, page.next);
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    let all: Vec<_> = (0..DELEGATIONS).rev().map(|nth| world.id(&format!("D{nth}"))).collect();
    assert_eq!(seen, all);
}
