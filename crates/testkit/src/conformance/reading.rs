//! Bodies, events, inboxes and counts.

use std::sync::Arc;

use consign_ledger::command::{Command, Complete, Create};
use consign_ledger::delegation::change::EventKind;
use consign_ledger::delegation::listening::Fleet;
use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::terms::Terms;
use consign_ledger::query::{Event, EventQuery, Filter, InboxQuery, SweepReport};
use consign_ledger::{
    AgentId, DelegationId, Json, PREVIEW_BYTES_MAX, Payload, Reader as _, Time, preview,
};

use crate::{Backend, World};

pub(super) fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

pub(super) fn by(limit: usize) -> Filter {
    Filter { limit, ..Filter::default() }
}

pub async fn odd_ids_are_ids<B: Backend>(mut world: World<B>) {
    let long = "x".repeat(255);
    for id in ["a/b", "..", "'; DROP TABLE delegations; --", "\u{1f980}", "%00", " ", &long] {
        let create = Create {
            delegation_id: Some(DelegationId::new(id).unwrap()),
            caller_id: agent("alice/..\u{1f980}"),
            callee_id: agent(&"é".repeat(127)),
            bodies: Arc::new((Payload::Text(String::new()), None)),
            idempotency_key: None,
            deadline: None,
            dispatched: false,
            max_attempts: 1,
            terms: Terms::default(),
            notify: None,
            parent_id: None,
        };
        let outcome = world.ledger().act(Command::Create(Box::new(create))).await.unwrap();
        assert_eq!(outcome.delegation.delegation_id.as_str(), id);
        assert_eq!(world.see(id).await, outcome.delegation);
    }
    world.play("sweep   nothing; stats: 7 queued").await;
}

pub async fn an_id_is_never_found_under_another_spelling<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates d1 to bob, key k
            alice delegates D1 to bob, key K     changed
            alice delegates é to bob             changed
            alice delegates e\u{301} to bob            changed
            sweep                                D2 unknown; d1 queued; D1 queued; stats: 4 queued",
        )
        .await;
}

pub async fn bodies_come_back_as_they_were_sent<B: Backend>(world: World<B>) {
    let long = "\u{1f980}é".repeat(10_000);
    for (nth, task) in [
        Payload::Text(String::new()),
        Payload::Text("plain".to_owned()),
        Payload::Text(long.clone()),
        Payload::Text("\"quoted\" \\ \u{7f} \n".to_owned()),
        Payload::Json(Json::trusted("null".to_owned())),
        Payload::Json(Json::trusted("1.50e2".to_owned())),
        Payload::Json(Json::trusted("{ \"b\": 1, \"a\": [12345678901234567890] }".to_owned())),
        Payload::Json(Json::trusted(format!("[\"{long}\"]"))),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("D{nth}");
        let metadata = Some(Json::trusted(format!("{{\"nth\": {nth}}}")));
        let create = Create {
            delegation_id: Some(world.id(&name)),
            caller_id: agent("alice"),
            callee_id: agent("bob"),
            bodies: Arc::new((task.clone(), metadata.clone())),
            idempotency_key: None,
            deadline: None,
            dispatched: false,
            max_attempts: 1,
            terms: Terms::default(),
            notify: None,
            parent_id: None,
        };
        world.ledger().act(Command::Create(Box::new(create))).await.unwrap();
        let complete = Complete {
            id: world.id(&name),
            result: Some(task.clone()),
            lease: None,
            override_reason: None,
        };
        world.ledger().act(Command::Complete(complete)).await.unwrap();
        let (_, bodies) = world.find(&name).await.unwrap();
        assert_eq!(bodies.task, task);
        assert_eq!(bodies.result.as_ref(), Some(&task));
        assert_eq!(bodies.metadata, metadata);
        let entry = world.reader().list(by(1)).await.unwrap().items.remove(0);
        assert_eq!(entry.task_preview, preview(task.as_str()));
        assert_eq!(entry.result_preview.as_deref(), Some(preview(task.as_str())));
        assert!(entry.task_preview.len() <= PREVIEW_BYTES_MAX);
        assert_eq!(entry.metadata, metadata);
        let message = world.inbox("alice").await.messages.pop().unwrap();
        assert_eq!(message.result, Some(task));
    }
}

