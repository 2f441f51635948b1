//! A table of figures that is the same in a terminal and in a page.

use comfy_table::Table;

use crate::page::{cells, escaped};
use crate::table::table;

/// Its first columns are texts, the others numbers.
#[derive(Debug)]
pub struct Sheet {
    header: Vec<&'static str>,
    texts: usize,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Without rows.
    #[must_use]
    pub fn new(texts: &[&'static str], numbers: &[&'static str]) -> Self {
        Self { header: [texts, numbers].concat(), texts: texts.len(), rows: Vec::new() }
    }

    /// A row.
    pub fn add(&mut self, row: impl Into<Vec<String>>) {
        self.rows.push(row.into());
    }

    /// For the terminal.
    #[must_use]
    pub fn text(&self) -> Table {
        let mut table = table(&self.header, self.texts);
        table.add_rows(&self.rows);
        table
    }

    /// For a page.
    #[must_use]
    pub fn html(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_have_the_same_figures_and_a_page_escapes_them() {
        let mut sheet = Sheet::new(&["what"], &["how many"]);
        sheet.add(["a <fast> one".to_owned(), "7".to_owned()]);
        let text = sheet.text().to_string();
        assert!(text.contains("how many") && text.contains("| a <fast> one |"), "{text}");
        let expected = "<table><tr><th class=\"text\">what<th>how many\n\
                        <tr><td class=\"text\">a &lt;fast&gt; one<td>7\n</table>";
        assert_eq!(sheet.html(), expected);
    }
}
