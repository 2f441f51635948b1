//! Where the items of a load go.

use storefront_core::schema::Item;

use super::display::Spent;
use super::import::Files;
use super::state::Progress;
use super::writer::Writer;
use crate::Error;

/// Takes items, and knows up to which point all of them have been written.
#[derive(Debug)]
pub(super) enum Sink {
    Table(Writer),
    Files(Files),
}

impl Sink {
    pub(super) async fn put(&mut self, items: Vec<Item>) -> Result<(), Error> {
        match self {
            Self::Table(writer) => writer.put(items).await,
            Self::Files(files) => files.put(items),
        }
    }

    /// Sets the progress that is reached once everything put so far has been written.
    pub(super) fn reach(&mut self, progress: &Progress) -> Result<(), Error> {
        match self {
            Self::Table(writer) => {
                writer.reach(progress);
                Ok(())
            }
            Self::Files(files) => files.reach(progress),
        }
    }

    /// Takes the latest progress that has been reached by now.
    pub(super) fn settled(&mut self) -> Option<Progress> {
        match self {
            Self::Table(writer) => writer.settled(),
            Self::Files(files) => files.settled(),
        }
    }

    /// Waits until everything has been written.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::Table(writer) => writer.finish().await,
            Self::Files(files) => files.finish(),
        }
    }

    /// Adds what the sink itself must remember.
    pub(super) fn complete(&self, progress: &mut Progress) {
        if let Self::Files(files) = self {
            files.written().clone_into(&mut progress.files);
        }
    }

    /// Returns how many write capacity units were consumed; `None` for files.
    pub(super) fn units(&self) -> Option<f64> {
        match self {
            Self::Table(writer) => Some(writer.units()),
            Self::Files(_) => None,
        }
    }

    /// Returns what to display.
    pub(super) fn spent(&self) -> Option<Spent> {
        match self {
            Self::Table(writer) => {
                Some(Spent { units: writer.units(), of: "WCU", at_once: writer.window() })
            }
            Self::Files(_) => None,
        }
    }
}
