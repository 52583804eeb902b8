//! What must hold whatever is thrown at the rules.

use std::collections::HashMap;

use consign_ledger::delegation::Delegation;
use consign_ledger::delegation::change::{Change, EventKind, Role};
use consign_ledger::delegation::examine::{Arm, Finding};
use consign_ledger::delegation::listening::{Gap, GapCause, Listening};
use consign_ledger::delegation::status::{Status, StuckReason};
use consign_ledger::delegation::terms::Terms;
use consign_ledger::delegation::waiting::{WaitFor, WaitRequest};
use consign_ledger::delegation::watch::Watch;
use consign_ledger::query::Event;
use consign_ledger::{AgentId, DelegationId, Time};
use consign_testkit::scenario::Script;
use consign_testkit::{Everything, Memory, Seen, World, conformance, model};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// The ledger's threshold, in seconds.
const THRESHOLD_S: u32 = 60;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_leaves_a_verdict_and_nothing_runs_backwards(script in model::scripts(40)) {
        conformance::run(async |mut world: World<Memory>| {
            let mut before = world.everything().await;
            for step in script.0 {
                world.step(&step).await;
                let after = world.everything().await;
                only_forward(&before, &after);
                before = after;
            }
            world.audit().await;
        });
    }

    #[test]
    fn what_is_refused_changes_nothing(Script(steps) in model::scripts(40)) {
        conformance::run(async |mut world: World<Memory>| {
            for step in steps {
                let before = world.everything().await;
                let Seen::Said(said) = world.step(&step).await else { continue };
                if said.iter().all(|said| said.refused.is_some() && !said.kept_as_late) {
                    assert_eq!(world.everything().await, before, "{step}");
                }
            }
        });
    }
}

fn only_forward(before: &Everything, after: &Everything) {
    let now: HashMap<&DelegationId, &Delegation> =
        after.delegations.iter().map(|(it, ..)| (&it.delegation_id, it)).collect();
    for (was, ..) in &before.delegations {
        let Some(is) = now.get(&was.delegation_id) else {
            assert!(!was.in_flight(), "{was:?} was pruned");
            continue;
        };
        assert!(was.in_flight() || is.status == was.status, "{was:?} became {is:?}");
        assert!(is.epoch >= was.epoch, "{was:?} became {is:?}");
        assert!(is.attempt >= was.attempt, "{was:?} became {is:?}");
        assert!(is.version >= was.version, "{was:?} became {is:?}");
        assert!(is.updated_at >= was.updated_at, "{was:?} became {is:?}");
        assert_eq!((&is.delegation_id, is.created_at), (&was.delegation_id, was.created_at));
    }
    let mut kept = facts(before);
    kept.retain(|event| now.contains_key(&event.delegation_id));
    assert!(facts(after).starts_with(&kept), "history only grows, but for what was pruned whole");
}

/// The events without who is the callee now: a retry may change that, and nothing else.
fn facts(everything: &Everything) -> Vec<Event> {
    let fact = |event: &Event| Event { callee_id: event.caller_id.clone(), ..event.clone() };
    everything.events.iter().map(fact).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_fact_is_counted_and_no_epoch_falls((mut it, facts) in (delegation(0), vec(fact(), 0..20))) {
        for (fact, now) in facts.iter().zip(1..) {
            let before = it.clone();
            it.apply(fact, Role::Callee, Time(now));
            prop_assert_eq!(it.version, before.version + 1);
            prop_assert_eq!(it.updated_at, Time(now));
            prop_assert_eq!(it.last_act, (fact.kind(), Role::Callee));
            prop_assert!(it.epoch >= before.epoch);
            prop_assert!(it.attempt >= before.attempt);
            prop_assert!(it.attempts_allowed() >= it.attempt);
            prop_assert_eq!(it.max_attempts, before.max_attempts);
            prop_assert_eq!(it.stuck_reason.is_some(), it.status == Status::Stuck);
            prop_assert_eq!(it.stuck_at.is_some(), it.status == Status::Stuck);
        }
    }

    /// What is planned too late would be found too late.
    #[test]
    fn no_look_is_planned_behind_the_moment_at_which_something_is_due(
        it in delegation(6), listening in listening(), now in moment(),
    ) {
        let finding = it.examine(&listening, now, THRESHOLD_S);
        if let Finding::Due(arm, _) | Finding::Held(arm, _) = finding
            && arm != Arm::Deadline
        {
            let check_at = it.check_at(THRESHOLD_S);
            prop_assert!(check_at.is_some_and(|at| at < now), "{check_at:?}, and now is {now:?}");
        }
    }

    #[test]
    fn what_is_due_is_done_once_and_what_comes_later_comes_later(
        it in delegation(6), listening in listening(), now in moment(),
    ) {
        let finding = it.examine(&listening, now, THRESHOLD_S);
        match &finding {
            Finding::Over => prop_assert!(!it.in_flight()),
            Finding::Due(arm, change) => {
                prop_assert_eq!(*arm == Arm::Deadline, now > it.deadline);
                let mut after = it.clone();
                after.apply(change, Role::Sweeper, now);
                prop_assert_ne!(after.examine(&listening, now, THRESHOLD_S), finding);
            }
            Finding::Held(_, until) => prop_assert!(*until > now),
            Finding::Later(Arm::Deadline, at) => prop_assert_eq!(*at, it.deadline),
            Finding::Later(_, at) => prop_assert!(*at >= now && *at <= it.deadline),
        }
    }

    /// A glance at the watch row spares nobody whom the whole rules would not.
    #[test]
    fn a_glance_shows_life_only_where_nothing_is_due(
        it in delegation(6), listening in listening(), now in moment(),
    ) {
        let glance = Watch::of(1, &it, THRESHOLD_S).glance(&listening, now, THRESHOLD_S);
        let finding = it.examine(&listening, now, THRESHOLD_S);
        if let Some(at) = glance {
            prop_assert!(at > now);
            prop_assert!(matches!(finding, Finding::Later(..)), "{finding:?}");
        }
    }

    #[test]
    fn gaps_never_add_to_silence(listening in listening(), one in moment(), other in moment()) {
        let (from, to) = (one.min(other), one.max(other));
        let without = Listening::new(listening.heard_until(), vec![]);
        let (with, without) = (listening.between_ms(from, to), without.between_ms(from, to));
        prop_assert!(0 <= with && with <= without && without <= to.since_ms(from));
    }
}

