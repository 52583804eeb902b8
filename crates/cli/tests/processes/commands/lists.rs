//! Lists: delegations, children, messages.

use serde_json::json;

use super::Session;

#[test]
fn ls_lists_the_newest_first() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session.prepares(
        "consign heartbeat d2 --progress 'page 3'; consign fail d3 --error-detail 'no disk'",
    );
    session.client().delegate(
        "x1",
        &json!({"caller_id": "carol", "callee_id": "dave", "task": "tabs\tand\nlines\u{1b}[2J"}),
    );
    session
        .types("consign ls --help")
        .types("consign ls")
        .types("consign ls --status in_flight --caller alice")
        .types("consign ls --callee dave --json")
        .types("consign ls --id-prefix d --limit 2 --json")
        .types("consign ls --all | cut -f1")
        .types("consign ls --created-before 2020-01-01T00:00:00Z")
        .types("consign ls --status done")
        .types("consign ls --limit 0")
        .types("consign ls --created-after yesterday")
        .types("consign ls --cursor nonsense")
        .types("consign ls --all --limit 3")
        .types("consign --json ls --id-prefix x")
        .types("consign --url http://127.0.0.1:1 --retry-for-s 0 ls")
        .types("consign --url http://127.0.0.1:1 serve")
        .types("consign ls --limit many");
    session.reads_as("ls");
}

#[test]
fn all_pages_are_read() {
    let session = Session::new();
    let client = session.client();
    let asked = |number: usize| json!({"delegation_id": format!("d{number}"), "caller_id": "alice", "callee_id": "bob", "task": ""});
    for thousand in 0..2 {
        let batch: Vec<_> = (0..1000).map(|number| asked(thousand * 1000 + number)).collect();
        client.post("/v1/delegations/batch", &json!({"delegations": batch})).expect(200);
    }
    session.delegates("last");
    let ids = session.prepares("consign ls --all | cut -f1 | sort -u | wc -l");
    assert_eq!(ids.trim(), "2001");
    let pages = session.prepares("consign ls --all --json | wc -l");
    assert_eq!(pages.trim(), "3", "one document per page");
    let page = session.prepares("consign ls | wc -l");
    assert_eq!(page.trim(), "100");
}

#[test]
fn children_are_listed_under_their_parent() {
    let mut session = Session::new();
    session.delegates("p");
    let child = json!({"caller_id": "bob", "callee_id": "carol", "parent_id": "p"});
    session.client().delegate("c1", &child);
    session.client().delegate("c2", &child);
    session.prepares("consign cancel c1");
    session
        .types("consign children --help")
        .types("consign children p")
        .types("consign children p --status queued --json")
        .types("consign children c1")
        .types("consign children nobody");
    session.reads_as("children");
}

#[test]
fn an_inbox_has_a_message_for_each_verdict() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign complete d1 --result done; consign fail d2 --error-detail 'no disk'");
    session
        .types("consign inbox --help")
        .types("consign inbox alice")
        .types("consign inbox alice --limit 1 --json")
        .types("consign inbox alice --after 3")
        .types("consign inbox bob")
        .types("consign inbox alice --limit 9999")
        .types("consign inbox");
    session.reads_as("inbox");
}

#[test]
fn an_inbox_is_acknowledged_and_read_from_there() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign complete d1 --result one; consign complete d2 --result two");
    session
        .types("consign inbox alice --limit 1 --ack")
        .types("consign inbox alice --json")
        .types("consign inbox alice --ack-through 9")
        .types("consign inbox alice --ack-through -1")
        .types("consign inbox alice --ack-through 4")
        .types("consign inbox alice --ack-through 4 --json")
        .types("consign inbox alice --wait-s 1")
        .types("consign inbox alice --after 0")
        .types("consign inbox alice --wait-s 61")
        .types("consign inbox alice --ack-through 4 --ack")
        .types("consign inbox alice --after 4 --ack");
    session.reads_as("inbox_acknowledged");
}

#[test]
fn agents_are_listed_shown_set_and_removed() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session
        .types("consign agents --help")
        .types("consign agents set --help")
        .types("consign agents set bob --stuck-threshold-s 60 --max-in-flight 2 --max-queued 50")
        .types("consign agents set bob --stuck-threshold-s 60 --max-in-flight 2 --max-queued 50")
        .types("consign agents set alice --notify stuck --notify recovered --json")
        .types("consign agents set carol")
        .types("consign agents set carol --max-queued 10001")
        .types("consign agents set carol --max-in-flight -1")
        .types("consign agents set carol --max-in-flight=-1")
        .types("consign --json agents set carol");
    session.prepares("consign cancel d1");
    session
        .types("consign agents")
        .types("consign agents --limit 1 --json")
        .types("consign agents --after alice")
        .types("consign agents show alice")
        .types("consign agents show bob --json")
        .types("consign agents remove bob")
        .types("consign agents remove bob")
        .types("consign agents show bob")
        .types("consign agents show nobody")
        .types("consign agents --limit 101");
    session.reads_as("agents");
}
