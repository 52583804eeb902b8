//! A server that is killed in the middle of pruning, again and again: what is not due stays, what goes was written
//! down before, and the ledger is sound.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::Client;
use crate::postgres::SharedLedger;
use crate::server::{Ledger, Serve, Server, free_port};

/// Delegations that are over for so long that they may go. Each tenth has a child, which must go before it.
const DUE: usize = 600;
/// And that are over, and may not.
const YOUNG: usize = 100;
const KILLS: usize = 6;
/// What an earlier run left when it was killed in the middle of a line.
const TORN: &str = r#"{"delegation":{"delegation_id":"torn"#;

#[test]
fn a_server_killed_in_the_middle_of_pruning_loses_nothing_that_was_not_due() {
    let ledger = Ledger::new();
    let age = |sql: &str| {
        let file = Connection::open(ledger.path()).unwrap();
        file.execute_batch(sql).unwrap();
    };
    let url = format!("sqlite:{}", ledger.path().display());
    survives_kills(ledger.folder(), &url, || ledger.serve().start(), age);
}

#[test]
fn a_server_killed_in_the_middle_of_pruning_loses_nothing_that_was_not_due_in_postgresql() {
    let (ledger, listen) = (SharedLedger::new(), format!("127.0.0.1:{}", free_port()));
    let folder = tempfile::TempDir::new().unwrap();
    let start = || ledger.serve().env("CONSIGN_LISTEN", &listen).start();
    survives_kills(folder.path(), &ledger.url(), start, |sql| ledger.run(sql));
}

fn survives_kills(
    folder: &Path,
    ledger_url: &str,
    start: impl Fn() -> Server,
    age: impl FnOnce(&str),
) {
    let export = folder.join("went.jsonl");
    std::fs::write(&export, TORN).unwrap();
    let server = start();
    let due = all_that_is_over(&server.client());
    server.kill();
    age(AGE);

    let mut server = start();
    let mut client = server.client();
    let prune = prune(&client, &export);
    for kill in 0..KILLS {
        until_less_is_over_than(&client, YOUNG + DUE - kill * DUE / KILLS);
        // Each time somewhere else in what it does.
        thread::sleep(Duration::from_millis(kill as u64 * 13 % 40));
        server.kill();
        server = start();
        client = server.client();
        let there = all_ids(&client);
        let written = written(&export);
        let lost: Vec<_> = due.difference(&there).filter(|id| !written.contains(*id)).collect();
        assert!(lost.is_empty(), "gone, and not written down: {lost:?}");
    }
    let told = said(prune.wait_with_output().unwrap());
    assert_eq!(told, format!("{DUE} pruned\n"));

    assert_eq!(written(&export), due);
    let stays = (0..YOUNG).map(|n| format!("young-{n}")).chain(["waits".to_owned()]);
    assert_eq!(all_ids(&client), stays.collect());
    assert_eq!(client.inbox("alice").len(), YOUNG);
    server.kill();
    let audit = Serve::subcommand("audit").flag("--database-url", ledger_url).output();
    assert!(said(audit).contains("all is well"));
}

/// As if those that are due had all happened a year ago.
const AGE: &str = "
    UPDATE delegations SET created_at = created_at - 31536000000, updated_at = updated_at - 31536000000,
        queued_at = queued_at - 31536000000, finished_at = finished_at - 31536000000, deadline = deadline - 31536000000
    WHERE delegation_id LIKE 'due-%'";

/// Delegates, and answers; the ids of what will be due.
fn all_that_is_over(client: &Client) -> HashSet<String> {
    let due: Vec<String> = (0..DUE).map(|n| format!("due-{n}")).collect();
    let young: Vec<String> = (0..YOUNG).map(|n| format!("young-{n}")).collect();
    let request = |(n, id): (usize, &String)| {
        let parent = (n % 10 == 1).then(|| due[n - 1].clone());
        let caller = if parent.is_some() { "bob" } else { "alice" };
        json!({"delegation_id": id, "caller_id": caller, "callee_id": if parent.is_some() { "carol" } else { "bob" },
               "task": "t".repeat(n), "parent_id": parent})
    };
    let requests: Vec<Value> = due.iter().enumerate().map(request).collect();
    for some in requests.chunks(100) {
        let made = client.post("/v1/delegations/batch", &json!({"delegations": some})).expect(200);
        assert!(made["outcomes"].as_array().unwrap().iter().all(|it| it["ok"] == true), "{made}");
    }
    client.delegate("waits", &json!({}));
    for id in &young {
        client.delegate(id, &json!({}));
    }
    for id in due.iter().chain(&young) {
        let path = format!("/v1/delegations/{id}/complete");
        client.post(&path, &json!({"result": id})).expect(200);
    }
    due.into_iter().collect()
}

fn prune(client: &Client, export: &Path) -> Child {
    let prune = Serve::subcommand("prune").flag("--url", client.url()).flag("--export", export);
    let mut prune = prune.flag("--retry-for-s", "60").command();
    prune.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn until_less_is_over_than(client: &Client, count: usize) {
    let over = || client.get("/v1/stats").expect(200)["completed"].as_u64().unwrap();
    while usize::try_from(over()).unwrap() >= count {
        thread::sleep(Duration::from_millis(2));
    }
}

/// Everything that the ledger still has.
fn all_ids(client: &Client) -> HashSet<String> {
    let (mut ids, mut cursor) = (HashSet::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/delegations?limit=1000{cursor}")).expect(200);
        let listed = page["delegations"].as_array().unwrap().iter();
        ids.extend(listed.map(|it| it["delegation_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
    }
}

/// What was written down whole, and is what it was.
fn written(export: &Path) -> HashSet<String> {
    let text = std::fs::read_to_string(export).unwrap();
    let (torn, whole) = text.split_once('\n').unwrap_or((&text, ""));
    assert_eq!(torn, TORN, "a line of an earlier run goes on");
    let (whole, _being_written) = whole.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(written_id).collect()
}

fn written_id(line: &str) -> String {
    let went: Value = serde_json::from_str(line).unwrap();
    let id = went["delegation"]["delegation_id"].as_str().unwrap();
    assert_eq!(went["delegation"]["result"], id);
    let n: usize = id.rsplit('-').next().unwrap().parse().unwrap();
    assert_eq!(went["delegation"]["task"], "t".repeat(n));
    let kinds: Vec<_> = went["events"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
    assert_eq!(kinds, ["created", "completed"]);
    id.to_owned()
}

#[track_caller]
fn said(output: Output) -> String {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}
