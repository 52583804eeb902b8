//! Delegating and completing, one each, beside a handler that does nothing with the same requests.

use super::Ledger;
use crate::Outcome;
use crate::args::Plan;
use crate::child::{Server, put};
use crate::disk::fdatasyncs_per_s;
use crate::line::{Goal, Line, Rounds, Unit};
use crate::load::{Load, Rate};

const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// For how many connections how much is wished, in pairs for each request that a handler could answer that does nothing.
const WISHED: (usize, Goal) = (64, Goal::TimesAsGood(0.15));
/// Requests that make a pair.
const REQUESTS: f64 = 2.0;

pub(super) fn measure(plan: &Plan, ledger: &Ledger) -> Outcome<Vec<Line>> {
    let nothing = [Server::rival(["nothing"])?];
    let variants = || {
        let servers = ledger.servers.iter();
        servers.flat_map(|servers| CONNECTIONS.map(|connections| (*servers, connections)))
    };
    let mut rounds: Vec<Rounds> = variants().map(|_| Rounds::default()).collect();
    for _ in 0..plan.rounds {
        for ((servers, connections), rounds) in variants().zip(&mut rounds) {
            let disk = fdatasyncs_per_s(&plan.dir)?;
            let load = || Load::Pairs { connections, seconds: plan.seconds };
            let ours: Rate = put(load(), &ledger.start(servers)?)?;
            let theirs: Rate = put(load(), &nothing)?;
            rounds.push(ours.things_per_s, theirs.things_per_s * REQUESTS, disk);
        }
    }
    let line = |((servers, connections), rounds): ((usize, usize), &Rounds)| {
        let what = format!("pairs of delegate and complete, connections: {connections}");
        let goal = (connections == WISHED.0).then_some(WISHED.1);
        let what = ledger.name(&what, servers);
        rounds.line_beside(&what, Unit::PerSecond, "requests to a handler that does nothing", goal)
    };
    Ok(variants().zip(&rounds).map(line).collect())
}
