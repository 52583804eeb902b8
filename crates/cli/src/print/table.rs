//! Many things: a table on a terminal; elsewhere a line for each, tab-separated, without a head, nothing cut.

use comfy_table::{Cell, Color, ContentArrangement};
use consign_client::Status;

use super::Paper;
use super::words::{cut, escaped, excerpt};

/// What stands between two columns.
const PADDING_CHARS: usize = 2;
/// The last column is not cut shorter, however narrow the terminal.
const LAST_CHARS_MIN: usize = 12;

/// A column's name, and what becomes of what does not fit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Always whole.
    Whole(&'static str),
    /// Cut on a terminal; the last one to what is left of the line.
    Cut(&'static str),
}

/// Rows of cells, as many as columns.
pub(crate) struct Table<'a> {
    paper: &'a Paper,
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole(name) | Self::Cut(name) => name,
        }
    }

    fn shown(self, text: &str) -> String {
        match self {
            Self::Whole(_) => escaped(text),
            Self::Cut(_) => excerpt(text),
        }
    }
}

impl<'a> Table<'a> {
    pub(crate) fn new(paper: &'a Paper, columns: &'static [Column]) -> Self {
        Self { paper, columns, rows: vec![] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table; on a terminal `nothing` says why it is empty.
    pub(crate) fn print(&self, nothing: &str) -> String {
        match (self.paper.terminal, self.rows.is_empty()) {
            (true, true) => nothing.to_owned(),
            (true, false) => self.drawn(),
            (false, _) => self.lines(),
        }
    }

    fn lines(&self) -> String {
        let line = |row: &Vec<String>| {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            cells.join("\t") + "\n"
        };
        self.rows.iter().map(line).collect()
    }

    fn drawn(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|column| column.name()));
        let mut rows = self.shown();
        if let Some(width) = table.width().map(usize::from).filter(|width| *width > 0) {
            self.fit(&mut rows, width);
        }
        for row in rows {
            table.add_row(row.into_iter().map(|text| self.cell(text)));
        }
        table.trim_fmt()
    }

    fn shown(&self) -> Vec<Vec<String>> {
        let shown = |row: &Vec<String>| {
            row.iter().zip(self.columns).map(|(text, column)| column.shown(text)).collect()
        };
        self.rows.iter().map(shown).collect()
    }

    /// Cuts the last column, where it may be cut, to what the others leave of the line.
    fn fit(&self, rows: &mut [Vec<String>], width: usize) {
        let Some((Column::Cut(_), others)) = self.columns.split_last() else { return };
        let widest = |index: usize, column: &Column| {
            let cells = rows.iter().map(|row| row[index].chars().count());
            cells.chain([column.name().len()]).max().unwrap_or_default()
        };
        let taken: usize =
            others.iter().enumerate().map(|(at, it)| widest(at, it) + PADDING_CHARS).sum();
        let left = width.saturating_sub(taken + PADDING_CHARS).max(LAST_CHARS_MIN);
        for last in rows.iter_mut().filter_map(|row| row.last_mut()) {
            *last = cut(last, left);
        }
    }

    fn cell(&self, text: String) -> Cell {
        let color = Status::ALL.into_iter().find(|status| status.as_str() == text).map(hue);
        match color.filter(|_| self.paper.color) {
            Some(color) => Cell::new(text).fg(Color::AnsiValue(color)),
            None => Cell::new(text),
        }
    }
}

/// What a status looks like, as one of a terminal's sixteen colours.
pub(crate) const fn hue(status: Status) -> u8 {
    match status {
        Status::Queued | Status::Dispatched => 12,
        Status::InProgress => 14,
        Status::Stuck => 11,
        Status::Completed => 10,
        Status::Failed => 9,
        Status::Cancelled => 8,
    }
}
