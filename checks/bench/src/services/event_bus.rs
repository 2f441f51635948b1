//! A fake EventBridge for `PutEvents`: it accepts everything, and counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

/// A fake event bus.
#[derive(Clone, Default)]
pub(crate) struct EventBus(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    latency: Duration,
    in_flight: u32,
    received: Received,
}

/// The calls and events that the bus received.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Received {
    pub(crate) calls: u32,
    /// The maximum number of concurrent calls.
    pub(crate) most_in_flight: u32,
    /// How often each event was received, by `eventId`.
    pub(crate) events: HashMap<String, u32>,
}

impl EventBus {
    /// Delays each answer by this time from now on.
    pub(crate) fn answer_after(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Returns what was received since the last call of this.
    pub(crate) fn take(&self) -> Received {
        std::mem::take(&mut self.state().received)
    }

    /// Counts the entries of a call, and answers it.
    pub(super) async fn put(&self, request: &Value) -> Value {
        let entries = request["Entries"].as_array().map_or(&[][..], Vec::as_slice);
        let latency = {
            let mut state = self.state();
            state.in_flight += 1;
            let State { in_flight, received, latency } = &mut *state;
            received.calls += 1;
            received.most_in_flight = received.most_in_flight.max(*in_flight);
            for entry in entries {
                *received.events.entry(event_id(entry)).or_default() += 1;
            }
            *latency
        };
        // A guard, because the caller may go away during the delay.
        let _in_flight = InFlight(self);
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let id = json!({ "EventId": "17793124-05d4-b198-2fde-7ededc63b103" });
        json!({ "FailedEntryCount": 0, "Entries": vec![id; entries.len()] })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct InFlight<'a>(&'a EventBus);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
    }
}

/// Reads the `eventId` from an entry's detail, which is JSON in a string.
fn event_id(entry: &Value) -> String {
    let detail = entry["Detail"].as_str().unwrap_or_default();
    let detail: Value = serde_json::from_str(detail).unwrap_or_default();
    detail["eventId"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(event_ids: &[&str]) -> Value {
        let entry = |id: &&str| json!({ "Detail": json!({ "eventId": id }).to_string() });
        json!({ "Entries": event_ids.iter().map(entry).collect::<Vec<_>>() })
    }

    #[tokio::test]
    async fn calls_in_flight_and_events_are_counted() {
        let bus = EventBus::default();
        bus.answer_after(Duration::from_millis(1));
        let (first, second) = (call(&["a", "b"]), call(&["b"]));
        let (answer, _) = tokio::join!(bus.put(&first), bus.put(&second));
        assert_eq!(answer["Entries"].as_array().map(Vec::len), Some(2));
        bus.put(&call(&["c"])).await;

        let events = [("a", 1), ("b", 2), ("c", 1)].map(|(id, times)| (id.to_owned(), times));
        let expected = Received { calls: 3, most_in_flight: 2, events: events.into() };
        assert_eq!(bus.take(), expected);
        assert_eq!(bus.take(), Received::default());
    }
}
