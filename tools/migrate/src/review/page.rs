//! The HTML page. It is self-contained, and its style supports both light and dark mode.

use std::fmt::Write as _;

/// A row of a plot.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) label: String,
    /// Placed end to end; the second is paler.
    pub(super) parts: Vec<f64>,
    /// The text at its end.
    pub(super) value: String,
}

/// Returns a page: a heading, a paragraph, and the body.
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

/// Returns a section of a page: a heading, a paragraph, and the content as HTML.
pub(super) fn section(title: &str, explanation: &str, content: &str) -> String {
    let explanation = escaped(explanation);
    format!("<h2>{title}</h2>\n<p>{explanation}</p>\n<div class=\"scroll\">{content}</div>\n")
}

/// Escapes a text for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Returns horizontal bars, one below the other, in the style's colour for this class.
pub(super) fn bars(class: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|bar| bar.parts.iter().sum()).fold(f64::MIN_POSITIVE, f64::max);
    let mut html = format!("<table class=\"bars {class}\">");
    for Bar { label, parts, value } in bars {
        let _ = write!(html, "<tr><td>{}<td class=\"plot\">", escaped(label));
        for (part, pale) in parts.iter().zip(["", " second"]) {
            // The rest of the cell is for the value.
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
    fn bars_have_proportional_lengths_and_escaped_labels() {
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
