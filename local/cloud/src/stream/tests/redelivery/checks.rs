//! The conditions that must hold after every run.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::Value;

use super::bus::{detail, event_id};
use super::scenario::Scenario;
use super::writes::{Meaning, Written};

/// The outcome of a run.
pub(super) struct Played {
    pub(super) stream: Vec<Written>,
    pub(super) never_accepted: BTreeSet<String>,
    /// Whether everything was acknowledged in the end.
    pub(super) has_ended: bool,
    pub(super) invocations: Vec<Invocation>,
    pub(super) accepted: Vec<Value>,
    pub(super) largest_call: usize,
    pub(super) given_up: Vec<GivenUp>,
}

/// An invocation of the function.
pub(super) struct Invocation {
    /// The number of the process that made it.
    pub(super) life: usize,
    /// Their positions in the stream.
    pub(super) records: Vec<usize>,
    pub(super) has_delivered_all: bool,
}

/// A document in the on-failure destination.
pub(super) struct GivenUp {
    pub(super) life: usize,
    pub(super) records: Vec<usize>,
    /// The number of invocations before it.
    pub(super) after: usize,
}

impl Played {
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        prop_assert!(self.has_ended, "records are blocked forever");
        prop_assert!(self.largest_call <= 10, "PutEvents takes 10 entries");
        self.check_events()?;
        self.check_order()?;
        self.check_given_up(scenario)?;
        self.check_fates(scenario)?;
        self.check_effort(scenario)
    }

    /// Events must belong to status changes, have the right content, and be identical when
    /// repeated.
    fn check_events(&self) -> Result<(), TestCaseError> {
        let mut seen = HashMap::new();
        for entry in &self.accepted {
            let id = event_id(entry);
            let expected = self.changes().find(|(_, _, _, event_id, _)| **event_id == id);
            let Some((_, _, _, _, expected)) = expected else {
                return Err(TestCaseError::fail(format!("{id} is not a readable change")));
            };
            prop_assert_eq!(&detail(entry), expected);
            let first = seen.entry(id).or_insert(entry);
            prop_assert_eq!(&*first, &entry, "a duplicate differs");
        }
        Ok(())
    }

    /// Each order's changes must arrive in the order of their versions, apart from duplicates.
    /// Records that were given up may arrive at any time, because the bus may have accepted them
    /// without confirmation.
    fn check_order(&self) -> Result<(), TestCaseError> {
        let mut arrived = HashMap::<u8, Vec<u64>>::new();
        for entry in &self.accepted {
            let id = event_id(entry);
            let (place, order, version, ..) =
                self.changes().find(|(_, _, _, event_id, _)| **event_id == id).unwrap();
            let versions = arrived.entry(order).or_default();
            if !versions.contains(&version) && !self.is_given_up(place) {
                versions.push(version);
            }
        }
        for (order, versions) in arrived {
            prop_assert!(versions.is_sorted(), "order {order} arrived as {versions:?}");
        }
        Ok(())
    }

    /// Records must be given up one by one. Each must have had as many failed invocations of its
    /// own as the mapping allows, and none afterwards.
    fn check_given_up(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let tries = 1 + scenario.mapping.retries as usize;
        for given_up in &self.given_up {
            let [record] = given_up.records[..] else {
                return Err(TestCaseError::fail(format!("{:?} given up", given_up.records)));
            };
            let of_record = |invocation: &&Invocation| {
                invocation.life == given_up.life && invocation.records.contains(&record)
            };
            let (before, after) = self.invocations.split_at(given_up.after);
            prop_assert_eq!(after.iter().filter(of_record).count(), 0, "record {} again", record);
            let alone = before.iter().filter(of_record).filter(|one| one.records.len() == 1);
            let delivered: Vec<_> = alone.map(|one| one.has_delivered_all).collect();
            prop_assert_eq!(delivered, vec![false; tries], "tries of record {}", record);
        }
        Ok(())
    }

    /// Every status change must be delivered or given up. Unreadable records must be given up, and
    /// no others may.
    fn check_fates(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let delivered: BTreeSet<_> = self.accepted.iter().map(event_id).collect();
        for (place, Written { record, meaning }) in self.stream.iter().enumerate() {
            let is_filtered_out = scenario.mapping.is_filtered && !matches(&record.event);
            let is_given_up = self.is_given_up(place);
            match meaning {
                _ if is_filtered_out => {
                    prop_assert!(!is_given_up, "record {place} matches no filter");
                }
                Meaning::Nothing => prop_assert!(!is_given_up, "record {place} is not a change"),
                Meaning::Unreadable => prop_assert!(is_given_up, "record {place} is lost"),
                Meaning::Change { event_id, .. } => {
                    let is_delivered = delivered.contains(event_id);
                    prop_assert!(is_delivered || is_given_up, "{event_id} is lost");
                    if self.never_accepted.contains(event_id) {
                        prop_assert!(!is_delivered, "{event_id} cannot have been delivered");
                    }
                }
            }
        }
        Ok(())
    }

    /// No record may be retried without limit: each invocation with several records either makes
    /// progress or halves them.
    fn check_effort(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let size = scenario.mapping.batch_size;
        let most = size + size.ilog2() as usize + 2 + scenario.mapping.retries as usize;
        let mut counts = HashMap::<_, usize>::new();
        for invocation in &self.invocations {
            prop_assert!(invocation.records.len() <= size);
            for record in &invocation.records {
                *counts.entry((invocation.life, record)).or_default() += 1;
            }
        }
        for ((_, record), count) in counts {
            prop_assert!(count <= most, "record {record}: {count} invocations of at most {most}");
        }
        Ok(())
    }

    fn is_given_up(&self, place: usize) -> bool {
        self.given_up.iter().any(|given_up| given_up.records.contains(&place))
    }

    /// Returns the place, order, version, event id and detail of every change.
    fn changes(&self) -> impl Iterator<Item = (usize, u8, u64, &String, &Value)> {
        self.stream.iter().enumerate().filter_map(|(place, written)| match &written.meaning {
            Meaning::Change { order, version, event_id, detail } => {
                Some((place, *order, *version, event_id, detail))
            }
            _ => None,
        })
    }
}

/// An independent implementation of the template's filter.
fn matches(event: &Value) -> bool {
    if !event.is_object() {
        return true;
    }
    let is_order = |image: &str| event["dynamodb"][image]["_type"]["S"] == "Order";
    event["eventName"] == "MODIFY" && is_order("OldImage") && is_order("NewImage")
}
