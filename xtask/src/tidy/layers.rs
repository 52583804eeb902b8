//! Which crate may know which: the picture of the architecture, held against the manifests.
//!
//! Dev-dependencies are free: a test may know everybody.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Finding, Rule};
use crate::failed::Failed;
use crate::shell::cargo;

/// A crate of ours, and those of ours that it may depend on.
type Layer = (&'static str, &'static [&'static str]);

const LEDGER: &str = "consign-ledger";
const ENGINE: &str = "consign-engine";
const STORES: [&str; 2] = ["consign-store-sqlite", "consign-store-postgres"];

/// Every crate of the workspace stands here. No door knows another, no store a door, the sweeper no delivery.
const LAYERS: [Layer; 14] = [
    (LEDGER, &[]),
    (STORES[0], &[LEDGER]),
    (STORES[1], &[LEDGER]),
    ("consign-sweeper", &[LEDGER]),
    ("consign-delivery", &[LEDGER]),
    ("consign-api-http", &[LEDGER, "consign-sweeper", "consign-delivery"]),
    (ENGINE, &[LEDGER, STORES[0], STORES[1], "consign-sweeper", "consign-delivery"]),
    ("consign", &[LEDGER, "consign-sweeper", "consign-delivery", ENGINE]),
    ("consign-server", &[ENGINE, "consign-api-http"]),
    ("consign-client", &[]),
    ("consign-cli", &["consign-server", "consign-client", STORES[0], STORES[1]]),
    ("consign-testkit", &[LEDGER, STORES[0], "consign-sweeper", "consign-delivery"]),
    ("consign-bench", &[LEDGER, STORES[0], STORES[1], "consign-sweeper", "consign-testkit"]),
    ("xtask", &[]),
];

/// What the ledger must not reach by any path: SQL and HTTP.
const NEVER_IN_LEDGER: [&str; 10] = [
    "rusqlite",
    "libsqlite3-sys",
    "sqlx",
    "tokio-postgres",
    "http",
    "hyper",
    "axum",
    "tower-http",
    "reqwest",
    "tonic",
];

/// What the ledger may ask of tokio: channels and tasks. Its clock and its runtime belong to who runs the ledger.
const LEDGER_MAY_USE_OF_TOKIO: [&str; 3] = ["macros", "rt", "sync"];

pub(crate) fn check() -> Result<Vec<Finding>, Failed> {
    let metadata = cargo(["metadata", "--format-version", "1", "--locked"]).output()?;
    let metadata: Metadata = serde_json::from_str(&metadata)
        .map_err(|why| Failed::new(format!("`cargo metadata` said something new: {why}")))?;
    Ok(metadata.judge())
}

/// The part of `cargo metadata` that matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `null`, `"dev"` or `"build"`.
    kind: Option<String>,
    optional: bool,
    features: Vec<String>,
}

impl Metadata {
    fn judge(&self) -> Vec<Finding> {
        let ours = || self.packages.iter().filter(|p| self.workspace_members.contains(&p.id));
        let names: BTreeSet<&str> = ours().map(|package| package.name.as_str()).collect();
        let mut findings: Vec<Finding> =
            ours().flat_map(|package| package.upward(&names)).collect();
        findings.extend(self.ledger_reaches());
        findings.extend(self.ledger_uses_of_tokio());
        findings
    }

    fn ledger_reaches(&self) -> Vec<Finding> {
        let by_name: BTreeMap<&str, &Package> =
            self.packages.iter().map(|package| (package.name.as_str(), package)).collect();
        let mut reached = BTreeSet::from([LEDGER]);
        let mut to_visit = vec![LEDGER];
        while let Some(package) = to_visit.pop().and_then(|name| by_name.get(name)) {
            let names = package.needed().map(|dependency| dependency.name.as_str());
            to_visit
                .extend(names.filter(|name| by_name.contains_key(name) && reached.insert(name)));
        }
        let why =
            |name: &&str| finding(LEDGER, format!("it reaches {name}: no SQL and no HTTP here"));
        NEVER_IN_LEDGER.iter().filter(|name| reached.contains(**name)).map(why).collect()
    }

    fn ledger_uses_of_tokio(&self) -> Vec<Finding> {
        let ledger = self.packages.iter().filter(|package| package.name == LEDGER);
        let of_tokio = ledger.flat_map(Package::needed).filter(|needed| needed.name == "tokio");
        of_tokio
            .flat_map(|tokio| &tokio.features)
            .filter(|feature| !LEDGER_MAY_USE_OF_TOKIO.contains(&feature.as_str()))
            .map(|feature| finding(LEDGER, format!("tokio's {feature:?} is not for the ledger")))
            .collect()
    }
}

impl Package {
    /// What a build of it takes in: dev-dependencies and what is switched off aside.
    fn needed(&self) -> impl Iterator<Item = &Dependency> {
        let dev = |dependency: &Dependency| dependency.kind.as_deref() == Some("dev");
        self.dependencies.iter().filter(move |dependency| !dev(dependency) && !dependency.optional)
    }

    /// Where it depends on one of ours that it must not know.
    fn upward(&self, ours: &BTreeSet<&str>) -> Vec<Finding> {
        let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == self.name) else {
            let why = "a new crate: say in xtask/src/tidy/layers.rs which of ours it may know";
            return vec![finding(&self.name, why.to_owned())];
        };
        self.needed()
            .map(|dependency| dependency.name.as_str())
            .filter(|name| ours.contains(name) && !may.contains(name))
            .map(|name| finding(&self.name, format!("it must not know {name}")))
            .collect()
    }
}

fn finding(place: &str, why: String) -> Finding {
    Finding { rule: Rule::Layer, place: place.to_owned(), line: None, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Option<&str>, &[&str])]) -> Package {
        let dependency = |(name, kind, features): &(&str, Option<&str>, &[&str])| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            optional: false,
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
        };
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn whys(packages: Vec<Package>) -> Vec<String> {
        let ours = |name: &&String| name.starts_with("consign") || *name == "xtask";
        let workspace_members = packages.iter().map(|p| &p.name).filter(ours).cloned().collect();
        Metadata { packages, workspace_members }.judge().iter().map(Finding::to_string).collect()
    }

    #[test]
    fn the_sweeper_does_not_know_delivery_outside_its_tests() {
        let sweeper = |kind| {
            let known = package("consign-delivery", &[]);
            whys(vec![package("consign-sweeper", &[("consign-delivery", kind, &[])]), known])
        };
        assert_eq!(sweeper(None), ["consign-sweeper: Layer: it must not know consign-delivery"]);
        assert!(sweeper(Some("dev")).is_empty());
    }

    #[test]
    fn the_ledger_reaches_no_database_by_any_path() {
        let found = whys(vec![
            package(LEDGER, &[("innocent", None, &[])]),
            package("innocent", &[("rusqlite", None, &[])]),
            package("rusqlite", &[]),
        ]);
        assert_eq!(found, ["consign-ledger: Layer: it reaches rusqlite: no SQL and no HTTP here"]);
    }

    #[test]
    fn the_ledger_asks_tokio_for_channels_and_tasks_alone() {
        let ledger = package(LEDGER, &[("tokio", None, &["sync", "time"])]);
        assert_eq!(
            whys(vec![ledger]),
            ["consign-ledger: Layer: tokio's \"time\" is not for the ledger"]
        );
    }

    #[test]
    fn a_new_crate_must_be_placed() {
        assert!(whys(vec![package("consign-api-new", &[])])[0].contains("a new crate"));
    }
}
