//! Several programs at once, and one after another.

use serde_json::json;

use super::Shop;

#[test]
fn so_many_run_at_once_as_there_are_hands_and_each_says_whose_words_are_whose() {
    let shop = Shop::open(600);
    let wires = [1, 2, 3].map(|n| shop.wire(&format!("wire-{n}")));
    let gates = [1, 2, 3].map(|n| shop.wire(&format!("gate-{n}")));
    for n in 1..=3 {
        let script =
            format!("exec 9>wire-{n}; echo begun >&9; echo 'a word' >&2; read go < gate-{n}");
        shop.asks_with(&format!("d{n}"), &script, json!({"priority": 4 - n}));
    }
    let mut worker = shop.worker(&["--jobs", "2", "--max-claims", "3"]);
    let mut claimed = || {
        let id = worker.until("claimed")["delegation_id"].as_str().unwrap().to_owned();
        let n: usize = id[1..].parse().unwrap();
        n - 1
    };
    let (first, second) = (claimed(), claimed());
    for n in [first, second] {
        assert_eq!(wires[n].hears().line(), "begun");
    }
    assert_eq!(shop.client.get("/v1/stats").expect(200)["queued"], 1, "both hands are full");
    gates[first].lets_go();
    let third = claimed();
    assert_eq!(wires[third].hears().line(), "begun");
    gates[second].lets_go();
    gates[third].lets_go();
    worker.ends_well();
    for n in 1..=3 {
        assert!(shop.stderr().contains(&format!("[d{n}] a word\n")), "{}", shop.stderr());
    }
}

#[test]
fn a_worker_that_waits_for_no_more_work_does_what_there_is_and_ends() {
    let shop = Shop::open(600);
    for n in 1..=5 {
        shop.asks(&format!("d{n}"), "echo $CONSIGN_DELEGATION_ID");
    }
    let told = shop.worker(&["--wait-s", "0", "--jobs", "2"]).ends_well();
    assert!(told.contains(&"idle".to_owned()), "{told:?}");
    for n in 1..=5 {
        assert_eq!(shop.client.delegation(&format!("d{n}"))["result"], format!("d{n}\n"));
    }
}
