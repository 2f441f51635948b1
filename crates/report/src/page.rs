//! What the pages for people have in common.

use std::fmt::{Display, Write as _};

/// A page that needs nothing from elsewhere: its heading, paragraphs below it, and the rest.
#[must_use]
pub fn page(heading: &str, introduction: &[&str], body: &str) -> String {
    let mut paragraphs = String::new();
    for paragraph in introduction {
        let _ = writeln!(paragraphs, "<p>{paragraph}</p>");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>storefront: {heading}</title>\n<style>\n{}</style>\n\
         <h1>{heading}</h1>\n{paragraphs}{body}</html>\n",
        include_str!("page.css"),
    )
}

/// A part of a page: its heading, a paragraph, and what it is about. The texts are HTML.
#[must_use]
pub fn section(title: &str, explanation: &str, content: &str) -> String {
    format!("<h2>{title}</h2>\n<p>{explanation}</p>\n<div class=\"scroll\">{content}</div>\n")
}

/// A text as HTML.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Cells of a row of a table; they are HTML.
#[must_use]
pub fn cells(tag: &str, cells: impl IntoIterator<Item = impl Display>) -> String {
    let mut row = String::new();
    for cell in cells {
        let _ = write!(row, "<{tag}>{cell}");
    }
    row
}
