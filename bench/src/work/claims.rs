//! Fifty who claim at once, from one queue and from several, one delegation at a time and ten.

use super::Ledger;
use crate::Outcome;
use crate::args::Plan;
use crate::child::put;
use crate::disk::fdatasyncs_per_s;
use crate::line::{Line, Rounds, Unit};
use crate::load::{Claims, Load, Rate};

const CLAIMERS: usize = 50;
/// The queues, and how much one claim takes from one.
const VARIANTS: [(usize, usize); 4] = [(10, 1), (1, 1), (10, 10), (1, 10)];
/// Claims of each claimer for each second that a load is wished to last: fewer where there is more to hand out.
const EACH_PER_S: usize = 100;
const EACH_PER_S_OF_TEN: usize = 20;

pub(super) fn measure(plan: &Plan, ledger: &Ledger) -> Outcome<Vec<Line>> {
    let variants = || {
        let servers = ledger.servers.iter();
        servers.flat_map(|servers| VARIANTS.map(|(callees, max)| (*servers, callees, max)))
    };
    let mut rounds: Vec<Rounds> = variants().map(|_| Rounds::default()).collect();
    for _ in 0..plan.rounds {
        for ((servers, callees, max), rounds) in variants().zip(&mut rounds) {
            rounds.disk.push(fdatasyncs_per_s(&plan.dir)?);
            let per_s = if max == 1 { EACH_PER_S } else { EACH_PER_S_OF_TEN };
            let each = per_s * usize::try_from(plan.seconds)?;
            let load = Load::Claims(Claims { claimers: CLAIMERS, callees, max, each });
            let rate: Rate = put(load, &ledger.start(servers)?)?;
            rounds.ours.push(rate.things_per_s);
        }
    }
    let line = |((servers, callees, max), rounds): ((usize, usize, usize), &Rounds)| {
        let what = format!("claims of {max}, claimers: {CLAIMERS}, callees: {callees}");
        rounds.line(&ledger.name(&what, servers), Unit::PerSecond, None)
    };
    Ok(variants().zip(&rounds).map(line).collect())
}
