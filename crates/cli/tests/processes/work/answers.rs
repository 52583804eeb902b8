//! How a program ends is what its caller hears.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::Shop;
#[cfg(target_os = "linux")]
use super::claim;
#[cfg(target_os = "linux")]
use crate::pty::Terminal;

#[test]
fn the_end_of_a_script_is_the_verdict() {
    let shop = Shop::open(600);
    shop.asks("done", "echo done; echo 'not the answer' >&2")
        .asks("gave-up", "echo half; echo 'no disk' >&2; exit 3")
        .asks("shot", "kill -KILL $$");
    let told = shop.worker(&["--max-claims", "3"]).ends_well();
    assert_eq!(told.len(), 6, "{told:?}");
    let row = |id| shop.client.delegation(id);
    assert_eq!(
        (&row("done")["status"], &row("done")["result"]),
        (&json!("completed"), &json!("done\n"))
    );
    let failed = |id| {
        let row = row(id);
        assert_eq!((&row["status"], &row["failure"]), (&json!("failed"), &json!("reported")));
        row["error_detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(failed("gave-up"), "exit code 3: no disk");
    assert_eq!(failed("shot"), "killed by signal 9 (SIGKILL)");
    assert!(shop.stderr().contains("not the answer\n"), "{}", shop.stderr());
}

#[test]
fn a_script_that_says_not_now_gives_the_work_back_and_is_left_alone_for_a_while() {
    let shop = Shop::open(600);
    shop.asks("d1", "[ -e there ] && echo done || { : > there; echo 'no licence' >&2; exit 75; }");
    let mut worker = shop.worker(&["--max-claims", "2"]);
    assert_eq!(worker.until("released")["detail"], "exit code 75: not now: no licence");
    worker.until("pause");
    assert_eq!(worker.ends_well(), ["claimed", "completed"]);
    let row = shop.client.delegation("d1");
    assert_eq!((&row["result"], &row["attempt"]), (&json!("done\n"), &json!(1)));
}

#[test]
fn a_program_reads_its_task_as_it_was_written_and_knows_what_it_works_on() {
    let shop = Shop::open(600);
    shop.client.delegate("text", &json!({"task": "two\nlines, no end"}));
    shop.client.delegate("json", &json!({"task": {"pages": 12}, "metadata": {"team": 7}}));
    let script = r#"{"task": $(cat), "form": "'$CONSIGN_TASK_FORM'", "id": "'$CONSIGN_DELEGATION_ID'",
        "who": ["'$CONSIGN_CALLER_ID'", "'$CONSIGN_CALLEE_ID'"], "attempt": '$CONSIGN_ATTEMPT'}"#;
    let print = format!(
        "if [ $CONSIGN_TASK_FORM = json ]; then printf '%s' '{}'; else printf '\"'; cat | tr '\\n' '|'; printf '\"'; fi",
        script.replace("$(cat)", "'\"$(cat)\"'")
    );
    let flags = ["--result-json", "--max-claims", "2", "--exec", "sh", "--", "-c", &print];
    shop.claims(&flags).ends_well();
    assert_eq!(shop.client.delegation("text")["result"], "two|lines, no end");
    let known = shop.client.delegation("json")["result"].clone();
    let expected = json!({"task": {"pages": 12}, "form": "json", "id": "json", "who": ["alice", "bob"], "attempt": 1});
    assert_eq!(known, expected);
}

#[test]
fn a_script_can_speak_for_itself_with_what_it_was_given() {
    let shop = Shop::open(600);
    let consign = env!("CARGO_BIN_EXE_consign");
    let beat = format!("{consign} heartbeat $CONSIGN_DELEGATION_ID --progress 'by myself' --json");
    shop.asks("d1", &beat);
    shop.worker(&["--once"]).ends_well();
    let row = shop.client.delegation("d1");
    assert_eq!(row["progress"], "by myself");
    assert!(row["result"].as_str().unwrap().contains("in_progress"), "{row}");
}

#[test]
fn an_output_of_any_length_is_read_and_one_that_is_too_long_is_a_failure_that_says_so() {
    let shop = Shop::open(600);
    shop.asks("long", "head -c 4000000 /dev/zero | tr '\\0' a")
        .asks("too-long", "head -c 9000000 /dev/zero | tr '\\0' a; echo 'it went on' >&2");
    shop.worker(&["--max-claims", "2"]).ends_well();
    assert_eq!(shop.client.delegation("long")["result"].as_str().unwrap().len(), 4_000_000);
    let why = shop.client.delegation("too-long")["error_detail"].as_str().unwrap().to_owned();
    assert!(why.starts_with("its output has 9000000 bytes"), "{why}");
    assert!(why.ends_with("it went on"), "it was not held up: {why}");
}

#[test]
fn an_output_that_is_no_text_or_no_json_is_no_reason_to_lose_the_work() {
    let shop = Shop::open(600);
    shop.asks("latin", "printf 'caf\\351 \\0.'");
    shop.worker(&["--once"]).ends_well();
    assert_eq!(shop.client.delegation("latin")["result"], "caf\u{fffd} \u{fffd}.");
    shop.asks("json", "echo done");
    shop.worker(&["--once", "--result-json"]).ends_well();
    let why = shop.client.delegation("json")["error_detail"].as_str().unwrap().to_owned();
    assert!(why.starts_with("its output is no JSON: expected value"), "{why}");
    let deep = format!("printf '{}1{}'", "[".repeat(120), "]".repeat(120));
    shop.asks("deep", &deep);
    shop.worker(&["--once", "--result-json"]).ends_well();
    let why = shop.client.delegation("deep")["error_detail"].as_str().unwrap().to_owned();
    assert!(why.starts_with("the result was refused: "), "{why}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_asks_its_workers_terminal_does_not_hang_there() {
    let shop = Shop::open(600);
    let terminal = Terminal::of(80);
    shop.asks("d1", "echo 'password:' >&2; read answer < /dev/tty; echo $answer");
    let told = shop.works_behind(claim().on(&terminal), &["--once"]).ends_well();
    assert_eq!(told, ["claimed", "failed"]);
    let why = shop.client.delegation("d1")["error_detail"].as_str().unwrap().to_owned();
    assert!(why.starts_with("it asked the terminal") && why.ends_with("password:"), "{why}");
}

#[test]
fn a_program_that_cannot_be_started_costs_no_work() {
    let shop = Shop::open(600);
    shop.asks("d1", "true").asks("d2", "true");
    let broken = shop.path("broken");
    for (script, why) in [
        ("#!/no/such/reader -x\n", r#"but "/no/such/reader" is not, which its first line names"#),
        ("#! /bin/sh\r\n", r#"but "/bin/sh\r" is not, which its first line names"#),
        ("echo done\n", "a script begins with `#!` and the program that reads it"),
    ] {
        fs::write(&broken, script).unwrap();
        fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();
        let (status, told) = shop.claims(&["--exec", "./broken"]).ends();
        assert_eq!(status.code(), Some(2));
        assert_eq!(told[..2], ["claimed", "released"]);
        let said = shop.stderr();
        assert!(said.contains("./broken cannot be started: ") && said.contains(why), "{said}");
        let counts = shop.client.get("/v1/stats").expect(200);
        assert_eq!((&counts["queued"], &counts["failed"]), (&json!(2), &json!(0)), "{told:?}");
    }

    // One that is not there is found out before anything is claimed.
    let (status, told) = shop.claims(&["--exec", "./missing"]).ends();
    assert_eq!((status.code(), told.len()), (Some(2), 0));
}