pub async fn events_are_numbered_from_one_and_come_in_pages<B: Backend>(mut world: World<B>) {
    assert_eq!(world.reader().newest_seq().await.unwrap(), 0);
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            bob accepts D1
            bob accepts D2
            bob completes D1
            bob completes D2
            bob fails D1 with \"too late\"    refused already-terminal and kept",
        )
        .await;
    assert_eq!(world.reader().newest_seq().await.unwrap(), 7);
    let of = |name: Option<&str>| name.map(|name| world.id(name));
    for (name, after, limit, expected, next) in [
        (None, 0, 10, vec![1, 2, 3, 4, 5, 6, 7], None),
        (None, 0, 7, vec![1, 2, 3, 4, 5, 6, 7], None),
        (None, 0, 4, vec![1, 2, 3, 4], Some(4)),
        (None, 4, 4, vec![5, 6, 7], None),
        (None, 7, 4, vec![], None),
        (Some("D1"), 0, 10, vec![1, 3, 5, 7], None),
        (Some("D1"), 0, 3, vec![1, 3, 5], Some(5)),
        (Some("D1"), 3, 1, vec![5], Some(5)),
        (Some("D1"), 5, 1, vec![7], None),
        (Some("D2"), 0, 2, vec![2, 4], Some(4)),
        (Some("D2"), 4, 2, vec![6], None),
        (Some("D9"), 0, 2, vec![], None),
    ] {
        let query = EventQuery { delegation_id: of(name), after, limit };
        let page = world.reader().events(query).await.unwrap();
        let seqs: Vec<i64> = page.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs, page.next), (expected, next), "{name:?} behind {after}");
    }
}

pub async fn an_event_names_its_caller_and_whoever_is_its_callee_now<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob delegates D2 to carol, under D1
            alice retries D1 as D1, to dave",
        )
        .await;
    let told = |event: &Event| format!("{} {} {}", event.kind, event.caller_id, event.callee_id);
    let told: Vec<String> = world.events().await.iter().map(told).collect();
    assert_eq!(told, ["created alice dave", "created bob carol", "requeued alice dave"]);
    let of_one = EventQuery { delegation_id: Some(world.id("D2")), after: 0, limit: 10 };
    let page = world.reader().events(of_one).await.unwrap();
    assert_eq!(page.events[0].callee_id, agent("carol"));
}

pub async fn an_event_names_its_actor_and_both_statuses<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            bob accepts D1
            wait 11m
            sweep
            bob beats D1
            alice cancels D1 with \"enough\"",
        )
        .await;
    let told: Vec<String> = world
        .events()
        .await
        .iter()
        .map(|it| {
            let from = it.from.map_or("-", Status::as_str);
            let actor = it.actor_id.as_deref().unwrap_or("-");
            let reason = it.reason.as_deref().unwrap_or("-");
            format!("{} {} {actor} {from} {} {reason}", it.kind, it.role, it.to)
        })
        .collect();
    assert_eq!(
        told,
        [
            "created caller alice - queued -",
            "accepted callee bob queued in_progress -",
            "stuck sweeper - in_progress stuck no heartbeat for 11m0s",
            "recovered callee bob stuck in_progress -",
            "cancelled caller alice in_progress cancelled enough",
        ]
    );
}

pub async fn an_inbox_comes_in_pages_and_tells_the_verdict<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, notify stuck, notify recovered
            carol delegates D2 to bob
            alice delegates D3 to bob
            bob beats D1
            bob sets D1 to stuck with \"hm\"
            bob beats D1
            bob completes D1 with \"42\"
            bob completes D2
            bob fails D3 with \"no\"",
        )
        .await;
    let told = |messages: &[consign_ledger::query::Message]| -> Vec<String> {
        let line = |it: &consign_ledger::query::Message| {
            let result = it.result.as_ref().map_or("-", Payload::as_str);
            let detail = it.error_detail.as_deref().unwrap_or("-");
            format!("{} {} {} {} {result} {detail}", it.seq, it.kind, it.delegation_id, it.status)
        };
        messages.iter().map(line).collect()
    };
    let inbox = world.inbox("alice").await;
    let all = [
        "5 stuck D1 stuck - hm",
        "6 recovered D1 in_progress - -",
        "7 completed D1 completed 42 -",
        "9 failed D3 failed - no",
    ];
    assert_eq!(told(&inbox.messages), all);
    assert_eq!(inbox.unread, 4);
    for (after, limit, expected) in
        [(None, 2, &all[..2]), (Some(6), 1, &all[2..3]), (Some(7), 5, &all[3..]), (Some(9), 5, &[])]
    {
        let query = InboxQuery { agent_id: agent("alice"), after, limit };
        assert_eq!(told(&world.reader().inbox(query).await.unwrap().messages), expected);
    }
    assert!(world.inbox("bob").await.messages.is_empty());
}

pub async fn the_tallies_are_the_counts<B: Backend>(mut world: World<B>) {
    assert_eq!(world.stats().await, "");
    for round in 0..3 {
        world
            .play(&format!(
                "
                alice delegates a{round} to bob & alice delegates b{round} to bob, dispatched & bob beats a{round}
                alice delegates c{round} to bob & bob fails c{round} & alice retries c{round}
                alice delegates d{round} to bob & alice cancels d{round}
                alice delegates e{round} to bob
                bob completes e{round} & bob completes e{round} with \"x\" & bob fails e{round}     changed & changed & refused already-terminal and kept
                alice sets b{round} to stuck & alice retries b{round}"
            ))
            .await;
    }
    world
        .play(
            "
            wait 11m
            sweep        stats: 6 queued, 3 stuck, 3 completed, 3 failed, 3 cancelled
            restart
            sweep        stats: 6 queued, 3 stuck, 3 completed, 3 failed, 3 cancelled",
        )
        .await;
}

