//! Delegated, silent, heard again, answered, called off, given back.

use std::future::pending;
use std::time::Duration;

use consign::{
    AgentTerms, Error, FailureKind, NewDelegation, Refusal, Status, Until, WaitFor, WaitRequest,
};
use serde_json::json;
use tokio::sync::oneshot;

use crate::place::{Place, asked_of_bob, in_both};

const OFTEN: Duration = Duration::from_millis(200);

in_both!(
    silence_is_news_and_a_heartbeat_ends_it,
    a_verdict_comes_at_the_deadline_and_ends_the_work,
    work_that_is_called_off_is_dropped,
    who_beats_is_left_in_peace_and_its_answer_is_the_verdict,
    work_that_was_given_back_is_somebody_elses,
    the_same_request_again_finds_what_it_made,
    a_callee_that_waits_for_a_person_is_not_silent,
    what_the_caller_hands_out_itself_needs_no_lease,
    a_claim_waits_for_work_and_two_workers_share_it,
    messages_come_until_they_are_acknowledged,
    what_an_agent_has_set_holds_where_a_delegation_does_not_say,
);

async fn silence_is_news_and_a_heartbeat_ends_it(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let work = ledger.accept(&id, "bob-1").await.unwrap();

    let news = ledger.wait(&id, Until::Stuck).await.unwrap().delegation;
    assert_eq!(news.status, Status::Stuck);
    assert!(news.error_detail.unwrap().starts_with("no heartbeat for"));

    assert_eq!(work.beat().await.unwrap().current_status, Status::InProgress);
    work.complete(json!({"pages": 12})).await.unwrap();
    let record = ledger.wait(&id, Until::Terminal).await.unwrap();
    assert_eq!(record.delegation.status, Status::Completed);
    assert_eq!(record.result.unwrap().as_str(), r#"{"pages":12}"#);
    let kinds: Vec<_> = ledger.events(&id, 0).await.unwrap().events;
    let kinds: Vec<_> = kinds.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["created", "accepted", "stuck", "recovered", "completed"]);
    ledger.close().await;
}

async fn a_verdict_comes_at_the_deadline_and_ends_the_work(place: Place) {
    let ledger = place.ledger().await;
    let asked =
        NewDelegation { deadline_s: Some(2), ..NewDelegation::new("alice", "bob", "for ever") };
    ledger.delegate(&asked).await.unwrap();
    let work = ledger.accept(&asked.delegation_id, "bob-1").await.unwrap();

    let told = work.beating(OFTEN, pending::<()>()).await.unwrap_err();
    assert!(told.stop(), "{told}");
    let verdict = ledger.wait(&asked.delegation_id, Until::Terminal).await.unwrap().delegation;
    assert_eq!(
        (verdict.status, verdict.failure),
        (Status::Failed, Some(FailureKind::DeadlineExceeded))
    );
    let inbox = ledger.inbox("alice", None).await.unwrap();
    assert_eq!(inbox.messages.len(), 1);
    assert_eq!(inbox.messages[0].error_detail.as_deref(), Some("deadline exceeded by sweeper"));
    ledger.close().await;
}

async fn work_that_is_called_off_is_dropped(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let work = ledger.accept(&id, "bob-1").await.unwrap();
    let (alive, dropped) = oneshot::channel::<()>();
    let working = tokio::spawn(async move {
        let busy = async {
            let _alive = alive;
            pending::<()>().await;
        };
        work.beating(OFTEN, busy).await
    });
    ledger.cancel(&id, "no longer needed").await.unwrap();

    assert!(dropped.await.is_err());
    let told = working.await.unwrap().unwrap_err();
    assert!(matches!(told.refusal(), Some(Refusal::AlreadyTerminal(Status::Cancelled))), "{told}");
    ledger.close().await;
}

async fn who_beats_is_left_in_peace_and_its_answer_is_the_verdict(place: Place) {
    let ledger = place.ledger().await;
    let quiet = asked_of_bob(&ledger).await;
    let busy = asked_of_bob(&ledger).await;
    ledger.accept(&quiet, "bob-1").await.unwrap();
    let work = ledger.accept(&busy, "bob-2").await.unwrap();

    // Until another one, which began no later, is found silent.
    let until_other_is_stuck = ledger.wait(&quiet, Until::Stuck);
    let news = work.beating(OFTEN, until_other_is_stuck).await.unwrap().unwrap();
    assert_eq!(news.delegation.status, Status::Stuck);
    let outcome = work.complete("done").await.unwrap();
    assert!(outcome.changed && !outcome.kept_as_late);
    let again = work.complete("done").await.unwrap();
    assert!(!again.changed && !again.kept_as_late);
    assert!(work.complete("otherwise").await.unwrap().kept_as_late);
    assert_eq!(ledger.late_results(&busy).await.unwrap().len(), 1);
    let refused = work.fail("too late").await.unwrap_err();
    assert!(refused.stop(), "{refused}");
    let stats = ledger.stats().await.unwrap();
    assert_eq!((stats.of(Status::Stuck), stats.of(Status::Completed)), (1, 1));
    ledger.close().await;
}

async fn work_that_was_given_back_is_somebody_elses(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let mine = ledger.accept(&id, "bob-1").await.unwrap();
    let again = ledger.accept(&id, "bob-1").await.unwrap();
    again.beat().await.unwrap();
    let held = ledger.accept(&id, "bob-2").await.err().unwrap();
    assert!(matches!(held.refusal(), Some(Refusal::LeaseHeld)) && !held.stop(), "{held}");

    mine.release("shutting down").await.unwrap();
    assert!(mine.beat().await.unwrap_err().stop());
    let theirs = ledger.accept(&id, "bob-2").await.unwrap();
    assert!(mine.complete("mine").await.unwrap_err().stop());
    theirs.complete("theirs").await.unwrap();
    assert_eq!(ledger.show(&id).await.unwrap().result, Some("theirs".into()));
    ledger.close().await;
}

