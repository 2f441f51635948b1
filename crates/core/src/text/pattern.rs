//! The same rules as regular expressions (ECMA-262 with the flag `u`), for the OpenAPI document. Sets of
//! characters are made from their classes, so that the two cannot differ.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::character::{Class, MAX_JOINERS};

/// All characters: the first and the last of each run of a class.
static RUNS: LazyLock<Vec<(char, char, Class)>> = LazyLock::new(|| {
    let mut runs: Vec<(char, char, Class)> = Vec::new();
    for c in '\0'..=char::MAX {
        let class = Class::of(c);
        match runs.last_mut() {
            Some((_, last, of)) if *of == class => *last = c,
            _ => runs.push((c, c, class)),
        }
    }
    runs
});

/// White space that no line has, but that may stand around a category.
const LINE_ENDS: &str = r"\u0009-\u000D\u0085\u2028\u2029";

/// What a [`super::Line`] accepts, except for its length.
#[must_use]
pub fn line_pattern() -> String {
    let (space, visible) = (set(&[Class::Space]), visible());
    format!("^[{space}]*{visible}(?:[{space}]|{visible})*$")
}

/// What [`super::Lines`] accepts, except for its length.
#[must_use]
pub fn lines_pattern() -> String {
    let odd = r"\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F";
    let space = r"\u0009\u000A\u000D\u0020\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";
    format!("^(?:[^{odd}]*[^{odd}{space}][^{odd}]*)?$")
}

/// What [`crate::Category`] accepts: up to `max` characters, and any white space around them, which
/// does not count.
#[must_use]
pub fn category_pattern(max: usize) -> String {
    let (space, visible) = (set(&[Class::Space]), visible());
    let around = format!("[{space}{LINE_ENDS}]*");
    let between = max - 2;
    format!("^{around}{visible}(?:(?:[{space}]|{visible}){{0,{between}}}{visible})?{around}$")
}

/// A visible character, and what may follow it that has no glyph of its own.
fn visible() -> String {
    let simple = set(&[Class::Simple]);
    let not_joining =
        set(&[Class::Space, Class::Simple, Class::Joiner, Class::Variation, Class::Refused]);
    let variation = set(&[Class::Variation]);
    let joiner = set(&[Class::Joiner, Class::Variation]);
    format!("(?:[{simple}][{variation}]?|[^{not_joining}][{joiner}]{{0,{MAX_JOINERS}}})")
}

/// The inside of a set of the characters of these classes.
fn set(classes: &[Class]) -> String {
    let is_in = |run: &(char, char, Class)| classes.contains(&run.2);
    let mut set = String::new();
    for runs in
        RUNS.chunk_by(|one, other| is_in(one) == is_in(other)).filter(|runs| is_in(&runs[0]))
    {
        let (first, last) = (runs[0].0, runs[runs.len() - 1].1);
        push(&mut set, first);
        if first != last {
            set.push('-');
            push(&mut set, last);
        }
    }
    set
}

/// JSON Schema has no escape for characters beyond U+FFFF, so those stand for themselves.
fn push(set: &mut String, c: char) {
    match u32::from(c) {
        code @ ..=0xFFFF => {
            let _ = write!(set, r"\u{code:04X}");
        }
        _ => set.push(c),
    }
}
