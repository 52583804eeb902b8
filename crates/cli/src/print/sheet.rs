//! One thing, with a line for each of its properties.

use super::Paper;
use super::words::escaped_lines;

/// Labels and values, aligned.
pub(crate) struct Sheet {
    color: bool,
    lines: Vec<(&'static str, String)>,
}

impl Sheet {
    pub(crate) fn new(paper: &Paper) -> Self {
        Self { color: paper.color, lines: vec![] }
    }

    /// A line, whose value may have several.
    #[must_use]
    pub(crate) fn line(mut self, label: &'static str, value: &str) -> Self {
        self.lines.push((label, escaped_lines(value)));
        self
    }

    /// A line that is left out where there is nothing to say.
    #[must_use]
    pub(crate) fn maybe(self, label: &'static str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.line(label, &value),
            None => self,
        }
    }

    pub(crate) fn print(&self) -> String {
        let width = self.lines.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
        let margin = format!("\n{:width$}  ", "");
        let line = |(label, value): &(&str, String)| {
            let value = value.trim_end_matches('\n').replace('\n', &margin);
            let (dim, plain) = if self.color { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            format!("{dim}{label:width$}{plain}  {value}\n")
        };
        self.lines.iter().map(line).collect()
    }
}