/// Moments within a few minutes, and some on the very edges of limits.
fn moment() -> impl Strategy<Value = Time> {
    (0..400_i64, select(&[0, 0, 1, 999][..])).prop_map(|(s, ms)| Time(s * 1000 + ms))
}

fn seconds() -> impl Strategy<Value = u32> {
    select(&[1, 5, 30, 60, 100][..])
}

fn listening() -> impl Strategy<Value = Listening> {
    let cause = select(GapCause::ALL);
    let gap = (moment(), moment(), cause).prop_map(|(one, other, cause)| Gap {
        from: one.min(other),
        to: one.max(other),
        cause,
    });
    (weighted(0.9, moment()), vec(gap, 0..4)).prop_map(|(heard_until, mut gaps)| {
        gaps.sort_by_key(|gap| gap.from);
        Listening::new(heard_until, gaps)
    })
}

prop_compose! {
    fn terms()(
        stuck_threshold_s in weighted(0.4, seconds()),
        stuck_grace_s in weighted(0.4, seconds()),
        start_within_s in weighted(0.4, seconds()),
        progress_within_s in weighted(0.4, seconds()),
    ) -> Terms {
        Terms { stuck_threshold_s, stuck_grace_s, start_within_s, progress_within_s, ..Terms::default() }
    }
}

/// A delegation to which up to so many facts have happened, in the order of their time.
fn delegation(facts: usize) -> impl Strategy<Value = Delegation> {
    let facts = vec((fact(), 0..60_000_i64), 0..=facts);
    (terms(), 1..4_u32, 100..400_i64, facts).prop_map(|(terms, max_attempts, deadline_s, facts)| {
        let mut it = queued(terms, max_attempts, Time(deadline_s * 1000));
        let mut now = 0;
        for (fact, later_ms) in facts {
            now += later_ms;
            it.apply(&fact, Role::Callee, Time(now));
        }
        it
    })
}

/// Facts that leave a delegation in flight.
fn fact() -> impl Strategy<Value = Change> {
    let callee_id = AgentId::new("bob").unwrap();
    let stuck = select(StuckReason::ALL);
    let wait = |at: Time, for_s| {
        let request = WaitRequest { wait_for: WaitFor::Other, note: None, child_id: None, for_s };
        request.begin(at, Time(400_000))
    };
    prop_oneof![
        Just(Change::Claimed(None)),
        Just(Change::Accepted(None)),
        Just(Change::Started),
        (moment(), weighted(0.7, seconds())).prop_map(move |(at, s)| Change::Waiting(wait(at, s))),
        moment().prop_map(Change::Resumed),
        stuck.prop_map(|reason| Change::Stuck { reason, detail: None }),
        Just(Change::Recovered),
        moment().prop_map(move |deadline| Change::Requeued {
            callee_id: callee_id.clone(),
            deadline: deadline + 60_000,
            why: None,
        }),
        Just(Change::Released(None)),
        moment().prop_map(|deadline| Change::Extended(deadline + 60_000)),
    ]
}

fn queued(terms: Terms, max_attempts: u32, deadline: Time) -> Delegation {
    Delegation {
        delegation_id: DelegationId::new("D").unwrap(),
        caller_id: AgentId::new("alice").unwrap(),
        callee_id: AgentId::new("bob").unwrap(),
        status: Status::Queued,
        attempt: 1,
        max_attempts,
        epoch: 0,
        held: false,
        dispatched: false,
        claim_id: None,
        error_detail: None,
        failure: None,
        stuck_reason: None,
        stuck_at: None,
        waiting: None,
        queued_at: Time(0),
        clocks_from: None,
        last_heartbeat: None,
        progress_at: None,
        deadline,
        terms,
        idempotency_key: None,
        parent_id: None,
        retry_of: None,
        depth: 1,
        fingerprint: [0; 16],
        answer_hash: None,
        late_count: 0,
        version: 0,
        created_at: Time(0),
        updated_at: Time(0),
        finished_at: None,
        last_act: (EventKind::Created, Role::Caller),
    }
}
