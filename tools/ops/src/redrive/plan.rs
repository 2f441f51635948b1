//! What is to be sent, in which order, and which file is done with when.

use std::path::{Path, PathBuf};

use storefront_order_status_stream::{Change, GivenUp, NotPublished};

use super::files::Folder;
use crate::error::Error;

pub(crate) struct Plan {
    files: Vec<File>,
    /// By order and version. A bucket says nothing of the order of its files, and shards nothing of
    /// each other's; an order's version does. Between orders no subscriber can expect any.
    changes: Vec<Change>,
    /// Which of the files each change is from.
    origins: Vec<usize>,
    /// How many of the changes are done with, one way or the other.
    done: usize,
}

struct File {
    path: PathBuf,
    /// Changes that are not delivered.
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
    pub(crate) fn new(folder: &Folder) -> Result<Self, Error> {
        let mut plan =
            Self { files: Vec::new(), changes: Vec::new(), origins: Vec::new(), done: 0 };
        let mut changes = Vec::new();
        for path in folder.files()? {
            let mut file = File { path, open: 0, state: State::Here };
            match folder.records(&file.path) {
                Ok(records) => {
                    for record in records {
                        match GivenUp::read(&record) {
                            GivenUp::Change(change) => {
                                changes.push((change, plan.files.len()));
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
        changes.sort_by_key(|(Change { event, .. }, _)| {
            (event.order_id, event.version, event.changed_at)
        });
        (plan.changes, plan.origins) = changes.into_iter().unzip();
        Ok(plan)
    }

    /// Every change, with the file that it is from.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&Change, &Path)> {
        let files = self.origins.iter().map(|&file| &*self.files[file].path);
        self.changes.iter().zip(files)
    }

    /// What is still to be sent.
    pub(crate) fn rest(&self) -> &[Change] {
        &self.changes[self.done..]
    }

    /// So many of the rest are delivered.
    pub(crate) fn delivered(&mut self, count: usize) {
        for &file in &self.origins[self.done..self.done + count] {
            self.files[file].open -= 1;
        }
        self.done += count;
    }

    /// The first of the rest is refused. What follows it of the same order is held back: nobody
    /// shall hear of an order's delivery before its payment.
    pub(crate) fn refused(&mut self, reason: &NotPublished) {
        let refused = self.done;
        let order_id = self.changes[refused].event.order_id;
        for change in refused..self.changes.len() {
            let event = &self.changes[change].event;
            if event.order_id != order_id {
                break;
            }
            let file = &mut self.files[self.origins[change]];
            if change == refused {
                file.leave(&format!("{} is not delivered: {reason}", event.event_id));
            } else {
                file.leave(&format!("{} is held back behind it", event.event_id));
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
