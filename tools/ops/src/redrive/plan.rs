//! What is to be sent, in which order, and which file is done with when.

use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::event::{Event, GivenUp};
use super::files::Folder;
use crate::error::{Error, Refusal};

pub(crate) struct Plan {
    files: Vec<File>,
    /// By subject and version. A bucket says nothing of the order of its files, and shards nothing of
    /// each other's; a subject's version does. Between subjects no subscriber can expect any.
    events: Vec<Event>,
    /// Which of the files each event is from.
    origins: Vec<usize>,
    /// How many of the events are done with, one way or the other.
    done: usize,
}

struct File {
    path: PathBuf,
    /// Events that are not delivered.
    open: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// On the way.
    Here,
    Delivered,
    /// Something in it could not be delivered; it was said what.
    Left,
}

impl Plan {
    /// Reads all files, and says of each what cannot be read.
    pub(crate) fn new(folder: &Folder, read: fn(&RawValue) -> GivenUp) -> Result<Self, Error> {
        let mut plan = Self { files: Vec::new(), events: Vec::new(), origins: Vec::new(), done: 0 };
        let mut events = Vec::new();
        for path in folder.files()? {
            let mut file = File { path, open: 0, state: State::Here };
            match folder.records(&file.path) {
                Ok(records) => {
                    for record in records {
                        match read(&record) {
                            GivenUp::Event(event) => {
                                events.push((event, plan.files.len()));
                                file.open += 1;
                            }
                            GivenUp::Ignored => {}
                            GivenUp::Unreadable { sequence_number, reason } => {
                                let number = sequence_number.as_deref().unwrap_or("without number");
                                file.leave(&format!("record {number} cannot be read: {reason}"));
                            }
                        }
                    }
                }
                Err(error) => file.leave(&error.to_string()),
            }
            plan.files.push(file);
        }
        events.sort_by_key(|(Event { message, .. }, _)| {
            (message.envelope.event_id, message.envelope.time)
        });
        (plan.events, plan.origins) = events.into_iter().unzip();
        Ok(plan)
    }

    /// Every event, with the file that it is from.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Event, &Path)> {
        let files = self.origins.iter().map(|&file| &*self.files[file].path);
        self.events.iter().zip(files)
    }

    /// What is still to be sent.
    pub(crate) fn rest(&self) -> &[Event] {
        &self.events[self.done..]
    }

    /// So many of the rest are delivered.
    pub(crate) fn delivered(&mut self, count: usize) {
        for &file in &self.origins[self.done..self.done + count] {
            self.files[file].open -= 1;
        }
        self.done += count;
    }

    /// The first of the rest is refused. What follows it of the same subject is held back: nobody
    /// shall hear of an order's delivery before its payment.
    pub(crate) fn refused(&mut self, reason: &Refusal) {
        let refused = self.done;
        let subject = self.events[refused].message.envelope.event_id.subject;
        for event in refused..self.events.len() {
            let event_id = self.events[event].message.envelope.event_id;
            if event_id.subject != subject {
                break;
            }
            let file = &mut self.files[self.origins[event]];
            if event == refused {
                file.leave(&format!("{event_id} is not delivered: {reason}"));
            } else {
                file.leave(&format!("{event_id} is held back behind it"));
            }
            self.done += 1;
        }
    }

    /// Moves the files of which everything is delivered.
    pub(crate) fn move_delivered(&mut self, folder: &Folder) -> Result<(), Error> {
        let done = |file: &&mut File| file.state == State::Here && file.open == 0;
        for file in self.files.iter_mut().filter(done) {
            folder.move_to_delivered(&file.path)?;
            file.state = State::Delivered;
            println!("delivered {}", file.path.display());
        }
        Ok(())
    }

    /// Whether nothing is left that should not be.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.files.iter().filter(|file| file.state == State::Left).count() {
            0 => Ok(()),
            left => Err(Error::Left(left)),
        }
    }
}

impl File {
    fn leave(&mut self, reason: &str) {
        eprintln!("left {}: {reason}", self.path.display());
        self.state = State::Left;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize;
    use storefront_events::{Envelope, EventId, Message, NotPublished};
    use uuid::Uuid;

    use super::*;

    /// A record of which a parcel's event can be made: the shop has no parcels.
    #[derive(Deserialize)]
    struct Scan {
        parcel: u8,
        version: u64,
    }

    fn read(record: &RawValue) -> GivenUp {
        let Scan { parcel, version } = serde_json::from_str(record.get()).unwrap();
        let envelope = Envelope {
            event_id: EventId { subject: Uuid::from_bytes([parcel; 16]), version },
            time: "2026-11-22T09:30:00Z".parse().unwrap(),
            request_id: None,
        };
        let detail = record.get().to_owned();
        let message = Message { envelope, source: "depot", kind: "ParcelScanned", detail };
        GivenUp::Event(Event { message, outline: format!("parcel {parcel} scanned") })
    }

    fn scans(events: &[Event]) -> Vec<&str> {
        events.iter().map(|event| &*event.message.detail).collect()
    }

    #[test]
    fn events_of_a_kind_unknown_to_the_shop_go_out_in_order_and_wait_for_one_that_is_refused() {
        let bucket = tempfile::tempdir().unwrap();
        let put = |name: &str, records: &str| {
            let document = format!(r#"{{"payload":{{"Records":[{records}]}}}}"#);
            fs::write(bucket.path().join(name), document).unwrap();
        };
        put("a", r#"{"parcel":1,"version":11},{"parcel":2,"version":1}"#);
        put("b", r#"{"parcel":1,"version":9},{"parcel":1,"version":10}"#);
        put("c", r#"{"parcel":2,"version":2}"#);
        let folder = Folder::new(bucket.path());

        let mut plan = Plan::new(&folder, read).unwrap();
        let of_parcel_1 = [9, 10, 11].map(|v| format!(r#"{{"parcel":1,"version":{v}}}"#));
        let of_parcel_2 = [1, 2].map(|v| format!(r#"{{"parcel":2,"version":{v}}}"#));
        assert_eq!(scans(plan.rest()), [&of_parcel_1[..], &of_parcel_2].concat());

        plan.delivered(1);
        plan.refused(&Refusal(NotPublished::Refused { code: "InternalFailure".to_owned() }));
        assert_eq!(scans(plan.rest()), of_parcel_2, "the refused parcel's later events wait");

        plan.delivered(2);
        plan.move_delivered(&folder).unwrap();
        let left = Folder::new(bucket.path()).files().unwrap();
        assert_eq!(left, [Path::new("a"), Path::new("b")]);
        assert!(matches!(plan.finish(), Err(Error::Left(2))));
    }
}
