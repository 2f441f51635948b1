//! Everything in a batch that can be delivered is, in order, and what cannot be read is put aside; the
//! response names the first record for which neither was possible, and no other.

#![no_main]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use storefront_events::{Record as Read, eventbridge};
use storefront_fuzz::aws::{self, Log};
use storefront_fuzz::functions::runtime;
use storefront_fuzz::records::{Batch, Record};
use storefront_order_events::{Bucket, Consumer, StreamBatch};
use tokio::runtime::Runtime;

thread_local!(static BUS: Bus = Bus::default());

fuzz_target!(|batch: Batch| BUS.with(|bus| bus.check(&batch)));

/// The consumer, and a bus that rejects one of all entries.
struct Bus {
    runtime: Runtime,
    consumer: Consumer,
    log: Log,
    /// How many entries come before the rejected one.
    until_refusal: Arc<AtomicUsize>,
}

impl Default for Bus {
    fn default() -> Self {
        let until_refusal = Arc::new(AtomicUsize::new(usize::MAX));
        let counter = Arc::clone(&until_refusal);
        let (config, log) = aws::config(move |request| {
            if request.action == "PutObject" {
                return json!({});
            }
            let entries = request.body["Entries"].as_array().unwrap();
            let result = |_| match counter.fetch_sub(1, Ordering::Relaxed) {
                0 => json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "on purpose" }),
                _ => json!({ "EventId": "x" }),
            };
            let results: Vec<Value> = entries.iter().map(result).collect();
            let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
            json!({ "FailedEntryCount": failed, "Entries": results })
        });
        let bucket = Bucket::new(&config, aws::endpoint(), "bucket");
        let consumer = Consumer::new(eventbridge(&config, aws::endpoint()), "bus", bucket);
        Self { runtime: runtime(), consumer, log, until_refusal }
    }
}

impl Bus {
    fn check(&self, batch: &Batch) {
        let (made, records): (Vec<&Record>, Vec<_>) = batch
            .records
            .iter()
            .enumerate()
            .filter_map(|(place, record)| Some((record, record.json(place)?)))
            .unzip();
        let read: Vec<Read> = records.iter().map(|record| Read::read(record)).collect();
        for (made, read) in made.iter().zip(&read) {
            if let Record::Paid { .. } = made {
                assert!(matches!(read, Read::Change(_)), "{made:?} {read:?}");
            }
        }

        let refused = batch.refused.map_or(usize::MAX, usize::from);
        self.until_refusal.store(refused, Ordering::Relaxed);
        let event = LambdaEvent::new(StreamBatch { records }, Context::default());
        let answer = self.runtime.block_on(self.consumer.handle(event));
        let (sent, put_aside) = self.sent_and_put_aside();

        let (expected, delivered, unreadable) = expected(&read, refused);
        let names = answer.batch_item_failures.into_iter();
        let names: Vec<_> = names.map(|name| name.item_identifier.expect("a name")).collect();
        assert_eq!(names, expected, "{read:?}");
        assert_eq!(put_aside, unreadable, "{read:?}");
        assert!(sent.starts_with(&delivered), "{sent:?} {delivered:?}");
        // Besides the delivered events, at most the rest of the rejected entry's call.
        assert!(sent.len() <= delivered.len() + 10);
    }

    /// The ids of all events that were sent, in order, and the number of records that were put aside.
    fn sent_and_put_aside(&self) -> (Vec<String>, usize) {
        let (puts, calls): (Vec<_>, Vec<_>) =
            self.log.take().into_iter().partition(|request| request.action == "PutObject");
        let entries = calls.into_iter().flat_map(|mut request| {
            let Value::Array(entries) = request.body["Entries"].take() else {
                panic!("no entries")
            };
            entries
        });
        let detail = |entry: Value| -> Value {
            serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap()
        };
        let ids = entries.map(|entry| detail(entry)["eventId"].as_str().unwrap().to_owned());
        (ids.collect(), puts.len())
    }
}

/// The names in the expected response, the events that must have been sent, and the number of records
/// that must have been put aside.
fn expected(read: &[Read], refused: usize) -> (Vec<String>, Vec<String>, usize) {
    let mut sent = Vec::new();
    let mut unreadable = 0;
    for record in read {
        match record {
            Read::Change(change) if sent.len() == refused => {
                return (vec![change.sequence_number.clone()], sent, unreadable);
            }
            Read::Change(change) => sent.push(change.message.envelope.event_id.to_string()),
            Read::Unreadable(_) => unreadable += 1,
            Read::Ignored => {}
        }
    }
    (Vec::new(), sent, unreadable)
}
