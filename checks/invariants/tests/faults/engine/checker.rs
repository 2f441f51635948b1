use std::collections::BTreeMap;

use super::history::{Exchange, Interval, Outcome};
use crate::entities::{EntityId, Operation, Snapshot};

/// Compares what clients were told with the table before the first request and after the last. Each
/// entity's file has its checks.
pub(crate) struct Checker<'a> {
    pub(crate) exchanges: &'a [Exchange],
    pub(crate) before: &'a Snapshot,
    pub(crate) after: &'a Snapshot,
    changes: BTreeMap<EntityId, Count>,
    deletions: BTreeMap<EntityId, Count>,
}

/// How many of some requests were acknowledged, and of how many the outcome is unknown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
}

impl<'a> Checker<'a> {
    /// Where the table contradicts what clients were told: a sentence for each violation.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations: Vec<String> =
            self.exchanges.iter().filter_map(Exchange::malformed_answer).collect();
        self.check_entities(&mut violations);
        self.check_expected_versions(&mut violations);
        violations
    }

    pub(crate) fn new(
        exchanges: &'a [Exchange],
        before: &'a Snapshot,
        after: &'a Snapshot,
    ) -> Self {
        let writes = |are_deletions| {
            count(exchanges, |operation| {
                let write = operation.write()?;
                (write.is_deletion == are_deletions).then_some(write.entity)
            })
        };
        Self { exchanges, before, after, changes: writes(false), deletions: writes(true) }
    }

    /// Each exchange, with the time at which it was in progress.
    pub(crate) fn intervals(&self) -> impl Iterator<Item = (Interval, &'a Exchange)> {
        let exchanges = self.exchanges.iter().enumerate();
        exchanges.map(|(index, exchange)| (Interval::of(index, exchange), exchange))
    }

    pub(crate) fn may_be_deleted(&self, entity: EntityId) -> bool {
        self.deletions.get(&entity).is_some_and(|count| count.acknowledged + count.unknown > 0)
    }

    /// An entity that was created exists unless it was deleted, and its version counts every change
    /// that a client asked of it once, and nothing else.
    pub(crate) fn check_existence_and_version(
        &self,
        entity: EntityId,
        version: Option<u64>,
        violations: &mut Vec<String>,
    ) {
        let deletions = self.deletions.get(&entity).copied().unwrap_or_default();
        let Some(version) = version else {
            if !self.may_be_deleted(entity) {
                violations.push(format!("{entity} is missing, and nobody deleted it"));
            }
            return;
        };
        if deletions.acknowledged > 0 {
            violations.push(format!("{entity} was deleted, but still exists"));
        }
        let changes = self.changes.get(&entity).copied().unwrap_or_default();
        let min = 1 + changes.acknowledged;
        let max = min + changes.unknown;
        if !(min..=max).contains(&version) {
            violations.push(format!("{entity} has version {version}, not {min} to {max}"));
        }
    }

    /// Of several requests that expect the same version, at most one replaces it. An order that has the
    /// status already stays at its version.
    fn check_expected_versions(&self, violations: &mut Vec<String>) {
        let mut replaced: BTreeMap<_, u64> = BTreeMap::new();
        for exchange in self.exchanges {
            if exchange.outcome() == Outcome::Acknowledged
                && let Some(write) = exchange.operation.write()
                && let Some(version) = write.expected_version
                && exchange.answer.body["version"] != version
            {
                *replaced.entry((write.entity, version)).or_default() += 1;
            }
        }
        for ((entity, version), count) in replaced {
            if count > 1 {
                violations.push(format!("{count} changes replaced version {version} of {entity}"));
            }
        }
    }
}

/// Counts the requests by key, except those that have none.
pub(crate) fn count<K: Ord>(
    exchanges: &[Exchange],
    key: impl Fn(&Operation) -> Option<K>,
) -> BTreeMap<K, Count> {
    let mut counts: BTreeMap<K, Count> = BTreeMap::new();
    for exchange in exchanges {
        let Some(key) = key(&exchange.operation) else { continue };
        match exchange.outcome() {
            Outcome::Acknowledged => counts.entry(key).or_default().acknowledged += 1,
            Outcome::Unknown => counts.entry(key).or_default().unknown += 1,
            Outcome::Rejected => {}
        }
    }
    counts
}
