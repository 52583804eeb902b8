//! What a caller types.

use super::Session;

#[test]
fn delegating_makes_one_record_and_says_so() {
    let mut session = Session::new();
    session
        .types("consign delegate --help")
        .types("consign delegate --caller alice --callee bob --task 'write the report' --id d1")
        .types("consign delegate --caller alice --callee bob --task 'write the report' --id d1")
        .types("consign delegate --caller alice --callee bob --task 'write the report'")
        .types("printf 'in a\\nfile' > task.txt; consign delegate --caller alice --callee bob --task @task.txt --id d2 --json")
        .types(
            "echo '{\"pages\": 12}' | consign delegate --caller alice --callee bob --task-json - --id d3 \
             --deadline-s 60 --stuck-threshold-s 5 --max-attempts 3 --notify stuck,recovered --priority -1 \
             --metadata '[1]' --idempotency-key report-7 --json",
        )
        .types("consign delegate --caller alice --callee bob --task other --id d1")
        .types("consign delegate --caller alice --callee bob --task other --idempotency-key report-7")
        .types("consign delegate --caller alice --callee alice --task other")
        .types("consign delegate --caller alice --callee bob --task other --deadline-s 99999999")
        .types("consign delegate --caller alice --callee bob --task other --deadline-s soon")
        .types("consign delegate --caller alice --callee '' --task other")
        .types("consign delegate --caller alice --callee bob --task other --timeout-s 5")
        .types("consign delegate --caller alice --callee bob")
        .types("consign delegate --caller alice --callee bob --task @missing.txt")
        .types("printf '\\377' | consign delegate --caller alice --callee bob --task -")
        .types("consign delegate --caller alice --callee bob --task-json '{pages}'");
    session.reads_as("delegate");
}

#[test]
fn cancelling_is_a_verdict() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session.prepares("consign complete d3 --result done");
    session
        .types("consign cancel --help")
        .types("consign cancel d1 --reason 'not needed any more'")
        .types("consign cancel d1")
        .types("consign cancel d2 --json")
        .types("consign cancel d3")
        .types("consign cancel d3 --json")
        .types("consign cancel nobody")
        .types("consign cancel");
    session.reads_as("cancel");
}

#[test]
fn retrying_hands_the_work_out_again() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2");
    session.prepares("consign heartbeat d1; consign fail d2 --error-detail 'no disk'");
    session
        .types("consign retry --help")
        .types("consign retry d1")
        .types("consign heartbeat d1")
        .types("consign retry d1 --if-attempt 7")
        .types("consign retry d1 --callee carol --deadline-s 60 --json")
        .types("consign retry d2")
        .types("consign retry d2")
        .types("consign retry nobody");
    session.reads_as("retry");
}

#[test]
fn dispatching_is_for_what_is_queued() {
    let mut session = Session::new();
    session.delegates("d1").delegates("d2").delegates("d3");
    session.prepares("consign heartbeat d2");
    session
        .types("consign dispatch --help")
        .types("consign dispatch d1")
        .types("consign dispatch d1")
        .types("consign dispatch d2")
        .types("consign dispatch d3 --json")
        .types("consign dispatch nobody");
    session.reads_as("dispatch");
}

#[test]
fn extending_moves_the_deadline_either_way() {
    let mut session = Session::new();
    session.delegates("d1");
    session
        .types("consign extend --help")
        .types("consign extend d1 --deadline-s 7200")
        .types("consign extend d1 --deadline 2020-01-01T00:00:00Z")
        .types("consign extend d1 --deadline tomorrow")
        .types("consign extend d1 --deadline-s 60 --if-version 1")
        .types("consign extend d1 --deadline-s 60 --if-version 9")
        .types("consign extend d1 --deadline-s 60 --json")
        .types("consign extend d1")
        .types("consign extend d1 --deadline-s 60 --deadline 2030-01-01T00:00:00Z")
        .types("consign extend nobody --deadline-s 60");
    session.reads_as("extend");
}
