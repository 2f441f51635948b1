//! Checks the evidence that the workspace's tests leave.
//!
//! With `STOREFRONT_TEST_LOGS=<folder>` every test process writes everything that it logs, and the
//! secrets that it used, to that folder ([`evidence`](crate::evidence)). `cargo run -p
//! storefront-testing --bin audit -- <folder>` then checks
//!
//! - that each function's role in `template.yaml` grants what the function used, and no more
//!   ([`privileges`]),
//! - that no log contains a password, token or email of the tests ([`leaks`]),
//! - that there is evidence for both: every function was invoked by its own tests and in the local
//!   cloud, and secrets of every kind were used.

pub mod leaks;
pub mod privileges;

mod activity;
pub(crate) mod error;

use std::collections::BTreeSet;
use std::fmt;

use storefront_template::Template;

use crate::evidence::files::{Evidence, Kind};
use activity::Activity;
use leaks::{Leak, TooShort};
use privileges::Difference;

pub use error::Error;

/// The package whose tests run all functions together.
const LOCAL_CLOUD: &str = "storefront-cloud";

/// A problem that the audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A role grants more or less than the tests used.
    Privilege(Difference),
    /// A log contains a secret.
    Leak(Leak),
    /// A secret is too short to search for.
    TooShort(TooShort),
    /// According to the logs, no test of this package invoked the function.
    NotInvoked {
        /// The logical id of the function.
        function: String,
        /// The package.
        package: String,
    },
    /// The tests recorded no secret of this kind.
    NoSecret(Kind),
}

/// Runs all checks.
pub fn check(evidence: &Evidence, template: &Template) -> Result<Vec<Finding>, Error> {
    let activity = Activity::read(evidence)?;
    let mut findings = missing_evidence(evidence, template, &activity)?;
    findings.extend(privileges::compare(template, &activity)?.into_iter().map(Finding::Privilege));
    findings.extend(leaks::too_short(evidence).into_iter().map(Finding::TooShort));
    findings.extend(leaks::search(evidence)?.into_iter().map(Finding::Leak));
    Ok(findings)
}

/// Finds missing evidence, without which the absence of other findings means nothing.
fn missing_evidence(
    evidence: &Evidence,
    template: &Template,
    activity: &Activity,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for function in template.functions()?.into_values() {
        let none = BTreeSet::new();
        let invoked_by = activity.invoked_by.get(&function.binary).unwrap_or(&none);
        for package in [format!("storefront-{}", function.binary), LOCAL_CLOUD.to_owned()] {
            if !invoked_by.contains(&package) {
                let function = function.logical_id.clone();
                findings.push(Finding::NotInvoked { function, package });
            }
        }
    }
    let used: BTreeSet<Kind> = evidence.secrets().iter().map(|secret| secret.kind).collect();
    let unused = Kind::EXPECTED.into_iter().filter(|kind| !used.contains(kind));
    findings.extend(unused.map(Finding::NoSecret));
    Ok(findings)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Privilege(difference) => difference.fmt(f),
            Self::Leak(leak) => leak.fmt(f),
            Self::TooShort(secret) => secret.fmt(f),
            Self::NotInvoked { function, package } => write!(
                f,
                "{function}: the evidence shows no invocation by a test of {package}; did all \
                 tests run, and does its harness call storefront_testing::evidence::start?"
            ),
            Self::NoSecret(kind) => write!(
                f,
                "the evidence contains no secret of kind {kind}; do the test harnesses record \
                 what they send?"
            ),
        }
    }
}
