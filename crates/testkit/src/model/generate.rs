//! Random steps: few agents, few ids, short times, so that things meet.

use consign_ledger::delegation::status::Status;
use consign_ledger::delegation::waiting::WaitFor;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scenario::{
    Act, Answer, Beat, Claiming, Cut, Extension, Limit, Order, Retrial, Script, Setting,
    ShownLease, Step, Verb, Wait,
};

const AGENTS: &[&str] = &["alice", "bob", "carol", "dave"];
/// Who does the work, whoever was asked: two, so that each may hold what the other wants.
const WORKERS: &[&str] = &["bob", "carol"];
const NAMES: &[&str] = &["D1", "D2", "D3", "D4", "D5"];
const TEXTS: &[&str] = &["x", "y", "z"];
const LENGTHS: &[u32] = &[1, 2, 3, 5, 9, 10, 11, 12, 25];

/// Caller, callee and parent, as they mostly are: a tree of three, a neighbour, and a reply.
const CAST: [(&str, &str, Option<&str>); NAMES.len()] = [
    ("alice", "bob", None),
    ("bob", "carol", Some("D1")),
    ("carol", "dave", Some("D2")),
    ("alice", "bob", None),
    ("bob", "alice", None),
];

/// Scripts that begin with the delegations of the cast, and go on for up to so many lines.
pub fn scripts(lines: usize) -> impl Strategy<Value = Script> {
    let limit = weighted(0.2, limit().prop_map(Step::Limit));
    let cast = vec(weighted(0.95, order()), NAMES.len());
    (limit, cast, vec(step(), 1..=lines)).prop_map(|(limit, cast, steps)| {
        let delegates = |(nth, order): (usize, Option<Order>)| {
            order.map(|order| Step::Acts(vec![as_cast(nth, order)]))
        };
        let begins = cast.into_iter().enumerate().filter_map(delegates);
        Script(limit.into_iter().chain(begins).chain(steps).collect())
    })
}

/// The delegation of this place in the cast, on these terms.
fn as_cast(nth: usize, order: Order) -> Act {
    let (who, to, parent) = CAST[nth];
    let under = parent.map(str::to_owned);
    let order = Order { to: to.to_owned(), under, ..order };
    Act { who: who.to_owned(), id: NAMES[nth].to_owned(), verb: Verb::Delegate(Box::new(order)) }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        50 => act().prop_map(|act| Step::Acts(vec![act])),
        12 => vec(act(), 2..5).prop_map(Step::Acts),
        10 => length().prop_map(Step::Wait),
        6 => length().prop_map(Step::Serve),
        8 => Just(Step::Sweep),
        3 => Just(Step::Prune),
        3 => limit().prop_map(Step::Limit),
        2 => length().prop_map(Step::Freeze),
        2 => length().prop_map(Step::Down),
        2 => weighted(0.5, select(&[5, 10, 20][..])).prop_map(Step::Restart),
        1 => select(&[-20, -3, 3, 20][..]).prop_map(Step::ClockBy),
        1 => Just(Step::Listen),
        3 => select(&[Cut::Before, Cut::After][..]).prop_map(Step::Cut),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let worker = word(WORKERS);
    prop_oneof![
        4 => (0..NAMES.len(), order()).prop_map(|(nth, order)| as_cast(nth, order)),
        2 => (agent(), name(), order()).prop_map(|(who, id, order)| {
            Act { who, id, verb: Verb::Delegate(Box::new(order)) }
        }),
        40 => (worker, 0..NAMES.len(), verb()).prop_map(|(who, nth, verb)| {
            Act { who, id: NAMES[nth].to_owned(), verb: waiting_for_the_own_child(nth, verb) }
        }),
        6 => (word(WORKERS), claiming()).prop_map(|(who, claiming)| {
            Act { who, id: String::new(), verb: Verb::Claim(claiming) }
        }),
        // Under its own name, so that the script goes on with the new one.
        3 => (agent(), name(), retrial()).prop_map(|(who, id, retrial)| {
            let retrial = Retrial { new_name: Some(id.clone()), ..retrial };
            Act { who, id, verb: Verb::Retry(retrial) }
        }),
    ]
}

/// Nobody waits for another's child, except where the dice name the last one.
fn waiting_for_the_own_child(nth: usize, mut verb: Verb) -> Verb {
    let own = CAST.iter().position(|(.., parent)| *parent == Some(NAMES[nth]));
    if let Verb::Beat(Beat { waiting: Some(Wait::For { child: Some(child), .. }), .. }) = &mut verb
        && let (Some(own), true) = (own, child != "D5")
    {
        NAMES[own].clone_into(child);
    }
    verb
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        1 => Just(Verb::Dispatch),
        8 => weighted(0.5, word(&["C1", "C2"])).prop_map(Verb::Accept),
        14 => beat().prop_map(Verb::Beat),
        3 => answer().prop_map(Verb::Complete),
        2 => answer().prop_map(Verb::Fail),
        3 => answer().prop_map(Verb::Release),
        1 => text().prop_map(Verb::Cancel),
        3 => retrial().prop_map(Verb::Retry),
        3 => extension().prop_map(Verb::Extend),
        3 => setting().prop_map(Verb::Set),
    ]
}

