//! Measures every access pattern: its requests, and the capacity units that DynamoDB reports.
//!
//! The expected values are in the `ACCESS_PATTERNS` of each repository.

use std::collections::BTreeMap;

use storefront_core::access_patterns::{self, AccessPattern};
use storefront_core::capacity::{Consumed, measure};

#[tokio::test]
async fn every_access_pattern_costs_what_its_repository_says() {
    let mut costs = Costs::expected();
    crate::measure(&mut costs).await;
    costs.finish();
}

/// Compares the measurements with the data.
pub(crate) struct Costs {
    expected: BTreeMap<String, &'static AccessPattern>,
    unmeasured: Vec<String>,
    wrong: Vec<String>,
}

impl Costs {
    fn expected() -> Self {
        let expected: BTreeMap<_, _> =
            access_patterns::all().map(|pattern| (pattern.to_string(), pattern)).collect();
        let unmeasured = expected.keys().cloned().collect();
        Self { expected, unmeasured, wrong: Vec::new() }
    }

    /// Runs a pattern without order items. If it reads a page, the page has at most 4 KB.
    pub(crate) async fn measure<T>(
        &mut self,
        pattern: &str,
        requests: u32,
        work: impl Future<Output = T>,
    ) -> T {
        self.measure_n(pattern, 0, requests, work).await
    }

    /// Does the same with n order items.
    pub(crate) async fn measure_n<T>(
        &mut self,
        name: &str,
        n: u32,
        requests: u32,
        work: impl Future<Output = T>,
    ) -> T {
        // Boxed, because a test has a small stack and these futures take many kilobytes.
        let (result, consumed) = measure(Box::pin(work)).await;
        let Some(pattern) = self.expected.get(name) else {
            panic!(
                "BY_REPOSITORY in crates/core/src/access_patterns.rs lists no ACCESS_PATTERNS with \
                 `{name}`"
            );
        };
        self.unmeasured.retain(|unmeasured| unmeasured != name);
        let expected = Consumed {
            requests,
            read_units: pattern.read.of(n.into(), 4_096.0),
            write_units: pattern.write.of(n.into(), 4_096.0),
        };
        if consumed != expected {
            self.wrong.push(format!("`{name}`, n = {n}: {consumed:?}, expected {expected:?}"));
        }
        result
    }

    fn finish(self) {
        assert!(
            self.wrong.is_empty(),
            "Costs differ from a repository's ACCESS_PATTERNS. If intended, change them there and \
             run `cargo xtask docs`:\n{}",
            self.wrong.join("\n")
        );
        assert!(
            self.unmeasured.is_empty(),
            "Measure these in the `costs.rs` of their entity, and call that from `measure` in \
             crates/core/tests/it/main.rs:\n{}",
            self.unmeasured.join("\n")
        );
    }
}
