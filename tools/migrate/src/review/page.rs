//! A page for people. It needs nothing from elsewhere: its style is in it, and has both a light and a dark face.

use std::fmt::Write as _;

/// A row of a plot.
#[derive(Debug)]
pub(super) struct Bar {
    /// What it is of.
    pub(super) label: String,
    /// Laid end to end; the second is paler.
    pub(super) parts: Vec<f64>,
    /// What is written at its end.
    pub(super) value: String,
}

/// A page: its heading, a paragraph below it, and the rest.
pub(super) fn page(heading: &str, introduction: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>storefront: {heading}</title>\n<style>\n{}</style>\n\
         <h1>{heading}</h1>\n<p>{}</p>\n{body}</html>\n",
        include_str!("page.css"),
        escaped(introduction),
    )
}

/// A part of a page: its heading, a paragraph, and what it is about, which is HTML.
pub(super) fn section(title: &str, explanation: &str, content: &str) -> String {
    let explanation = escaped(explanation);
    format!("<h2>{title}</h2>\n<p>{explanation}</p>\n<div class=\"scroll\">{content}</div>\n")
}

/// A text as HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Horizontal bars, one below the other, in the colour that the style has for this class.
pub(super) fn bars(class: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.parts.iter().sum()).fold(f64::MIN_POSITIVE, f64::max);
    let mut html = format!("<table class=\"bars {class}\">");
    for Bar { label, parts, value } in bars {
        let _ = write!(html, "<tr><td>{}<td class=\"plot\">", escaped(label));
        for (part, pale) in parts.iter().zip(["", " second"]) {
            // What is left of the cell is for the value.
            let width = part / longest * 70.0;
            let _ = write!(html, "<span class=\"bar{pale}\" style=\"width:{width:.2}%\"></span>");
        }
        let _ = writeln!(html, " {}", escaped(value));
    }
    html + "</table>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_figures_and_what_they_are_of_is_escaped() {
        let bar = |label: &str, part| Bar {
            label: label.to_owned(),
            parts: vec![part, part],
            value: format!("{part} MB"),
        };
        let html = bars("items", &[bar("a < b", 2.0), bar("none", 0.0)]);
        assert!(html.contains("a &lt; b") && html.contains("2 MB"), "{html}");
        assert_eq!(html.matches("width:35.00%").count(), 2, "{html}");
        assert_eq!(html.matches("width:0.00%").count(), 2, "{html}");
    }
}