/// §3.10.
pub async fn no_id_disappears_when_the_ledger_tidies_up<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, deadline 1m
            alice delegates D2 to bob
            bob completes D2 with \"42\"
            bob completes D2 with \"43\"
            wait 2m
            sweep",
        )
        .await;
    let before = world.everything().await;
    let later = world.now().await.plus_s(300 * 24 * 3600);
    world.ledger().tidy(later).await.unwrap();
    assert_eq!(world.everything().await, before);
    world
        .play(
            "
            bob completes D2 with \"42\"            replayed
            alice delegates D1 to bob             replayed
            alice delegates D3 to bob             changed",
        )
        .await;
}

pub async fn the_last_thousand_reports_are_kept_newest_first<B: Backend>(world: World<B>) {
    for nth in 0..1005 {
        let report = SweepReport {
            deadline_failures: nth,
            stuck_marked: 1,
            errors: 2,
            requeued: 3,
            examined: 4,
            rearmed: 5,
            held: 6,
            started_at: Time(7),
            duration_ms: 8,
        };
        world.ledger().keep_report(report).await.unwrap();
    }
    let reports = world.reader().sweeps(2000).await.unwrap();
    assert_eq!(reports.len(), 1000);
    assert_eq!((reports[0].deadline_failures, reports[999].deadline_failures), (1004, 5));
    let one = reports[0];
    assert_eq!((one.stuck_marked, one.errors, one.requeued), (1, 2, 3));
    assert_eq!((one.examined, one.rearmed, one.held), (4, 5, 6));
    assert_eq!((one.started_at, one.duration_ms), (Time(7), 8));
    assert_eq!(world.reader().sweeps(3).await.unwrap().len(), 3);
}

pub async fn the_fleet_is_who_beats_and_does_not_wait<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob, threshold 20m
            alice delegates D4 to bob
            alice delegates D5 to bob
            alice delegates D6 to bob
            bob beats D1 & bob beats D2 & bob beats D3 & bob beats D4 & bob beats D5
            bob beats D4, waiting for human
            bob completes D5
            wait 4m
            bob beats D1
            wait 4m",
        )
        .await;
    let fleet = world.reader().fleet(world.now().await, 600).await.unwrap();
    assert_eq!(fleet, Fleet { beating: 3, heard_lately: 2 });
}

pub async fn delegations_are_found_by_number_in_the_order_asked_for<B: Backend>(
    mut world: World<B>,
) {
    world
        .play(
            "
            alice delegates D1 to bob
            alice delegates D2 to bob
            alice delegates D3 to bob",
        )
        .await;
    let nums = [world.num("D3").await, 999, world.num("D1").await, world.num("D2").await];
    let found = world.reader().delegations(nums.to_vec()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|it| it.delegation_id.as_str()).collect();
    assert_eq!(ids, ["D3", "D1", "D2"]);
    world.backend().poison(&world.id("D1")).await;
    let found = world.reader().delegations(nums.to_vec()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|it| it.delegation_id.as_str()).collect();
    assert_eq!(ids, ["D3", "D2"]);
}

pub async fn a_delegation_that_nobody_made_is_not_there<B: Backend>(world: World<B>) {
    let id = world.id("D1");
    assert_eq!(world.reader().find(&id).await.unwrap(), None);
    assert!(world.reader().late_results(&id).await.unwrap().is_empty());
    assert!(world.history("D1").await.is_empty());
    assert!(world.inbox("alice").await.messages.is_empty());
    assert_eq!(world.reader().list(by(10)).await.unwrap().items, []);
    assert_eq!(world.reader().earliest_due().await.unwrap(), None);
}

pub async fn an_event_of_every_kind_can_be_read_back<B: Backend>(mut world: World<B>) {
    world
        .play(
            "
            alice delegates D1 to bob, attempts 2
            alice dispatches D1
            bob accepts D1 as C
            bob beats D1, waiting for auth
            bob beats D1, not waiting
            bob sets D1 to stuck, override \"hm\"
            bob beats D1
            bob releases D1
            bob accepts D1
            alice extends D1 to 1h
            alice retries D1
            bob completes D1 with \"x\"        refused lease-void and kept
            bob accepts D1
            bob completes D1
            alice delegates D2 to bob
            bob beats D2
            bob fails D2
            alice delegates D3 to bob
            alice cancels D3",
        )
        .await;
    let seen: Vec<EventKind> = world.events().await.iter().map(|event| event.kind).collect();
    // A claim by queue comes later; every other kind must be here.
    let missing: Vec<_> = EventKind::ALL
        .iter()
        .filter(|kind| **kind != EventKind::Claimed && !seen.contains(kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
