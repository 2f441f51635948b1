//! Everything in a batch that can be delivered is, in order; the response names the first record
//! that was not, and no other.

#![no_main]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lambda_runtime::{Context, LambdaEvent};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use storefront_events::{Change, Record as Read, eventbridge};
use storefront_fuzz::aws::{self, Log};
use storefront_fuzz::functions::runtime;
use storefront_fuzz::records::{Batch, Record};
use storefront_order_status_stream::{Consumer, StreamBatch};
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
            let entries = request.body["Entries"].as_array().unwrap();
            let result = |_| match counter.fetch_sub(1, Ordering::Relaxed) {
                0 => json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "on purpose" }),
                _ => json!({ "EventId": "x" }),
            };
            let results: Vec<Value> = entries.iter().map(result).collect();
            let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
            json!({ "FailedEntryCount": failed, "Entries": results })
        });
        let consumer = Consumer::new(eventbridge(&config, aws::endpoint()), "bus");
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
        let sent = self.sent();

        let (expected, delivered) = expected(&read, refused);
        let answer = answer.ok().map(|answer| {
            let names = answer.batch_item_failures.into_iter();
            names.map(|name| name.item_identifier.expect("a name")).collect::<Vec<_>>()
        });
        assert_eq!(answer, expected, "{read:?}");
        assert!(sent.starts_with(&delivered), "{sent:?} {delivered:?}");
        // Besides the delivered events, at most the rest of the rejected entry's call.
        assert!(sent.len() <= delivered.len() + 10);
    }

    /// The ids of all events that were sent, in order.
    fn sent(&self) -> Vec<String> {
        let entries = self.log.take().into_iter().flat_map(|mut request| {
            let Value::Array(entries) = request.body["Entries"].take() else {
                panic!("no entries")
            };
            entries
        });
        let detail = |entry: Value| -> Value {
            serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap()
        };
        entries.map(|entry| detail(entry)["eventId"].as_str().unwrap().to_owned()).collect()
    }
}

/// The expected response (`None` if the function fails, so that the batch is halved), and the
/// events that must have been sent.
fn expected(read: &[Read], refused: usize) -> (Option<Vec<String>>, Vec<String>) {
    let end = read.iter().position(|record| matches!(record, Read::Unreadable(_)));
    let readable = &read[..end.unwrap_or(read.len())];
    let changes: Vec<&Change> = readable
        .iter()
        .filter_map(|record| match record {
            Read::Change(change) => Some(change),
            _ => None,
        })
        .collect();
    let events = |changes: &[&Change]| {
        changes
            .iter()
            .map(|change| change.message.envelope.event_id.to_string())
            .collect::<Vec<_>>()
    };
    if let Some(failed) = changes.get(refused) {
        return (Some(vec![failed.sequence_number.clone()]), events(&changes[..refused]));
    }
    let answer = match end {
        None => Some(vec![]),
        Some(0) if read.len() > 1 => None,
        Some(place) => match &read[place] {
            Read::Unreadable(record) => {
                Some(vec![record.sequence_number.clone().unwrap_or_default()])
            }
            _ => unreachable!("it was found to be unreadable"),
        },
    };
    (answer, events(&changes))
}
