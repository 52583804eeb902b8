//! What the tests need beside the toolchain: found, or installed where that can be done.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failed::Failed;
use crate::shell::{Program, program};

/// Where Debian and its kin keep PostgreSQL's programs, one folder per version; they are not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";
/// From this version on Node runs TypeScript as it is; before, esbuild takes the types out.
const NODE_TAKES_TYPES: (u32, u32) = (22, 18);

/// A program that some tests run.
struct Need {
    is_there: fn() -> bool,
    /// Its packages, under the same names wherever there is `apt-get`.
    packages: &'static [&'static str],
    /// What the tests need, for who must install it.
    what: &'static str,
}

const NEEDS: [Need; 5] = [
    Need {
        is_there: has_postgres,
        packages: &["postgresql"],
        what: "PostgreSQL 14 or newer (postgres and initdb, on the PATH or in /usr/lib/postgresql/*/bin)",
    },
    Need { is_there: || on_path("curl"), packages: &["curl"], what: "curl 7.82 or newer (curl)" },
    Need { is_there: || on_path("python3"), packages: &["python3"], what: "Python 3 (python3)" },
    Need { is_there: || on_path("node"), packages: &["nodejs"], what: "Node 18 or newer (node)" },
    Need {
        is_there: || on_path("esbuild") || node_takes_types(),
        packages: &["esbuild"],
        what: "Node 22.18 or newer, or esbuild beside an older one",
    },
];

/// Sees to it that everything is there.
pub(crate) fn ready() -> Result<(), Failed> {
    let missing = || NEEDS.iter().filter(|need| !(need.is_there)());
    let packages: Vec<&str> = missing().flat_map(|need| need.packages).copied().collect();
    if packages.is_empty() {
        return Ok(());
    }
    let install = [&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat();
    // Where it cannot be done, what is still missing says so.
    let installed = apt_get(&["update", "-qq"]).run().and_then(|()| apt_get(&install).run());
    match missing().next() {
        None => Ok(()),
        Some(need) => Err(need.told(installed.err())),
    }
}

impl Need {
    fn told(&self, why: Option<Failed>) -> Failed {
        let Self { what, packages, .. } = self;
        let why = why.map_or(String::new(), |why| format!(" ({why})"));
        Failed::new(format!(
            "the tests need {what}, and it could not be installed{why}; install it, as with: apt-get install {}",
            packages.join(" ")
        ))
    }
}

fn has_postgres() -> bool {
    let debian = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    folders().into_iter().chain(debian).any(|folder| has_both(&folder))
}

fn has_both(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}

fn on_path(name: &str) -> bool {
    folders().iter().any(|folder| folder.join(name).is_file())
}

fn folders() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

fn node_takes_types() -> bool {
    let version = program("node").args(["--version"]).output().ok();
    version.and_then(|version| numbers(&version)).is_some_and(|it| it >= NODE_TAKES_TYPES)
}

/// The first two numbers of `v22.18.0`.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().strip_prefix('v')?.split('.').map(|it| it.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn apt_get(args: &[&str]) -> Program {
    let is_root = program("id").args(["-u"]).output().is_ok_and(|id| id.trim() == "0");
    let quietly = ["DEBIAN_FRONTEND=noninteractive", "apt-get"];
    let command = if is_root { program("env") } else { program("sudo").args(["-n", "env"]) };
    command.args(quietly).args(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        for (version, takes_types) in
            [("v18.19.0\n", false), ("v22.9.0", false), ("v22.18.0", true), ("v100.0.0", true)]
        {
            assert_eq!(numbers(version).unwrap() >= NODE_TAKES_TYPES, takes_types, "{version}");
        }
        assert_eq!(numbers("node"), None);
    }
}
