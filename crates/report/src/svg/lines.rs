//! Lines over a logarithmic axis.

use std::fmt::Write as _;

use super::{shortest, step, text};

const LEFT: f64 = 56.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 10.0;
const PLOT: f64 = 460.0;
const HEIGHT: f64 = 190.0;
const AXIS: f64 = 26.0;

/// How many lines have a colour of their own.
const COLOURS: usize = 7;

/// A line, from left to right.
#[derive(Debug)]
pub struct Line {
    /// What it is of.
    pub label: String,
    /// From left to right.
    pub points: Vec<(f64, f64)>,
}

/// Lines and below them what they are; from zero up, and along `ticks`, which stand at equal
/// distances where each is ten times the one before.
#[must_use]
pub fn lines(lines: &[Line], ticks: &[(f64, String)]) -> String {
    let highest = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
    let highest = highest.fold(f64::MIN_POSITIVE, f64::max) * 1.1;
    let exponents = || ticks.iter().map(|(x, _)| x.log10());
    let first = exponents().fold(f64::INFINITY, f64::min);
    let width = (exponents().fold(first, f64::max) - first).max(f64::MIN_POSITIVE);
    let x = |value: f64| LEFT + (value.log10() - first) / width * PLOT;
    let bottom = TOP + HEIGHT;
    let y = |value: f64| bottom - value / highest * HEIGHT;

    let mut svg = format!(
        r#"<svg role="img" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg">"#,
        LEFT + PLOT + RIGHT,
        bottom + AXIS
    );
    let right = LEFT + PLOT;
    let mut value = 0.0;
    while value <= highest {
        let y = y(value);
        let _ =
            write!(svg, r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#);
        text(&mut svg, LEFT - 8.0, y + 4.0, "end", &shortest(value));
        value += step(highest) * 2.0;
    }
    for (tick, label) in ticks {
        text(&mut svg, x(*tick), bottom + 18.0, "middle", label);
    }
    for (at, line) in lines.iter().enumerate() {
        let class = at % COLOURS;
        let (mut path, mut dots) = (String::new(), String::new());
        for (a, b) in &line.points {
            let (x, y) = (x(*a), y(*b));
            let _ = write!(path, "{x:.1},{y:.1} ");
            let _ =
                write!(dots, r#"<circle class="line-{class}" cx="{x:.1}" cy="{y:.1}" r="2.5"/>"#);
        }
        let points = path.trim_end();
        let _ = write!(svg, r#"<polyline class="line-{class}" points="{points}"/>{dots}"#);
    }
    svg + "</svg>" + &legend(lines)
}

fn legend(lines: &[Line]) -> String {
    let entries = lines.iter().enumerate().map(|(at, line)| {
        let label = crate::page::escaped(&line.label);
        format!("<li><span class=\"legend line-{}\"></span>{label}", at % COLOURS)
    });
    format!("<ul class=\"legend\">{}</ul>", entries.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, f64)]) -> String {
        let ticks = [1e3, 1e4, 1e5].map(|x: f64| (x, shortest(x)));
        lines(&[Line { label: "a < b".into(), points: points.to_vec() }], &ticks)
    }

    #[test]
    fn what_does_not_change_is_a_flat_line_of_equal_steps() {
        let svg = plot(&[(1e3, 2.0), (1e4, 2.0), (1e5, 2.0)]);
        assert!(svg.contains(r#"points="56.0,27.3 286.0,27.3 516.0,27.3""#), "{svg}");
    }

    #[test]
    fn a_line_says_what_it_is_and_one_of_zeros_is_a_plot_too() {
        let svg = plot(&[(1e3, 0.0), (1e5, 0.0)]);
        assert!(svg.contains("a &lt; b") && !svg.contains("NaN"), "{svg}");
    }
}
