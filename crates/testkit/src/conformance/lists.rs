//! Lists: filters, prefixes, pages.

use std::sync::Arc;

use consign_ledger::command::{Command, Create};
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::terms::Terms;
use consign_ledger::query::{Filter, PAGE_MAX, Place, StatusFilter};
use consign_ledger::{DelegationId, Json, Payload, Reader as _};

use super::reading::{agent, by};
use crate::{Backend, World};

async fn listed<B: Backend>(world: &World<B>, filter: Filter) -> String {
    let page = world.reader().list(filter).await.unwrap();
    let ids: Vec<&str> = page.items.iter().map(|it| it.delegation.delegation_id.as_str()).collect();
    ids.join(" ")
}

pub async fn each_filter_narrows_and_all_narrow_together<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to carol
            wait 1s
            dave delegates D3 to bob
            bob delegates D4 to carol, under D1
            alice delegates D5 to bob
            wait 1s
            alice delegates E6 to bob
            bob beats D3
            bob sets E6 to stuck
            carol completes D2
            bob fails D5",
        )
        .await;
    let now = world.now().await;
    let is = |status| Some(StatusFilter::Is(status));
    for (filter, expected) in [
        (by(10), "E6 D5 D4 D3 D2 D1"),
        (Filter { caller: Some(agent("alice")), ..by(10) }, "E6 D5 D2 D1"),
        (Filter { callee: Some(agent("carol")), ..by(10) }, "D4 D2"),
        (Filter { parent: Some(world.id("D1")), ..by(10) }, "D4"),
        (Filter { status: is(Status::Queued), ..by(10) }, "D4 D1"),
        (Filter { status: is(Status::Dispatched), ..by(10) }, ""),
        (Filter { status: is(Status::Stuck), ..by(10) }, "E6"),
        (Filter { status: is(Status::Completed), ..by(10) }, "D2"),
        (Filter { status: is(Status::Failed), ..by(10) }, "D5"),
        (Filter { status: Some(StatusFilter::InFlight), ..by(10) }, "E6 D4 D3 D1"),
        (Filter { created_after: Some(now - 1000), ..by(10) }, "E6 D5 D4 D3"),
        (Filter { created_before: Some(now - 1000), ..by(10) }, "D2 D1"),
        (Filter { id_prefix: Some("D".to_owned()), ..by(10) }, "D5 D4 D3 D2 D1"),
        (Filter { id_prefix: Some("d".to_owned()), ..by(10) }, ""),
        (Filter { id_prefix: Some("E6".to_owned()), ..by(10) }, "E6"),
        (
            Filter {
                caller: Some(agent("alice")),
                callee: Some(agent("bob")),
                status: Some(StatusFilter::InFlight),
                created_before: Some(now),
                id_prefix: Some("D".to_owned()),
                ..by(10)
            },
            "D1",
        ),
        (Filter { caller: Some(agent("nobody")), ..by(10) }, ""),
    ] {
        let what = format!("{filter:?}");
        assert_eq!(listed(&world, filter).await, expected, "{what}");
    }
}

