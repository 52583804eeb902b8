//! Requests that are sent again because their answer was lost.

use serde_json::{Value, json};

use crate::cast::Door;

/// Sends it twice; the second answer, and whether the delegation is as the first one left it.
async fn repeated(door: &mut Door, verb: &str, body: &str) -> (u16, Value, bool) {
    door.verb("D1", verb, body).await;
    let first = door.get("/v1/delegations/D1").await.text;
    let again = door.verb("D1", verb, body).await;
    let same = door.get("/v1/delegations/D1").await.text == first;
    (again.status, again.json(), same)
}

#[tokio::test]
async fn a_repeat_of_what_was_done_changes_nothing() {
    for (before, verb, body) in [
        ("", "dispatch", ""),
        ("", "cancel", r#"{"reason":"r"}"#),
        ("", "complete", r#"{"result":{"n":1}}"#),
        ("accept", "complete", r#"{"result":"r","lease":"$1"}"#),
        ("accept", "fail", r#"{"error_detail":"e","lease":"$1"}"#),
        ("accept", "release", r#"{"lease":"$1"}"#),
        ("accept", "retry", r#"{"if_attempt":1}"#),
        ("accept", "retry", r#"{"if_attempt":1,"deadline_s":60}"#),
        ("cancel", "retry", ""),
        ("", "extend", r#"{"if_version":1,"deadline_s":60}"#),
        ("", "extend", r#"{"deadline":"2027-01-15T09:00:00Z"}"#),
    ] {
        let mut door = Door::open().await;
        door.delegated("D1").await;
        if !before.is_empty() {
            door.verb("D1", before, "").await;
        }
        let (status, answer, same) = repeated(&mut door, verb, body).await;
        assert_eq!((status, &answer["changed"], same), (200, &json!(false), true), "{verb} {body}");
    }
    let mut door = Door::open().await;
    door.delegated("D1").await;
    let first = door.verb("D1", "accept", r#"{"claim_id":"c"}"#).await.json()["lease"].clone();
    let (status, answer, same) = repeated(&mut door, "accept", r#"{"claim_id":"c"}"#).await;
    assert_eq!((status, &answer["lease"], same), (200, &first, true));
}

#[tokio::test]
async fn a_repeat_after_somebody_went_on_is_told_so_and_changes_nothing() {
    for (before, verb, body, says) in [
        ("", "dispatch", "", "invalid-transition"),
        ("accept", "release", r#"{"lease":"$1"}"#, "lease-void"),
        ("accept", "retry", r#"{"if_attempt":1}"#, "changed-meanwhile"),
        ("", "extend", r#"{"if_version":1,"deadline_s":60}"#, "changed-meanwhile"),
    ] {
        let mut door = Door::open().await;
        door.delegated("D1").await;
        if !before.is_empty() {
            door.verb("D1", before, "").await;
        }
        assert_eq!(door.verb("D1", verb, body).await.status, 200, "{verb}");
        door.verb("D1", "accept", "").await;
        let (status, problem, same) = repeated(&mut door, verb, body).await;
        assert_eq!((status, same), (409, true), "{verb}: {problem}");
        assert_eq!(problem["type"], format!("urn:consign:problem:{says}"));
    }
}
