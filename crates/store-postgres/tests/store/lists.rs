//! Lists go by the time of creation, also where the numbers of two writers say otherwise.

use consign_ledger::query::Filter;
use consign_ledger::{AgentId, Reader as _, Time};
use consign_testkit::{HandClock, World, conformance};

use super::backend::Postgres;
use super::replica::{Replica, command};

/// By how much the second server's clock stays behind, in milliseconds: more than any transaction lasts.
const BEHIND_MS: i64 = 3_600_000;

async fn pages(world: &World<Postgres>, filter: Filter) -> String {
    let (mut ids, mut before) = (vec![], None);
    loop {
        let page =
            world.reader().list(Filter { before, limit: 1, ..filter.clone() }).await.unwrap();
        ids.extend(page.items.iter().map(|it| it.delegation.delegation_id.to_string()));
        before = page.next;
        if before.is_none() {
            return ids.join(" ");
        }
    }
}

#[test]
fn a_time_filter_is_exact_however_far_numbers_and_times_differ_in_order() {
    conformance::run(async |mut world: World<Postgres>| {
        let url = world.backend().database.url();
        let behind = Replica::start(&url, &HandClock::default(), 7).await;
        world.clock().step_wall_ms(BEHIND_MS);
        world.play("alice delegates L1 to bob").await;
        world.play("alice delegates L2 to bob").await;
        for id in ["E3", "E4"] {
            let line = format!("alice delegates {id} to bob");
            behind.ledger.act(command(&world, &line)).await.unwrap();
        }
        world.wait(1).await;
        world.play("alice delegates L5 to bob").await;
        let now = world.now().await;
        let (early, late) = (now - 1000 - BEHIND_MS, now - 1000);
        let filter = |from: Option<Time>, to| Filter {
            created_after: from,
            created_before: to,
            ..Filter::default()
        };
        for (from, to, expected) in [
            (None, None, "L5 L2 L1 E4 E3"),
            (Some(late), None, "L5 L2 L1"),
            (Some(late), Some(now), "L2 L1"),
            (None, Some(late), "E4 E3"),
            (Some(early), Some(late), "E4 E3"),
            (Some(early + 1), Some(late), ""),
            (Some(early), Some(early), ""),
        ] {
            let all = filter(from, to);
            assert_eq!(pages(&world, all.clone()).await, expected, "{all:?}");
            let of_one = Filter { caller: Some(AgentId::new("alice").unwrap()), ..all };
            assert_eq!(pages(&world, of_one.clone()).await, expected, "{of_one:?}");
        }
    });
}
