//! The rules once more, written from their description alone, for a ledger to be compared with.
//!
//! Plain rows in a list, no batches, no stores, nothing shared with the ledger but its words. What both
//! disagree about is a mistake of one of them.

mod answer;
mod compare;
mod deeds;
mod generate;
mod listening;
mod order;
mod pass;
mod prune;
mod row;

use std::collections::{BTreeMap, HashMap};

use crate::scenario::{Act, Limit, ShownLease, Step, Verb, Wait};

use answer::Told;
use listening::Ears;
use row::Row;

pub use compare::agree;
pub use generate::scripts;

/// A wall clock that is farther behind is not waited for, in milliseconds.
const CLOCK_BEHIND_MS_MAX: i64 = 2000;

/// What a ledger should be like.
struct Model {
    wall_ms: i64,
    boot_ms: i64,
    /// The ledger's time, which never falls while its process lives.
    now: i64,
    /// When the wall clock was believed last: the ledger's time, and for how long the machine had run.
    believed: Option<(i64, i64)>,
    /// The last moment that was written down beside the mark.
    written: i64,
    threshold_s: u32,
    ears: Ears,
    rows: Vec<Row>,
    names: HashMap<String, usize>,
    /// Who got which row under which epoch at last.
    leases: HashMap<(String, usize), u32>,
    keys: HashMap<(String, String), usize>,
    limits: HashMap<String, Limit>,
    messages: BTreeMap<String, usize>,
    /// Whose children are to be cancelled, up to which row.
    cascades: BTreeMap<usize, usize>,
    looked_for_lowered_threshold: bool,
}

/// An act whose names were looked up before its batch began.
struct Meant<'a> {
    act: &'a Act,
    /// The id that it is about.
    id: String,
    shown: Shown,
    /// The parent of what is delegated, or the child that is waited for.
    other_id: Option<String>,
}

/// What somebody shows to prove that they hold the work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Epoch(u32),
    /// Of an earlier delegation that had the same id.
    Outlived,
    Forgery,
}

impl Model {
    fn new(wall_ms: i64, threshold_s: u32) -> Self {
        Self {
            wall_ms,
            boot_ms: 0,
            now: wall_ms,
            believed: None,
            written: 0,
            threshold_s,
            ears: Ears::new(wall_ms),
            rows: vec![],
            names: HashMap::new(),
            leases: HashMap::new(),
            keys: HashMap::new(),
            limits: HashMap::new(),
            messages: BTreeMap::new(),
            cascades: BTreeMap::new(),
            looked_for_lowered_threshold: false,
        }
    }

    /// Lets one thing happen; what each act should be answered.
    fn step(&mut self, step: &Step) -> Vec<Told> {
        match step {
            Step::Acts(acts) => return self.acts(acts),
            Step::Wait(seconds) => (0..*seconds).for_each(|_| self.second()),
            Step::Serve(seconds) => {
                for _ in 0..*seconds {
                    self.second();
                    self.pass();
                }
            }
            Step::Freeze(seconds) => self.let_pass(i64::from(*seconds) * 1000),
            Step::Down(seconds) => {
                self.let_pass(i64::from(*seconds) * 1000);
                self.restart();
            }
            Step::Restart(threshold_s) => {
                self.threshold_s = threshold_s.unwrap_or(self.threshold_s);
                self.restart();
            }
            Step::ClockBy(seconds) => self.wall_ms += seconds * 1000,
            Step::Cut(_) => {}
            Step::Listen => self.listen(),
            Step::Sweep => self.pass(),
            Step::Prune => self.prune(),
            Step::Limit(limit) => {
                self.look_at_the_clock();
                self.limits.insert(limit.who.clone(), limit.clone());
            }
        }
        vec![]
    }

    fn let_pass(&mut self, ms: i64) {
        self.wall_ms += ms;
        self.boot_ms += ms;
    }

    fn second(&mut self) {
        self.let_pass(1000);
        self.listen();
    }

    fn look_at_the_clock(&mut self) {
        if self.now - self.wall_ms <= CLOCK_BEHIND_MS_MAX {
            self.now = self.now.max(self.wall_ms);
            self.believed = Some((self.now, self.boot_ms));
            return;
        }
        let (then, boot_then_ms) = *self.believed.get_or_insert((self.now, self.boot_ms));
        let passed_ms = self.boot_ms - boot_then_ms;
        self.now = then + passed_ms - passed_ms / 10;
    }

