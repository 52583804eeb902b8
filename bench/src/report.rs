//! The table, for people and for programs.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::Outcome;
use crate::args::Plan;
use crate::line::{Goal, Line, Unit, Verdict};
use crate::spread::Spread;

const HEADINGS: [&str; 7] =
    ["what", "measured", "beside", "times as good", "must reach", "", "fdatasync/s"];

/// The lines as a Markdown table, its columns aligned.
pub(crate) fn table(lines: &[Line]) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned), [(); 7].map(|()| "---".to_owned())];
    rows.extend(lines.iter().map(cells));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADINGS.len()).filter_map(width).collect();
    let mut table = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            write!(table, "| {cell:width$} ").expect("a string takes whatever is written");
        }
        table.push_str("|\n");
    }
    table
}

fn cells(line: &Line) -> [String; 7] {
    let Line { what, unit, ours, beside, ratio, goal, verdict, disk } = line;
    let beside = beside.as_ref().map(|(name, spread)| format!("{name}: {}", figure(spread, *unit)));
    [
        what.clone(),
        figure(ours, *unit),
        beside.unwrap_or_default(),
        ratio.map(|ratio| spread(&ratio)).unwrap_or_default(),
        goal.map(|goal| must_reach(goal, *unit)).unwrap_or_default(),
        verdict.map(judged).unwrap_or_default().to_owned(),
        spread(disk),
    ]
}

fn must_reach(goal: Goal, unit: Unit) -> String {
    match goal {
        Goal::AtMost(most) => format!("≤ {}{}", number(most), suffix(unit)),
        Goal::AtLeast(least) => format!("≥ {}{}", number(least), suffix(unit)),
        Goal::TimesAsGood(times) => format!("≥ {} ×", number(times)),
        Goal::TimesAtMost(times) => format!("≤ {} ×", number(times)),
    }
}

fn judged(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::HalfWay => "over half",
        Verdict::Missed => "MISSED",
    }
}

fn figure(figure: &Spread, unit: Unit) -> String {
    let Spread { median, least, most } = figure;
    format!("{}{} [{}–{}]", number(*median), suffix(unit), number(*least), number(*most))
}

fn spread(figure: &Spread) -> String {
    let Spread { median, least, most } = figure;
    format!("{} [{}–{}]", number(*median), number(*least), number(*most))
}

fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => " ms",
        Unit::PerSecond => "/s",
        Unit::Mebibytes => " MiB",
        Unit::PercentOfCore => " % of a core",
    }
}

/// Three digits that say something, and thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

/// Writes the lines and what they were measured with.
pub(crate) fn write_json(path: &Path, plan: &Plan, lines: &[Line]) -> Outcome<()> {
    let Plan { rows, task_bytes, rounds, seconds, .. } = plan;
    let plan =
        json!({"rows": rows, "task_bytes": task_bytes, "rounds": rounds, "seconds": seconds});
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let report = json!({"plan": plan, "cores": cores, "lines": lines});
    std::fs::write(path, serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_grouped() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (1_234_567.0, "1,234,567"),
            (999.6, "1,000"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
