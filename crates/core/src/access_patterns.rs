//! The questions that the repositories ask the table, and what each answer costs, as data.
//!
//! Each repository has its `ACCESS_PATTERNS` next to its functions. [`all`] of them are the table
//! in `docs/access-patterns.md`, which `cargo xtask docs` writes, and
//! `crates/core/tests/it/access_patterns.rs` measures each one. The Lambda functions do not use this,
//! so it is not linked into them.

use std::fmt;

use crate::{LoginAttempts, MailTokens, Mails, Orders, Products, Registrations, Sessions, Users};

/// By repository. The compiler reports an `ACCESS_PATTERNS` that is missing here as unused.
const BY_REPOSITORY: &[&[AccessPattern]] = &[
    Users::ACCESS_PATTERNS,
    LoginAttempts::ACCESS_PATTERNS,
    Sessions::ACCESS_PATTERNS,
    MailTokens::ACCESS_PATTERNS,
    Registrations::ACCESS_PATTERNS,
    Products::ACCESS_PATTERNS,
    Orders::ACCESS_PATTERNS,
    Mails::ACCESS_PATTERNS,
];

/// A question that a repository asks the table, and what the answer costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AccessPattern {
    /// The question.
    pub name: &'static str,
    /// Set for a special case, which comes below the question itself.
    pub case: Option<&'static str>,
    /// The requests that answer it, in words.
    pub requests: &'static str,
    /// Read units.
    pub read: Units,
    /// Write units.
    pub write: Units,
}

/// Capacity units, for items of the usual size: up to 1 KB written, up to 4 KB read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// For every request.
    pub base: f64,
    /// For each of the n items of an order.
    pub per_item: f64,
    /// For each 4 KB of a page.
    pub per_4_kb: f64,
}

/// Returns all access patterns.
pub fn all() -> impl Iterator<Item = &'static AccessPattern> {
    BY_REPOSITORY.iter().copied().flatten()
}

/// Returns the access pattern with this name. In a constant, an unknown name is a compiler error.
///
/// # Panics
///
/// If no access pattern has this name.
#[must_use]
pub const fn named(name: &str) -> &'static AccessPattern {
    let mut repository = 0;
    while repository < BY_REPOSITORY.len() {
        let mut patterns = BY_REPOSITORY[repository];
        while let [pattern, others @ ..] = patterns {
            if pattern.case.is_none() && is_same(pattern.name, name) {
                return pattern;
            }
            patterns = others;
        }
        repository += 1;
    }
    panic!("no access pattern has this name: see the ACCESS_PATTERNS of storefront-core")
}

/// `==`, which cannot be used in constants.
const fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([first, one_rest @ ..], [second, other_rest @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

/// Creates a pattern without costs.
pub(crate) const fn pattern(name: &'static str, requests: &'static str) -> AccessPattern {
    let nothing = Units { base: 0.0, per_item: 0.0, per_4_kb: 0.0 };
    AccessPattern { name, case: None, requests, read: nothing, write: nothing }
}

impl AccessPattern {
    /// Makes it a special case of the pattern above it.
    pub(crate) const fn case(self, case: &'static str) -> Self {
        Self { case: Some(case), ..self }
    }

    /// Sets the read units for every request.
    pub(crate) const fn reads(self, base: f64) -> Self {
        Self { read: Units { base, ..self.read }, ..self }
    }

    /// Sets the read units for each item of an order.
    pub(crate) const fn reads_per_item(self, per_item: f64) -> Self {
        Self { read: Units { per_item, ..self.read }, ..self }
    }

    /// Sets the read units for each 4 KB of a page, rounded up.
    pub(crate) const fn reads_per_4_kb(self, per_4_kb: f64) -> Self {
        Self { read: Units { per_4_kb, ..self.read }, ..self }
    }

    /// Sets the write units for every request.
    pub(crate) const fn writes(self, base: f64) -> Self {
        Self { write: Units { base, ..self.write }, ..self }
    }

    /// Sets the write units for each item of an order.
    pub(crate) const fn writes_per_item(self, per_item: f64) -> Self {
        Self { write: Units { per_item, ..self.write }, ..self }
    }
}

impl Units {
    /// Returns the units of a request with `items` order items and a page of `bytes`.
    #[must_use]
    pub fn of(self, items: f64, bytes: f64) -> f64 {
        self.base + self.per_item * items + self.per_4_kb * (bytes / 4_096.0).ceil().max(1.0)
    }

    /// Whether the size of a page matters.
    #[must_use]
    pub fn is_of_page(self) -> bool {
        self.per_4_kb > 0.0
    }
}

/// The name, and the special case if it is one.
impl fmt::Display for AccessPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.case {
            Some(case) => write!(f, " … {case}"),
            None => Ok(()),
        }
    }
}

/// A formula such as `3 + 5 n`; empty if there are no units.
impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = [(self.base, ""), (self.per_item, " n"), (self.per_4_kb, " per 4 KB")];
        let mut separator = "";
        for (units, of) in terms.into_iter().filter(|(units, _)| *units > 0.0) {
            write!(f, "{separator}{units}{of}")?;
            separator = " + ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn units_are_written_as_a_formula() {
        for (units, formula) in [
            (pattern("", "").read, ""),
            (pattern("", "").writes(8.0).write, "8"),
            (pattern("", "").reads(0.5).reads_per_item(0.5).read, "0.5 + 0.5 n"),
            (pattern("", "").writes(3.0).writes_per_item(5.0).write, "3 + 5 n"),
            (pattern("", "").reads_per_4_kb(0.5).read, "0.5 per 4 KB"),
        ] {
            assert_eq!(units.to_string(), formula);
        }
    }

    #[test]
    fn a_page_costs_for_each_4_kb_or_part_of_it_and_an_empty_one_for_4_kb() {
        let page = pattern("", "").reads_per_4_kb(0.5).read;
        for (bytes, units) in [(0.0, 0.5), (4_096.0, 0.5), (4_097.0, 1.0)] {
            assert!((page.of(0.0, bytes) - units).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn names_are_unique_and_a_case_comes_below_its_pattern() {
        let mut names = BTreeSet::new();
        let mut above = None;
        for pattern in all() {
            assert!(names.insert(pattern.to_string()), "there are two patterns `{pattern}`");
            let is_below = above == Some(pattern.name);
            assert_eq!(pattern.case.is_some(), is_below, "`{pattern}` is in the wrong place");
            above = Some(pattern.name);
        }
    }

    #[test]
    fn a_pattern_is_found_by_its_full_name() {
        assert_eq!(named("user by id").name, "user by id");
        assert!(std::panic::catch_unwind(|| named("user by")).is_err());
        assert!(std::panic::catch_unwind(|| named("user by id, or else")).is_err());
    }
}
