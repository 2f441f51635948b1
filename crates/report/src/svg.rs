//! Plots of horizontal bars, one below the other, as SVG within a page; and of lines.

mod lines;

use std::fmt::Write as _;

pub use lines::{Line, lines};

const LABELS: f64 = 260.0;
const PLOT: f64 = 720.0;
const WIDTH: f64 = LABELS + PLOT + 140.0;
const ROW: f64 = 24.0;
const AXIS: f64 = 26.0;

/// A row of a plot.
#[derive(Debug)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// A class of the page's style, for the colour.
    pub class: &'static str,
    /// Laid end to end; every other one is paler.
    pub parts: Vec<f64>,
    /// Single measurements, each a dot.
    pub samples: Vec<f64>,
    /// What is written at its end.
    pub value: String,
}

/// A row of a plot of ratios.
#[derive(Debug)]
pub struct Interval {
    /// What it is of.
    pub label: String,
    /// A class of the page's style, for the colour.
    pub class: &'static str,
    /// The point.
    pub value: f64,
    /// What it is at least.
    pub low: f64,
    /// What it is at most.
    pub high: f64,
}

/// Bars from zero on. Those that are too long, such as Node's, are cut at `longest`, and say so.
#[must_use]
pub fn bars(bars: &[Bar], longest: f64) -> String {
    let scale = PLOT / longest;
    let mut svg = open(bars.len(), longest);
    for (row, bar) in bars.iter().enumerate() {
        let top = top(row);
        label(&mut svg, top, &bar.label);
        let mut left = 0.0;
        for (at, part) in bar.parts.iter().enumerate() {
            let right = (left + part).min(longest);
            let pale = if at % 2 == 1 { " second" } else { "" };
            let _ = write!(
                svg,
                r#"<rect class="{}{pale}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2"/>"#,
                bar.class,
                LABELS + left * scale,
                top + 4.0,
                (right - left).max(0.0) * scale,
                ROW - 8.0,
            );
            left = right;
        }
        for sample in bar.samples.iter().filter(|sample| **sample <= longest) {
            let _ = write!(
                svg,
                r#"<circle class="sample {}" cx="{:.1}" cy="{:.1}" r="2.5"/>"#,
                bar.class,
                LABELS + sample * scale,
                top + ROW / 2.0,
            );
        }
        let is_cut = bar.parts.iter().sum::<f64>() > longest;
        let end =
            bar.samples.iter().copied().filter(|sample| *sample <= longest).fold(left, f64::max);
        let value = if is_cut { format!("{} →", bar.value) } else { bar.value.clone() };
        text(&mut svg, LABELS + end * scale + 7.0, top + 16.0, "", &value);
    }
    svg + "</svg>"
}

/// Bars of figures with these labels and classes: one part, or two of which the second reaches from the
/// first figure to the second.
pub fn figures(
    rows: impl Iterator<Item = (String, &'static str, Vec<f64>)>,
    digits: usize,
) -> String {
    let rows = rows.map(|(label, class, parts)| {
        let whole: f64 = parts.iter().sum();
        let value = match parts[..] {
            [first, _] => format!("{first:.digits$} to {whole:.digits$}"),
            _ => format!("{whole:.digits$}"),
        };
        Bar { label, class, parts, samples: Vec::new(), value }
    });
    let rows: Vec<_> = rows.collect();
    let longest = rows.iter().map(|bar| bar.parts.iter().sum()).fold(f64::MIN_POSITIVE, f64::max);
    bars(&rows, longest * 1.05)
}

/// Points between their bounds, and the limit that they should keep below.
#[must_use]
pub fn intervals(intervals: &[Interval], limit: f64) -> String {
    let longest = intervals.iter().map(|interval| interval.high).fold(limit, f64::max) * 1.08;
    let scale = PLOT / longest;
    let mut svg = open(intervals.len(), longest);
    let bottom = top(intervals.len());
    let at = LABELS + limit * scale;
    let _ =
        write!(svg, r#"<line class="limit" x1="{at:.1}" x2="{at:.1}" y1="0" y2="{bottom:.1}"/>"#);
    for (row, Interval { label: name, class, value, low, high }) in intervals.iter().enumerate() {
        let top = top(row);
        label(&mut svg, top, name);
        let _ = write!(
            svg,
            r#"<rect class="{class} second" x="{:.1}" y="{:.1}" width="{:.1}" height="4" rx="2"/><circle class="{class}" cx="{:.1}" cy="{:.1}" r="5"/>"#,
            LABELS + low * scale,
            top + ROW / 2.0 - 2.0,
            (high - low).max(0.0) * scale,
            LABELS + value * scale,
            top + ROW / 2.0,
        );
        text(&mut svg, LABELS + high * scale + 8.0, top + 16.0, "", &format!("{value:.2}"));
    }
    svg + "</svg>"
}

/// Begins a plot with its axis.
fn open(rows: usize, longest: f64) -> String {
    let bottom = top(rows);
    let mut svg = format!(
        r#"<svg role="img" viewBox="0 0 {WIDTH} {:.0}" xmlns="http://www.w3.org/2000/svg">"#,
        bottom + AXIS
    );
    let step = step(longest);
    let mut value = 0.0;
    while value <= longest {
        let x = LABELS + value * PLOT / longest;
        let _ =
            write!(svg, r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="0" y2="{bottom:.1}"/>"#);
        text(&mut svg, x, bottom + 16.0, "middle", &shortest(value));
        value += step;
    }
    svg
}

/// A round number, of which the axis has about eight.
fn step(longest: f64) -> f64 {
    let rough = longest / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

fn shortest(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn top(row: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a plot has few rows")]
    let row = row as f64;
    row * ROW
}

fn label(svg: &mut String, top: f64, label: &str) {
    text(svg, LABELS - 10.0, top + 16.0, "end", label);
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let class = if anchor == "middle" { "quiet" } else { "" };
    let _ = write!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{}">{}</text>"#,
        if anchor.is_empty() { "start" } else { anchor },
        crate::page::escaped(text),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (longest, expected) in [(8.0, 1.0), (9.0, 2.0), (40.0, 5.0), (0.8, 0.1)] {
            assert!((step(longest) - expected).abs() < 1e-9, "{longest}");
        }
    }

    #[test]
    fn a_bar_that_is_too_long_is_cut_and_says_so() {
        let bar = Bar {
            label: "Node".into(),
            class: "node",
            parts: vec![150.0],
            samples: vec![149.0, 151.0],
            value: "150 ms".into(),
        };
        let svg = bars(&[bar], 10.0);
        assert!(svg.contains("150 ms →"), "{svg}");
        assert!(!svg.contains("<circle"), "{svg}");
    }
}
