//! Generates batches of stream records from the one in `events/`.

use std::collections::HashMap;
use std::path::Path;

use crate::{Error, event};

/// The largest batch of DynamoDB's event source mapping.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
pub(super) const MAX_RECORDS: u32 = 10_000;

/// The largest payload of an invocation, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_PAYLOAD: usize = 6 << 20;

/// Placeholders in a record for values that differ each time.
const ORDER: &str = "<order>";
const NUMBER: &str = "<number>";

/// Makes batches that never repeat an order or a sequence number.
pub(super) struct Batches {
    record: String,
    version: String,
    made: u64,
}

pub(super) struct Batch {
    /// The event for the function.
    pub(super) payload: String,
    event_ids: Vec<String>,
}

impl Batches {
    /// Reads the record from `root/events`.
    pub(super) fn read(root: &Path) -> Result<Self, Error> {
        let event = event::read(root, "order-events/status-change")?;
        let mut record = event["Records"][0].clone();
        let image = &record["dynamodb"]["NewImage"];
        let [order, version] = [&image["id"]["S"], &image["version"]["N"]]
            .map(|text| text.as_str().unwrap_or_default().to_owned());
        record["eventID"] = NUMBER.into();
        record["dynamodb"]["SequenceNumber"] = NUMBER.into();
        let record = record.to_string().replace(&order, ORDER);
        Ok(Self { record, version, made: 0 })
    }

    /// Fails if batches of this size exceed Lambda's payload limit.
    pub(super) fn check(&mut self, size: u32) -> Result<(), Error> {
        let bytes = self.next(size).payload.len();
        if bytes <= MAX_PAYLOAD { Ok(()) } else { Err(Error::BatchTooLarge { size, bytes }) }
    }

    /// Returns a batch of `size` new changes.
    pub(super) fn next(&mut self, size: u32) -> Batch {
        let mut payload = String::from(r#"{"Records":["#);
        let mut event_ids = Vec::new();
        for _ in 0..size {
            self.made += 1;
            let order = format!("01930000-0000-7000-8000-{:012x}", self.made);
            let number = format!("4000003{:020}", self.made);
            if !event_ids.is_empty() {
                payload.push(',');
            }
            payload.push_str(&self.record.replace(ORDER, &order).replace(NUMBER, &number));
            event_ids.push(format!("{order}:{}", self.version));
        }
        payload.push_str("]}");
        Batch { payload, event_ids }
    }
}

impl Batch {
    /// Fails unless these events, each with its count, are exactly those of the batch, once each.
    pub(super) fn was_published_once(&self, events: &HashMap<String, u32>) -> Result<(), Error> {
        let is_once = |id: &String| events.get(id) == Some(&1);
        if events.len() == self.event_ids.len() && self.event_ids.iter().all(is_once) {
            return Ok(());
        }
        let missing = self.event_ids.iter().filter(|id| !events.contains_key(*id)).count();
        let doubled = events.values().filter(|times| **times > 1).count();
        Err(Error::NotOnce { changes: self.event_ids.len(), missing, doubled })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    fn batches() -> Batches {
        Batches::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
    }

    #[test]
    fn no_two_records_share_an_order_or_a_sequence_number() {
        let mut batches = batches();
        let (mut orders, mut numbers) = (HashSet::new(), HashSet::new());
        for _ in 0..2 {
            let payload: Value = serde_json::from_str(&batches.next(50).payload).unwrap();
            for record in payload["Records"].as_array().unwrap() {
                let change = &record["dynamodb"];
                let id = &change["NewImage"]["id"]["S"];
                assert_eq!(*id, change["OldImage"]["id"]["S"]);
                assert!(
                    change["Keys"]["SK"]["S"].as_str().unwrap().ends_with(id.as_str().unwrap())
                );
                assert!(orders.insert(id.to_string()));
                assert!(numbers.insert(change["SequenceNumber"].to_string()));
            }
        }
        assert_eq!((orders.len(), numbers.len()), (100, 100));
    }

    #[test]
    fn a_thousand_records_fit_into_lambdas_payload_limit() {
        assert!(batches().check(1_000).is_ok());
        assert!(batches().check(MAX_RECORDS).is_err());
    }

    #[test]
    fn a_missing_duplicate_or_foreign_change_is_noticed() {
        let batch = batches().next(2);
        let [first, second] = [0, 1].map(|at| batch.event_ids[at].clone());
        let is_once = |events: &[(&String, u32)]| {
            let events = events.iter().map(|(id, times)| ((*id).clone(), *times)).collect();
            batch.was_published_once(&events).is_ok()
        };
        assert!(is_once(&[(&first, 1), (&second, 1)]));
        assert!(!is_once(&[(&first, 1)]));
        assert!(!is_once(&[(&first, 1), (&second, 2)]));
        assert!(!is_once(&[(&first, 1), (&"another".to_owned(), 1)]));
    }
}
