//! Where items go.

use storefront_core::schema::Item;

use super::display::Spent;
use super::import::Files;
use super::state::Progress;
use super::writer::Writer;
use crate::Error;

/// Takes items, and tells up to where they have arrived.
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

    /// Says what is true once all that came until now has arrived.
    pub(super) fn reach(&mut self, progress: &Progress) -> Result<(), Error> {
        match self {
            Self::Table(writer) => {
                writer.reach(progress);
                Ok(())
            }
            Self::Files(files) => files.reach(progress),
        }
    }

    /// The latest of that which is true by now, once.
    pub(super) fn settled(&mut self) -> Option<Progress> {
        match self {
            Self::Table(writer) => writer.settled(),
            Self::Files(files) => files.settled(),
        }
    }

    /// Waits until all has arrived.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        match self {
            Self::Table(writer) => writer.finish().await,
            Self::Files(files) => files.finish(),
        }
    }

    /// Adds what the sink itself has to remember.
    pub(super) fn complete(&self, progress: &mut Progress) {
        if let Self::Files(files) = self {
            files.written().clone_into(&mut progress.files);
        }
    }

    /// How many write capacity units were consumed.
    pub(super) fn units(&self) -> Option<f64> {
        match self {
            Self::Table(writer) => Some(writer.units()),
            Self::Files(_) => None,
        }
    }

    /// What is shown of it.
    pub(super) fn spent(&self) -> Option<Spent> {
        match self {
            Self::Table(writer) => {
                Some(Spent { units: writer.units(), of: "WCU", at_once: writer.window() })
            }
            Self::Files(_) => None,
        }
    }
}
