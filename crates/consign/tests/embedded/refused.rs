//! What a person can get wrong, each with a sentence about what to do.

use consign::{AgentTerms, Ledger, NewDelegation, OpenError, Options, WaitFor, WaitRequest};
use serde_json::json;

use crate::place::{Place, asked_of_bob};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_opened_once() {
    let place = Place::file();
    let ledger = place.ledger().await;
    let refused = Ledger::open(&place.url()).await.err().unwrap();
    assert!(matches!(refused, OpenError::OpenHere(_)));
    let told = refused.to_string();
    assert!(told.contains("consign.db") && told.contains("clone that Ledger"), "{told}");
    asked_of_bob(&ledger).await;
    ledger.close().await;
}

#[tokio::test]
async fn an_url_that_names_no_ledger_is_told_what_does() {
    for (url, says) in [
        ("consign.db", "sqlite:consign.db"),
        ("sqlite::memory:", "would forget"),
        ("postgres://u:secret@localhost:port/db", "postgres://user:password@host"),
        ("sqlite:/no/such/folder/consign.db", "folder"),
    ] {
        let told = Ledger::open(url).await.err().unwrap().to_string();
        assert!(told.contains(says) && !told.contains("secret"), "{url}: {told}");
    }
}

#[tokio::test]
async fn an_option_out_of_its_range_is_told_the_range() {
    let place = Place::file();
    for (options, says) in [
        (Options { stuck_threshold_s: 0, ..Options::default() }, "stuck_threshold_s is 0"),
        (Options { sweeper_interval_s: 31_536_001, ..Options::default() }, "from 1 to 31536000"),
    ] {
        let told = options.open(&place.url()).await.err().unwrap().to_string();
        assert!(told.contains(says), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_is_told_which_field() {
    let place = Place::file();
    let ledger = place.ledger().await;
    let new = || NewDelegation::new("alice", "bob", "write the report");
    for (asked, says) in [
        (NewDelegation { caller_id: String::new(), ..new() }, "caller_id: must not be empty"),
        (
            NewDelegation { delegation_id: "a\nb".into(), ..new() },
            "delegation_id: must not contain",
        ),
        (
            NewDelegation { idempotency_key: Some("x".repeat(256)), ..new() },
            "idempotency_key: must be",
        ),
        (NewDelegation { task: "\0".into(), ..new() }, "task: must not contain NUL"),
        (
            NewDelegation { metadata: Some(json!("x".repeat(65_536)).into()), ..new() },
            "metadata: must be",
        ),
        (NewDelegation { max_attempts: 0, ..new() }, "max_attempts: must be from 1 to 1000"),
        (NewDelegation { deadline_s: Some(0), ..new() }, "deadline_s: must lie in the future"),
        (NewDelegation { stuck_grace_s: Some(0), ..new() }, "stuck_grace_s: must be from 1"),
        (NewDelegation { parent_id: Some("nobody".into()), ..new() }, "no delegation has the id"),
        (NewDelegation { callee_id: "alice".into(), ..new() }, "do this work yourself"),
    ] {
        let told = ledger.delegate(&asked).await.unwrap_err().to_string();
        assert!(told.contains(says), "{told}");
    }
    assert_eq!(ledger.stats().await.unwrap().in_flight(), 0);

    let id = asked_of_bob(&ledger).await;
    let work = ledger.accept(&id, "bob-1").await.unwrap();
    let too_many = AgentTerms { max_queued: Some(10_001), ..AgentTerms::default() };
    let child = WaitRequest { wait_for: WaitFor::Child, note: None, child_id: None, for_s: None };
    for (told, says) in [
        (work.waiting(child).await.unwrap_err(), "child_id: is needed"),
        (
            work.progress(json!("x".repeat(4096))).await.unwrap_err(),
            "progress: must be at most 4096",
        ),
        (work.fail(&"x".repeat(4097)).await.unwrap_err(), "error_detail: must be at most 4096"),
        (ledger.show("nobody").await.unwrap_err(), "no delegation has the id"),
        (ledger.try_claim("bob", "").await.err().unwrap(), "claim_id: must not be empty"),
        (
            ledger.set_agent("bob", too_many).await.unwrap_err(),
            "max_queued: must be from 0 to 10000",
        ),
        (ledger.explain("nobody").await.unwrap_err(), "no delegation has the id"),
    ] {
        assert!(told.to_string().contains(says), "{told}");
        assert!(!told.stop() && !told.is_passing());
    }
    ledger.close().await;
}