prop_compose! {
    fn order()(
        to in agent(),
        key in weighted(0.3, word(&["K1", "K2"])),
        (under, unnamed) in (weighted(0.4, name()), weight(0.1)),
        attempts in weighted(0.4, 1..4_u32),
        (threshold_s, grace_s) in (rare_length(), rare_length()),
        (start_within_s, fail_unless_started) in (rare_length(), any::<bool>()),
        progress_within_s in rare_length(),
        deadline_s in deadline(),
        (dispatched, cancel_children) in (weight(0.2), weight(0.2)),
        (notify_stuck, notify_recovered) in (weight(0.3), weight(0.3)),
        (task, priority) in (weighted(0.9, Just("x".to_owned())), select(&[0, 0, 0, 5, -5][..])),
    ) -> Order {
        Order {
            to, key, under, attempts, threshold_s, grace_s, start_within_s, fail_unless_started,
            progress_within_s, deadline_s, priority, dispatched, cancel_children, notify_stuck,
            notify_recovered, task, unnamed,
        }
    }
}

prop_compose! {
    fn limit()(
        who in word(WORKERS),
        in_flight in weighted(0.5, 0..3_u32),
        queued in weighted(0.4, 0..4_u32),
    ) -> Limit {
        Limit { who, in_flight, queued }
    }
}

prop_compose! {
    fn claiming()(max in 1..4_usize, name in weighted(0.5, word(&["C1", "C2"]))) -> Claiming {
        Claiming { max, name }
    }
}

prop_compose! {
    fn beat()(
        progress in weighted(0.4, word(TEXTS)),
        waiting in weighted(0.25, wait()),
        (lease, override_reason) in whose(),
    ) -> Beat {
        Beat { progress, waiting, lease, override_reason }
    }
}

fn wait() -> impl Strategy<Value = Wait> {
    let kinds = prop_oneof![Just(WaitFor::Child), select(WaitFor::ALL)];
    let begins = (kinds, name(), weighted(0.6, length())).prop_map(|(what, child, for_s)| {
        let child = (what == WaitFor::Child).then_some(child);
        Wait::For { what, child, for_s }
    });
    prop_oneof![1 => Just(Wait::Over), 3 => begins]
}

prop_compose! {
    fn answer()(with in text(), (lease, override_reason) in whose()) -> Answer {
        Answer { with, lease, override_reason }
    }
}

prop_compose! {
    fn retrial()(
        new_name in weighted(0.8, name()),
        to in weighted(0.3, agent()),
        deadline_s in deadline(),
        if_attempt in weighted(0.3, 1..4_u32),
    ) -> Retrial {
        Retrial { new_name, to, deadline_s, if_attempt }
    }
}

prop_compose! {
    fn extension()(deadline_s in select(&[0, 5, 20, 60, 60, 300, 3600][..]), if_version in weighted(0.4, 1..8_u64)) -> Extension {
        Extension { deadline_s, if_version }
    }
}

prop_compose! {
    fn setting()(status in select(Status::ALL), with in text(), (lease, override_reason) in whose()) -> Setting {
        Setting { status, with, lease, override_reason }
    }
}

/// Mostly their own lease.
fn whose() -> impl Strategy<Value = (ShownLease, Option<String>)> {
    let lease = prop_oneof![
        20 => Just(ShownLease::Own),
        2 => Just(ShownLease::None),
        6 => word(WORKERS).prop_map(ShownLease::Of),
        1 => Just(ShownLease::Forged),
    ];
    (lease, weighted(0.08, word(&["so there"])))
}

fn deadline() -> impl Strategy<Value = Option<u32>> {
    let mostly_sound = prop_oneof![
        1 => select(&[0, 40_000_000][..]),
        20 => select(&[5, 20, 60, 60, 300, 300, 300][..]),
    ];
    weighted(0.3, mostly_sound)
}

fn agent() -> impl Strategy<Value = String> {
    word(AGENTS)
}

fn name() -> impl Strategy<Value = String> {
    word(NAMES)
}

fn text() -> impl Strategy<Value = Option<String>> {
    weighted(0.6, word(TEXTS))
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

fn length() -> impl Strategy<Value = u32> {
    select(LENGTHS)
}

fn rare_length() -> impl Strategy<Value = Option<u32>> {
    weighted(0.25, length())
}

fn weight(probability: f64) -> impl Strategy<Value = bool> {
    prop::bool::weighted(probability)
}
