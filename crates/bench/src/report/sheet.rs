//! A table of figures that is the same in a terminal and in a page.

use comfy_table::Table;

use super::page::{cells, escaped};
use super::table::table;

/// Its first columns are texts, the others numbers.
pub(crate) struct Sheet {
    header: Vec<&'static str>,
    texts: usize,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn new(texts: &[&'static str], numbers: &[&'static str]) -> Self {
        Self { header: [texts, numbers].concat(), texts: texts.len(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: impl Into<Vec<String>>) {
        self.rows.push(row.into());
    }

    pub(crate) fn text(&self) -> Table {
        let mut table = table(&self.header, self.texts);
        table.add_rows(&self.rows);
        table
    }

    pub(crate) fn html(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            let row: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
            self.row("td", &row)
        });
        let rows: String = rows.collect();
        format!("<table>{}{rows}</table>", self.row("th", &self.header))
    }

    fn row(&self, tag: &str, row: &[impl std::fmt::Display]) -> String {
        let (texts, numbers) = row.split_at(self.texts.min(row.len()));
        let texts = texts.iter().map(|text| format!("<{tag} class=\"text\">{text}"));
        format!("<tr>{}{}\n", texts.collect::<String>(), cells(tag, numbers))
    }
}
