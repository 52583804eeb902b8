//! Who may speak at all.

use insta::assert_snapshot;

use crate::cast::{Door, request};

#[tokio::test]
async fn a_request_for_another_host_is_refused() {
    let door = Door::open().await;
    let mut rebound = request("GET", "/v1/stats", "");
    rebound.headers_mut().insert("host", "evil.example:7420".parse().unwrap());
    let answer = door.send(rebound).await;
    assert_snapshot!(format!("{} {}", answer.status, answer.text));
}

#[tokio::test]
async fn a_page_from_another_site_is_refused() {
    let door = Door::open().await;
    let mut foreign = request("POST", "/v1/sweeps", "");
    foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let answer = door.send(foreign).await;
    assert_snapshot!(format!("{} {}", answer.status, answer.text));
    let mut ours = request("POST", "/v1/sweeps", "");
    ours.headers_mut().insert("origin", "http://localhost:7420".parse().unwrap());
    assert_eq!(door.send(ours).await.status, 200);
}