    fn listen(&mut self) {
        self.look_at_the_clock();
        self.ears.listen(self.now);
    }

    /// A new process knows only the time that was written down.
    fn restart(&mut self) {
        (self.now, self.believed) = (self.ears.heard_until.max(self.written), None);
        self.looked_for_lowered_threshold = false;
    }

    fn acts(&mut self, acts: &[Act]) -> Vec<Told> {
        self.look_at_the_clock();
        let meant: Vec<Meant> = acts.iter().map(|act| self.meant(act)).collect();
        if let [Meant { act: Act { verb: Verb::Beat(beat), .. }, shown, .. }] = &meant[..] {
            let is_plain = beat.waiting.is_none() && beat.override_reason.is_none();
            let told = if is_plain && *shown != Shown::Forgery {
                self.plain_beat(&meant[0])
            } else {
                self.deed(&meant[0]).0
            };
            return vec![told.to_a_lone_beat()];
        }
        let mut told = vec![];
        let mut results = vec![];
        for meant in &meant {
            let (answer, row) = self.deed(meant);
            told.push(answer);
            results.push(row);
        }
        for (meant, (told, row)) in meant.iter().zip(told.iter().zip(results)) {
            self.remember(meant, told, row);
        }
        told
    }

    /// What says nothing that needs thought is heard at once: it moves the mark, and where it is no event,
    /// it does not change when the delegation is looked at.
    fn plain_beat(&mut self, meant: &Meant<'_>) -> Told {
        self.ears.hear(self.now);
        let before = self.find(&meant.id).map(|row| (row, self.rows[row].clone()));
        let told = self.deed(meant).0;
        if let Some((row, before)) = before
            && before.history == self.rows[row].history
        {
            self.rows[row].look_at = before.look_at;
        }
        told
    }

    fn meant<'a>(&self, act: &'a Act) -> Meant<'a> {
        let id = self.id_of(&act.id);
        let lease_of = |who: &str| {
            // Whoever has a lease does not see that its delegation went and another has its id.
            let rows = (0..self.rows.len()).rev().filter(|row| self.rows[*row].id == id);
            let mut leases =
                rows.filter_map(|row| Some((row, *self.leases.get(&(who.to_owned(), row))?)));
            match leases.next() {
                None => Shown::Nothing,
                Some((row, epoch)) if !self.rows[row].gone() => Shown::Epoch(epoch),
                Some(_) => Shown::Outlived,
            }
        };
        let lease = match &act.verb {
            Verb::Beat(beat) => &beat.lease,
            Verb::Complete(answer) | Verb::Fail(answer) | Verb::Release(answer) => &answer.lease,
            Verb::Set(setting) => &setting.lease,
            _ => &ShownLease::None,
        };
        let shown = match lease {
            ShownLease::Own => lease_of(&act.who),
            ShownLease::None => Shown::Nothing,
            ShownLease::Of(who) => lease_of(who),
            ShownLease::Forged => Shown::Forgery,
        };
        let other = match &act.verb {
            Verb::Delegate(order) => order.under.as_ref(),
            Verb::Beat(beat) => match &beat.waiting {
                Some(Wait::For { child, .. }) => child.as_ref(),
                _ => None,
            },
            _ => None,
        };
        let other_id = other.map(|name| self.id_of(name));
        Meant { act, id, shown, other_id }
    }

    /// Keeps what later lines refer to, where the act was accepted.
    fn remember(&mut self, meant: &Meant<'_>, told: &Told, row: Option<usize>) {
        for (row, epoch) in told.taken() {
            self.leases.insert((meant.act.who.clone(), *row), *epoch);
        }
        let (Some(row), false) = (row, told.is_refusal()) else { return };
        let name = match &meant.act.verb {
            Verb::Delegate(_) => Some(&meant.act.id),
            Verb::Retry(retrial) => retrial.new_name.as_ref(),
            Verb::Accept(_) => {
                if let Some(epoch) = told.lease() {
                    self.leases.insert((meant.act.who.clone(), row), epoch);
                }
                None
            }
            _ => None,
        };
        if let Some(name) = name {
            self.names.insert(name.clone(), row);
        }
    }

    fn id_of(&self, name: &str) -> String {
        self.names.get(name).map_or_else(|| name.to_owned(), |row| self.rows[*row].id.clone())
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id && !row.gone())
    }
}
