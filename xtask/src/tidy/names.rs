//! Modules named after nothing: what lies in them has no reason to be there.

use super::source::Source;
use super::{Finding, Rule};

const NAMELESS: [&str; 9] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc", "shared"];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let declared = source.modules.iter().map(|(name, line)| (name.as_str(), Some(*line)));
    let by_path =
        source.path.split('/').map(|part| (part.strip_suffix(".rs").unwrap_or(part), None));
    declared
        .chain(by_path)
        .filter(|(name, _)| NAMELESS.contains(name))
        .map(|(name, line)| Finding {
            rule: Rule::Name,
            place: source.path.clone(),
            line,
            why: format!("{name:?} says nothing: name it after the idea"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Source::parse(path, text).expect("it parses")).len()
    }

    #[test]
    fn files_folders_and_modules_need_a_name() {
        assert_eq!(count("crates/a/src/utils.rs", ""), 1);
        assert_eq!(count("crates/a/tests/common/mod.rs", ""), 1);
        assert_eq!(count("crates/a/src/lib.rs", "mod helpers {}"), 1);
        assert_eq!(count("crates/a/src/lib.rs", "mod beats; mod uncommon;"), 0);
    }
}
