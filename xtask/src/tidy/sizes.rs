//! Sizes: a file under 500 lines, a function under 70, tests not counted. Both are far above what is usual here.

use super::source::Source;
use super::{Finding, Rule};

const FILE_LINES_MAX: usize = 500;
const FN_LINES_MAX: usize = 70;

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    if source.is_test() {
        return vec![];
    }
    let mut findings = vec![];
    let lines = source.text.lines().count() - source.test_lines.len();
    if lines > FILE_LINES_MAX {
        let why = format!("{lines} lines, and {FILE_LINES_MAX} are the most");
        findings.push(Finding {
            rule: Rule::FileSize,
            place: source.path.clone(),
            line: None,
            why,
        });
    }
    for function in &source.functions {
        let lines = function.lines.clone().count();
        if lines > FN_LINES_MAX {
            let place = format!("{}::{}", source.path, function.name);
            let why = format!("{lines} lines, and {FN_LINES_MAX} are the most");
            let line = Some(*function.lines.start());
            findings.push(Finding { rule: Rule::FnSize, place, line, why });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<(Rule, String)> {
        let source = Source::parse(path, text).expect("it parses");
        check(&source).into_iter().map(|finding| (finding.rule, finding.place)).collect()
    }

    fn function(name: &str, lines: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    let _ = \"}\";\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_may_have_seventy_lines() {
        assert_eq!(rules("a.rs", &function("f", 70)), []);
        assert_eq!(rules("a.rs", &function("f", 71)), [(Rule::FnSize, "a.rs::f".to_owned())]);
    }

    #[test]
    fn methods_and_inner_functions_count_too() {
        let method = format!("impl A {{\n{}}}\n", function("m", 71));
        assert_eq!(rules("a.rs", &method), [(Rule::FnSize, "a.rs::m".to_owned())]);
        let provided = format!("trait A {{\n{}}}\n", function("m", 71));
        assert_eq!(rules("a.rs", &provided), [(Rule::FnSize, "a.rs::m".to_owned())]);
    }

    #[test]
    fn a_file_may_have_five_hundred_lines() {
        assert_eq!(rules("a.rs", &"const _: () = ();\n".repeat(500)), []);
        let long = "const _: () = ();\n".repeat(501);
        assert_eq!(rules("a.rs", &long), [(Rule::FileSize, "a.rs".to_owned())]);
    }

    #[test]
    fn tests_are_not_counted() {
        let long = function("f", 600);
        assert_eq!(rules("a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")), []);
        assert_eq!(rules("a.rs", &format!("#[tokio::test]\nasync {long}")), []);
        assert_eq!(rules("crates/a/tests/b.rs", &long), []);
        assert_eq!(rules("crates/a/src/tests.rs", &long), []);
        let not_a_test = format!("#[cfg(feature = \"test\")]\nmod tests {{\n{long}}}\n");
        assert_eq!(rules("a.rs", &not_a_test).len(), 2);
    }
}
