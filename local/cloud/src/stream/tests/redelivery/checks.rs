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
    /// Whether everything was acknowledged in the end.
    pub(super) has_ended: bool,
    /// The number of processes, of which all but the last were killed.
    pub(super) lives: usize,
    pub(super) invocations: Vec<Invocation>,
    pub(super) accepted: Vec<Value>,
    /// The ids of events that the bus refused for good.
    pub(super) refused: BTreeSet<String>,
    /// The requests to EventBridge and S3 that were not simply answered.
    pub(super) faults: usize,
    pub(super) largest_call: usize,
    /// The objects that the function put aside.
    pub(super) put_aside: Vec<PutAside>,
    /// The records that the event source mapping gave up.
    pub(super) given_up: Vec<usize>,
}

/// An invocation of the function.
pub(super) struct Invocation {
    /// Their positions in the stream.
    pub(super) records: Vec<usize>,
    pub(super) has_delivered_all: bool,
}

/// An object in the bucket.
pub(super) struct PutAside {
    /// Its position in the stream.
    pub(super) record: usize,
    pub(super) condition: String,
}

impl Played {
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        prop_assert!(self.has_ended, "records are blocked forever");
        prop_assert!(self.largest_call <= 10, "PutEvents takes 10 entries");
        prop_assert!(self.given_up.is_empty(), "the mapping gave up {:?}", self.given_up);
        self.check_events()?;
        self.check_order()?;
        self.check_fates(scenario)?;
        self.check_effort(scenario)
    }

    /// Events must belong to changes, have the right content, and be identical when
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
    fn check_order(&self) -> Result<(), TestCaseError> {
        let mut arrived = HashMap::<u8, Vec<u64>>::new();
        for entry in &self.accepted {
            let id = event_id(entry);
            let (_, order, version, ..) =
                self.changes().find(|(_, _, _, event_id, _)| **event_id == id).unwrap();
            let versions = arrived.entry(order).or_default();
            if !versions.contains(&version) && !self.refused.contains(&id) {
                versions.push(version);
            }
        }
        for (order, versions) in arrived {
            prop_assert!(versions.is_sorted(), "order {order} arrived as {versions:?}");
        }
        Ok(())
    }

    /// Every change must be delivered, or put aside once if the bus refuses it for good. Unreadable
    /// records must be put aside once. No other record may be put aside.
    fn check_fates(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let delivered: BTreeSet<_> = self.accepted.iter().map(event_id).collect();
        for (place, Written { record, meaning }) in self.stream.iter().enumerate() {
            let is_filtered_out = scenario.mapping.is_filtered && !matches(&record.event);
            let objects = self.put_aside.iter().filter(|object| object.record == place);
            let conditions: Vec<_> = objects.map(|object| &*object.condition).collect();
            match meaning {
                _ if is_filtered_out => {
                    prop_assert!(conditions.is_empty(), "record {place} matches no filter");
                }
                Meaning::Nothing => {
                    prop_assert!(conditions.is_empty(), "record {place} is not a change");
                }
                Meaning::Unreadable => {
                    prop_assert_eq!(conditions, ["RecordUnreadable"], "record {}", place);
                }
                Meaning::Change { event_id, .. } if conditions.is_empty() => {
                    prop_assert!(delivered.contains(event_id), "{event_id} is lost");
                }
                Meaning::Change { event_id, .. } => {
                    prop_assert_eq!(conditions, ["EventRefused"], "{}", event_id);
                    prop_assert!(self.refused.contains(event_id), "{event_id} was not refused");
                }
            }
        }
        Ok(())
    }

    /// No record may cause a retry by itself: each invocation that does not get to its end had to do
    /// with a request that was not simply answered, or with a process that was killed.
    fn check_effort(&self, scenario: &Scenario) -> Result<(), TestCaseError> {
        let size = scenario.mapping.batch_size;
        prop_assert!(self.invocations.iter().all(|invocation| invocation.records.len() <= size));
        let incomplete = self.invocations.iter().filter(|invocation| !invocation.has_delivered_all);
        let (incomplete, causes) = (incomplete.count(), self.faults + self.lives - 1);
        prop_assert!(incomplete <= causes, "{incomplete} incomplete invocations, {causes} causes");
        Ok(())
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
    match event["eventName"].as_str() {
        Some("INSERT") => is_order("NewImage"),
        Some("MODIFY") => is_order("OldImage") && is_order("NewImage"),
        _ => false,
    }
}
