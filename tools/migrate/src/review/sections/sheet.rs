//! A table of figures, the same in the terminal and in the page.

use std::fmt::Display;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use indicatif::HumanCount;

use crate::review::page::escaped;

/// A table whose first columns are texts and the others numbers.
#[derive(Debug)]
pub(super) struct Sheet {
    header: Vec<&'static str>,
    texts: usize,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Makes a table without rows.
    pub(super) fn new(texts: &[&'static str], numbers: &[&'static str]) -> Self {
        Self { header: [texts, numbers].concat(), texts: texts.len(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: impl Into<Vec<String>>) {
        self.rows.push(row.into());
    }

    /// Renders it for the terminal.
    pub(super) fn text(&self) -> Table {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(&self.header).add_rows(&self.rows);
        for column in table.column_iter_mut().skip(self.texts) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    /// Renders it for a page.
    pub(super) fn html(&self) -> String {
        let rows = self.rows.iter().map(|row| self.row("td", row));
        format!("<table>{}{}</table>", self.row("th", &self.header), rows.collect::<String>())
    }

    fn row(&self, tag: &str, row: &[impl Display]) -> String {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let class = if at < self.texts { " class=\"text\"" } else { "" };
            format!("<{tag}{class}>{}", escaped(&cell.to_string()))
        });
        format!("<tr>{}\n", cells.collect::<String>())
    }
}

/// Formats a number with commas.
pub(super) fn thousands(value: u64) -> String {
    HumanCount(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_the_same_figures_and_html_is_escaped() {
        let mut sheet = Sheet::new(&["what"], &["how many"]);
        sheet.add(["a <fast> one".to_owned(), thousands(1_234_567)]);
        let text = sheet.text().to_string();
        assert!(text.ends_with("| a <fast> one | 1,234,567 |"), "{text}");
        let expected = "<table><tr><th class=\"text\">what<th>how many\n\
                        <tr><td class=\"text\">a &lt;fast&gt; one<td>1,234,567\n</table>";
        assert_eq!(sheet.html(), expected);
    }
}