pub async fn pages_go_on_where_the_last_one_ended_and_miss_nothing<B: Backend>(
    mut world: World<B>,
) {
    for n in 10..35 {
        world.play(&format!("alice delegates D{n} to bob")).await;
    }
    for filter in [by(4), Filter { status: Some(StatusFilter::InFlight), ..by(4) }] {
        let (mut seen, mut before, mut pages) = (vec![], None::<Place>, 0);
        loop {
            let page = world.reader().list(Filter { before, ..filter.clone() }).await.unwrap();
            let ids = page.items.iter().map(|it| it.delegation.delegation_id.to_string());
            seen.extend(ids);
            pages += 1;
            // What is new comes first and moves no later page; what changes its status stays or goes.
            world
                .play(&format!(
                    "alice delegates new-{pages}-{} to bob",
                    before.map_or(0, |it| it.num)
                ))
                .await;
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        seen.retain(|id| id.starts_with('D'));
        let expected: Vec<String> = (10..35).rev().map(|n| format!("D{n}")).collect();
        assert_eq!(seen, expected);
    }
    let page =
        world.reader().list(Filter { id_prefix: Some("D".to_owned()), ..by(25) }).await.unwrap();
    assert_eq!((page.items.len(), page.next), (25, None), "a full last page has no next one");
}

/// A delegation with notes of so many mebibytes.
fn noted(id: DelegationId, mib: usize) -> Command {
    let notes = Json::trusted(format!("\"{}\"", "x".repeat(mib << 20)));
    Command::Create(Box::new(Create {
        delegation_id: Some(id),
        caller_id: agent("alice"),
        callee_id: agent("bob"),
        bodies: Arc::new((Payload::Text("count".to_owned()), Some(notes))),
        idempotency_key: None,
        deadline: None,
        dispatched: false,
        max_attempts: 1,
        terms: Terms::default(),
        notify: None,
        parent_id: None,
    }))
}

/// A thousand of the longest notes are sixty megabytes, and several such lists all memory.
pub async fn a_page_of_long_notes_ends_early_and_the_next_goes_on<B: Backend>(world: World<B>) {
    for (nth, mib) in [3, 3, 9, 1, 3, 3, 3].into_iter().enumerate() {
        let id = world.id(&format!("D{nth}"));
        world.ledger().act(noted(id, mib)).await.unwrap();
    }
    let in_flight = Some(StatusFilter::InFlight);
    for (filter, expected) in [
        (by(PAGE_MAX), "D6 D5, D4 D3, D2, D1 D0"),
        (Filter { status: in_flight, ..by(PAGE_MAX) }, "D6 D5, D4 D3, D2, D1 D0"),
        (Filter { callee: Some(agent("bob")), ..by(2) }, "D6 D5, D4 D3, D2, D1 D0"),
        (by(1), "D6, D5, D4, D3, D2, D1, D0"),
    ] {
        let (mut pages, mut before) = (vec![], None);
        loop {
            let page = world.reader().list(Filter { before, ..filter.clone() }).await.unwrap();
            let ids = page.items.iter().map(|it| it.delegation.delegation_id.as_str());
            pages.push(ids.collect::<Vec<_>>().join(" "));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(pages.join(", "), expected, "{filter:?}");
    }
}

pub async fn prefixes_are_text_and_no_pattern<B: Backend>(mut world: World<B>) {
    for id in [
        "a%b",
        "a_b",
        "axb",
        "a\\b",
        "ab",
        "a*",
        "a[b]",
        "\u{10ffff}x",
        "é1",
        "é2",
        "z\u{10ffff}\u{10ffff}z",
    ] {
        world.play(&format!("alice delegates {id} to bob")).await;
    }
    for (prefix, expected) in [
        ("a%", "a%b"),
        ("a_", "a_b"),
        ("a\\", "a\\b"),
        ("a*", "a*"),
        ("a[", "a[b]"),
        ("é", "é2 é1"),
        ("z", "z\u{10ffff}\u{10ffff}z"),
        ("\u{10ffff}", "\u{10ffff}x"),
        ("a", "a[b] a* ab a\\b axb a_b a%b"),
    ] {
        let filter = Filter { id_prefix: Some(prefix.to_owned()), ..by(20) };
        assert_eq!(listed(&world, filter).await, expected, "{prefix}");
    }
}

pub async fn a_list_shows_what_find_shows<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, key K, attempts 3, threshold 1m, grace 2m, start within 3m, fail unless started, progress within 4m, priority -5, cancel children, notify stuck, notify recovered
            bob accepts D1 as C
            bob beats D1, progress \"half\"
            bob delegates D2 to carol, under D1, dispatched
            wait 2m
            sweep                 D1 stuck
            bob delegates D3 to carol, under D1
            carol beats D3, waiting for auth for 5m
            carol fails D2 with \"no\"
            bob retries D2 as D4
            carol completes D3 with \"x\"
            carol completes D3 with \"y\"",
        )
        .await;
    let page = world.reader().list(by(10)).await.unwrap();
    assert_eq!(page.items.len(), 4);
    for entry in page.items {
        let id = entry.delegation.delegation_id.clone();
        let (delegation, bodies) = world.reader().find(&id).await.unwrap().unwrap();
        assert_eq!(entry.delegation, delegation);
        assert_eq!(entry.progress, bodies.progress);
        assert_eq!(entry.task_preview, bodies.task.as_str());
        assert_eq!(entry.result_preview.as_deref(), bodies.result.as_ref().map(Payload::as_str));
    }
}
