//! Programs that the checks need beside the toolchain, each at one version, kept under `target/tools`.

use std::path::PathBuf;

use crate::failed::Failed;
use crate::shell::{Program, cargo, program, root};

/// A program from the registry.
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, bans and sources of what we depend on.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
/// Dependencies that nobody uses.
pub(crate) const MACHETE: Tool = Tool { name: "cargo-machete", version: "0.9.2" };

impl Tool {
    /// The program, installed first where this version is not there yet.
    pub(crate) fn ready(&self) -> Result<Program, Failed> {
        let here = root().join("target/tools");
        let candidates = [here.join("bin").join(self.name), PathBuf::from(self.name)];
        if let Some(found) = candidates.iter().find(|path| self.is_this_version(path)) {
            return Ok(program(found));
        }
        let wanted = format!("{}@{}", self.name, self.version);
        // Built unoptimised, in half the time: each runs for a second or two.
        cargo(["install", "--debug", "--locked", "--quiet", &wanted, "--root"])
            .args([&here])
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .run()?;
        Ok(program(&candidates[0]))
    }

    fn is_this_version(&self, path: &PathBuf) -> bool {
        let said = program(path).args(["--version"]).output();
        said.is_ok_and(|said| said.split_whitespace().any(|word| word == self.version))
    }
}
