//! The events to send, their order, and when a file is done.

use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::event::{Event, GivenUp};
use super::files::Folder;
use crate::error::{Error, Refusal};

pub(crate) struct Plan {
    files: Vec<File>,
    /// Sorted by subject and version. Neither the files of a bucket nor the shards of a stream have
    /// an order among themselves, but a subject's versions do. Subscribers cannot expect an order
    /// between subjects.
    events: Vec<Event>,
    /// The index of each event's file.
    origins: Vec<usize>,
    /// How many events are done: delivered, refused or held back.
    done: usize,
}

struct File {
    path: PathBuf,
    /// The number of events that are not delivered.
    open: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// In progress.
    Here,
    Delivered,
    /// It stays, because something in it could not be delivered; the reason has been printed.
    Left,
}

impl Plan {
    /// Reads all files, and prints what cannot be read.
    pub(crate) fn new(folder: &Folder, read: fn(&RawValue) -> GivenUp) -> Result<Self, Error> {
        let mut plan = Self { files: Vec::new(), events: Vec::new(), origins: Vec::new(), done: 0 };
        let mut events = Vec::new();
        for path in folder.files()? {
            let mut file = File { path, open: 0, state: State::Here };
            match folder.records(&file.path) {
                Ok(records) => {
                    let mut ignored = 0;
                    let count = records.len();
                    for record in records {
                        match read(&record) {
                            GivenUp::Event(event) => {
                                events.push((event, plan.files.len()));
                                file.open += 1;
                            }
                            GivenUp::Ignored => ignored += 1,
                            GivenUp::Unreadable { sequence_number, reason } => {
                                let number = sequence_number.as_deref().unwrap_or("(no number)");
                                file.leave(&format!("record {number} cannot be read: {reason}"));
                            }
                        }
                    }
                    if ignored == count {
                        file.leave("it has no event: its records are another function's");
                    }
                }
                Err(error) => file.leave(&error.to_string()),
            }
            plan.files.push(file);
        }
        if plan.files.is_empty() {
            eprintln!("there are no files to deliver in {}", folder.path().display());
        }
        events.sort_by_key(|(Event { message, .. }, _)| {
            (message.envelope.event_id, message.envelope.time)
        });
        (plan.events, plan.origins) = events.into_iter().unzip();
        Ok(plan)
    }

    /// Iterates over all events, each with its file.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Event, &Path)> {
        let files = self.origins.iter().map(|&file| &*self.files[file].path);
        self.events.iter().zip(files)
    }

    /// Returns the events that are still to be sent.
    pub(crate) fn rest(&self) -> &[Event] {
        &self.events[self.done..]
    }

    /// Records that the first `count` events of the rest are delivered.
    pub(crate) fn delivered(&mut self, count: usize) {
        for &file in &self.origins[self.done..self.done + count] {
            self.files[file].open -= 1;
        }
        self.done += count;
    }

    /// Records that the first event of the rest is refused. Later events of the same subject are
    /// held back, so that no subscriber hears of an order's delivery before its payment.
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
                file.leave(&format!("{event_id} is held back behind an undelivered one"));
            }
            self.done += 1;
        }
    }

    /// Moves the files whose events are all delivered.
    pub(crate) fn move_delivered(&mut self, folder: &Folder) -> Result<(), Error> {
        let done = |file: &&mut File| file.state == State::Here && file.open == 0;
        for file in self.files.iter_mut().filter(done) {
            folder.move_to_delivered(&file.path)?;
            file.state = State::Delivered;
            println!("delivered {}", file.path.display());
        }
        Ok(())
    }

    /// Returns an error if any file had to be left.
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

    /// A record that becomes an event of a parcel. The shop has no parcels.
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
    fn events_of_a_new_kind_are_sent_in_order_and_held_back_behind_a_refused_one() {
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
