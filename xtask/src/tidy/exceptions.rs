//! What may stay untidy, and why. This list may only shrink.

use super::{Finding, Rule};

/// A place that may break a rule.
pub(crate) struct Exception {
    /// Which rule.
    pub(crate) rule: Rule,
    /// Where, as `tidy` prints it, without the line.
    pub(crate) place: &'static str,
    /// Why it is better so.
    pub(crate) reason: &'static str,
}

pub(crate) const EXCEPTIONS: &[Exception] = &[];

/// The findings that no exception covers, and the exceptions that cover nothing.
pub(crate) fn without(findings: Vec<Finding>, exceptions: &[Exception]) -> Vec<Finding> {
    let unused: Vec<Finding> = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| exception.covers(finding)))
        .map(Exception::unused)
        .collect();
    let covered = |finding: &Finding| exceptions.iter().any(|exception| exception.covers(finding));
    findings.into_iter().filter(|finding| !covered(finding)).chain(unused).collect()
}

impl Exception {
    fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.place == finding.place && !self.reason.is_empty()
    }

    fn unused(&self) -> Finding {
        let why = format!("the exception {:?} has no use any more: take it out", self.rule);
        Finding { rule: Rule::Unused, place: self.place.to_owned(), line: None, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: Rule, place: &str) -> Finding {
        Finding { rule, place: place.to_owned(), line: Some(1), why: String::new() }
    }

    #[test]
    fn an_exception_covers_its_rule_at_its_place_alone() {
        let long = Exception { rule: Rule::FnSize, place: "a.rs::f", reason: "one table" };
        let left = without(
            vec![
                finding(Rule::FnSize, "a.rs::f"),
                finding(Rule::FnSize, "a.rs::g"),
                finding(Rule::Word, "a.rs::f"),
            ],
            &[long],
        );
        let left: Vec<_> = left.iter().map(|f| (f.rule, f.place.as_str())).collect();
        assert_eq!(left, [(Rule::FnSize, "a.rs::g"), (Rule::Word, "a.rs::f")]);
    }

    #[test]
    fn an_exception_without_a_use_is_a_finding() {
        let long = Exception { rule: Rule::FnSize, place: "a.rs::f", reason: "one table" };
        assert_eq!(without(vec![], &[long])[0].rule, Rule::Unused);
    }
}