async fn the_same_request_again_finds_what_it_made(place: Place) {
    let ledger = place.ledger().await;
    let asked = NewDelegation::new("alice", "bob", json!({"b": 1, "a": 2}));
    assert!(!ledger.delegate(&asked).await.unwrap().replayed);
    assert!(ledger.delegate(&asked).await.unwrap().replayed);
    let other = NewDelegation { task: "another".into(), ..asked };
    let refused = ledger.delegate(&other).await.unwrap_err();
    assert!(matches!(refused.refusal(), Some(Refusal::IdConflict(_))), "{refused}");
    ledger.close().await;
}

async fn a_callee_that_waits_for_a_person_is_not_silent(place: Place) {
    let ledger = place.ledger().await;
    let quiet = asked_of_bob(&ledger).await;
    let patient = asked_of_bob(&ledger).await;
    let work = ledger.accept(&patient, "bob-1").await.unwrap();
    let approval =
        WaitRequest { wait_for: WaitFor::Human, note: None, child_id: None, for_s: None };
    work.waiting(approval).await.unwrap();
    ledger.accept(&quiet, "bob-2").await.unwrap();

    ledger.wait(&quiet, Until::Stuck).await.unwrap();
    assert_eq!(ledger.show(&patient).await.unwrap().delegation.status, Status::InProgress);
    work.resumed().await.unwrap();
    assert_eq!(ledger.wait(&patient, Until::Stuck).await.unwrap().delegation.status, Status::Stuck);
    ledger.close().await;
}

async fn what_the_caller_hands_out_itself_needs_no_lease(place: Place) {
    let ledger = place.ledger().await;
    let asked = NewDelegation {
        dispatched: true,
        progress_within_s: Some(1),
        ..NewDelegation::new("alice", "bob", "watch it")
    };
    ledger.delegate(&asked).await.unwrap();
    let work = ledger.work(&asked.delegation_id).unwrap();
    work.progress(json!(0.5)).await.unwrap();
    let wedged = work.beating(OFTEN, ledger.wait(work.id(), Until::Stuck)).await.unwrap().unwrap();
    assert!(wedged.delegation.error_detail.unwrap().starts_with("no progress for"));
    assert!(matches!(work.release("not mine").await, Err(Error::Refused(_))));
    work.fail("gave up").await.unwrap();
    ledger.close().await;
}

async fn a_claim_waits_for_work_and_two_workers_share_it(place: Place) {
    let ledger = place.ledger().await;
    assert!(ledger.try_claim("bob", "bob-1").await.unwrap().is_none());
    let worker = |name: &'static str| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.claim("bob", name).await.unwrap().id().to_string() })
    };
    let workers = [worker("bob-1"), worker("bob-2")];
    let mut asked = [asked_of_bob(&ledger).await, asked_of_bob(&ledger).await];
    let [one, two] = workers;
    let mut taken = [one.await.unwrap(), two.await.unwrap()];
    asked.sort();
    taken.sort();
    assert_eq!(taken, asked);

    let again = ledger.claim("bob", "bob-1").await.unwrap();
    let outcome = again.complete("done").await.unwrap();
    assert!(outcome.changed, "the lease that was given before is given again");
    ledger.close().await;
}

async fn messages_come_until_they_are_acknowledged(place: Place) {
    let ledger = place.ledger().await;
    let id = asked_of_bob(&ledger).await;
    let waiting = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.next_messages("alice").await.unwrap() }
    });
    ledger.claim("bob", "bob-1").await.unwrap().complete("done").await.unwrap();
    let first = waiting.await.unwrap().messages;
    assert_eq!((first.len(), first[0].delegation_id.as_str()), (1, id.as_str()));

    assert_eq!(ledger.next_messages("alice").await.unwrap().messages, first);
    ledger.acknowledge("alice", first[0].seq).await.unwrap();
    let inbox = ledger.inbox("alice", None).await.unwrap();
    assert_eq!((inbox.messages.len(), inbox.unread), (0, 0));
    let ahead = ledger.acknowledge("alice", first[0].seq + 1).await.unwrap_err();
    assert!(matches!(ahead.refusal(), Some(Refusal::AheadOfInbox { .. })), "{ahead}");
    ledger.close().await;
}

async fn what_an_agent_has_set_holds_where_a_delegation_does_not_say(place: Place) {
    let ledger = place.ledger().await;
    let patient = AgentTerms { stuck_threshold_s: Some(77), ..AgentTerms::default() };
    assert!(ledger.set_agent("bob", patient).await.unwrap().created);
    let id = asked_of_bob(&ledger).await;
    let delegation = ledger.show(&id).await.unwrap().delegation;
    assert_eq!(delegation.terms.stuck_threshold_s, Some(77));
    let asked = NewDelegation {
        stuck_threshold_s: Some(5),
        ..NewDelegation::new("alice", "bob", "be quick")
    };
    let delegation = ledger.delegate(&asked).await.unwrap().delegation;
    assert_eq!(delegation.terms.stuck_threshold_s, Some(5));

    let bob = ledger.agent("bob").await.unwrap().unwrap();
    assert_eq!((bob.queued, bob.record.unwrap().terms), (2, patient));
    assert_eq!(ledger.agents(None).await.unwrap().agents.len(), 2, "alice and bob");
    assert!(ledger.remove_agent("bob").await.unwrap().changed);
    ledger.close().await;
}
