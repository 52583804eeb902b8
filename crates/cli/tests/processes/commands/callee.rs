//! What a callee types.

use std::fs;

use super::Session;

/// The callee of docs/cli.md, which beats each second here.
fn callee(work: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (script, _) = rest.split_once("```").unwrap();
    assert!(script.contains("run_the_work") && script.contains("sleep 10"));
    format!("id=d1; run_the_work() {{ {work}; }}\n{}", script.replace("sleep 10", "sleep 1"))
}

#[test]
fn the_callee_of_the_page_beats_and_answers() {
    let session = Session::with_threshold(3);
    session.delegates("d1");
    session.prepares(&callee("sleep 5; echo done"));
    assert_eq!(session.client().delegation("d1")["result"], "done\n");
    assert_eq!(session.client().event_kinds("d1"), ["created", "started", "completed"]);
}

#[test]
fn the_callee_of_the_page_ends_its_work_when_it_is_told_to() {
    let session = Session::new();
    session.delegates("d1");
    let mut callee = session.shell(&callee("exec sleep 60")).spawn().unwrap();
    while session.client().delegation("d1")["status"] == "queued" {
        std::thread::yield_now();
    }
    let begun = std::time::Instant::now();
    session.prepares("consign cancel d1");
    assert!(!callee.wait().unwrap().success(), "work that was cut off has no answer");
    assert!(begun.elapsed().as_secs() < 10, "the work went on");
    assert_eq!(session.client().event_kinds("d1"), ["created", "started", "cancelled"]);
}

#[test]
fn the_callee_of_the_page_says_that_its_work_failed() {
    let session = Session::new();
    session.delegates("d1");
    session.prepares(&callee("(exit 3)"));
    let ended = session.client().delegation("d1");
    assert_eq!(
        (&ended["status"], &ended["error_detail"]),
        (&"failed".into(), &"exit code 3".into())
    );
}

#[test]
fn claiming_takes_what_waits() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session
        .prepares("consign delegate --caller alice --callee bob --id d4 --priority 5 --task first");
    session
        .types("consign claim --help")
        .types("consign claim bob --claim-id mine")
        .types("consign claim bob --claim-id mine")
        .types("consign claim bob --max 2")
        .types("consign claim bob --json")
        .types("consign claim bob")
        .types("consign claim bob --json --wait-s 1")
        .types("consign claim bob --max 0")
        .types("consign claim bob --wait-s 61");
    session.reads_as("claim");
}

#[test]
fn accepting_gives_the_lease_once() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session
        .types("consign accept --help")
        .types("consign accept d1 --claim-id mine")
        .types("consign accept d1 --claim-id mine")
        .types("consign accept d1")
        .types("consign accept d2 --json")
        .types("consign accept nobody");
    session.reads_as("accept");
}

#[test]
fn a_heartbeat_is_told_whether_to_go_on() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session.prepares("consign accept d2");
    session
        .types("consign heartbeat --help")
        .types("consign heartbeat d1")
        .types(
            "consign heartbeat d1 --progress 'page 3' --waiting-for human --waiting-note 'may I?'",
        )
        .types("consign show d1 | grep -A1 waiting")
        .types("consign heartbeat d1 --not-waiting --progress-json '{\"page\": 4}' --json")
        .types("consign heartbeat d2")
        .types("consign heartbeat d2 --lease forged")
        .types("consign heartbeat d1 --waiting-for human --waiting-for-s 0")
        .types("consign heartbeat d1 --waiting-for godot")
        .types("consign heartbeat d1 --waiting-note 'for what?'")
        .types("consign heartbeat d3; consign cancel d3")
        .types("consign heartbeat d3")
        .types("consign heartbeat d3 --json")
        .types("consign heartbeat nobody")
        .types("consign heartbeat nobody --json");
    session.reads_as("heartbeat");
}

#[test]
fn completing_is_a_verdict_and_what_comes_later_is_kept() {
    let mut session = Session::new();
    for id in ["d1", "d2", "d3", "d4"] {
        session.delegates(id);
    }
    let lease = session.prepares("consign accept d4 --json | sed 's/.*\"lease\":\"//; s/\".*//'");
    fs::write(session.ledger.folder().join("lease"), lease.trim()).unwrap();
    session
        .types("consign complete --help")
        .types("consign complete d1 --result done")
        .types("consign complete d1 --result done")
        .types("consign complete d1 --result 'done better'")
        .types("printf 'line 1\\nline 2\\n' | consign complete d2 --result -; consign show d2 | grep -A1 result")
        .types("consign complete d3 --result-json '{\"pages\": 12, \"exact\": 1.10}' --json")
        .types("consign complete d4 --result done")
        .types("CONSIGN_LEASE=\"$(cat lease)\" consign complete d4 --result done")
        .types("consign complete d1")
        .types("consign complete d1 --result a --result-json 1")
        .types("consign complete nobody --result done");
    session.reads_as("complete");
}

#[test]
fn failing_is_a_verdict() {
    let mut session = Session::new();
    for id in ["d1", "d2", "d3"] {
        session.delegates(id);
    }
    session.prepares("consign accept d3");
    session
        .types("consign fail --help")
        .types("consign fail d1 --error-detail 'the disk is full'")
        .types("consign fail d1 --error-detail 'the disk is full'")
        .types("consign fail d1 --error-detail 'another reason'")
        .types("consign fail d2 --error-detail no --json")
        .types("consign fail d3 --error-detail no")
        .types("consign fail d3 --error-detail no --override ''")
        .types("consign fail d3 --error-detail no --override 'its host is gone'")
        .types("consign fail d1")
        .types("consign fail nobody --error-detail no");
    session.reads_as("fail");
}

#[test]
fn releasing_gives_the_work_back() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    for id in ["d1", "d2"] {
        let lease = session
            .prepares(&format!("consign accept {id} --json | sed 's/.*\"lease\":\"//; s/\".*//'"));
        fs::write(session.ledger.folder().join(id), lease.trim()).unwrap();
    }
    session
        .types("consign release --help")
        .types("consign release d1 --lease \"$(cat d1)\" --reason 'shutting down'")
        .types("consign release d1 --lease \"$(cat d1)\"")
        .types("consign release d2 --lease \"$(cat d2)\" --json")
        .types("consign release d2 --lease forged")
        .types("consign release d2")
        .types("consign release nobody --lease forged");
    session.reads_as("release");
}
