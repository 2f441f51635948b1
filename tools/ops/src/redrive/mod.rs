//! `storefront-ops redrive`: publishes what the stream's event source mapping gave up.

mod event;
mod files;
mod plan;

use std::path::Path;

use storefront_events::{Message, Publisher};

use crate::error::{Error, Refusal};
use event::GivenUp;
use files::Folder;
use plan::Plan;

/// As many events as a batch of the function has: after each, files that are done with are moved.
const BATCH: usize = 100;

/// Says what would be sent.
pub(crate) fn show(folder: &Path) -> Result<(), Error> {
    let plan = Plan::new(&Folder::new(folder), GivenUp::read)?;
    for (event, file) in plan.events() {
        println!("would send {event} ({})", file.display());
    }
    plan.finish()
}

/// Sends it.
pub(crate) async fn run(publisher: &Publisher, bus: &str, folder: &Path) -> Result<(), Error> {
    let folder = Folder::new(folder);
    let mut plan = Plan::new(&folder, GivenUp::read)?;
    plan.move_delivered(&folder)?;
    while !plan.rest().is_empty() {
        let batch = &plan.rest()[..BATCH.min(plan.rest().len())];
        let messages: Vec<&Message> = batch.iter().map(|event| &event.message).collect();
        let (delivered, failure) = publisher.publish(&messages, None).await;
        for event in &batch[..delivered] {
            println!("sent {event}");
        }
        plan.delivered(delivered);
        plan.move_delivered(&folder)?;
        match failure {
            None => {}
            Some(failure) if failure.is_of_this_event() => plan.refused(&Refusal(failure)),
            Some(failure) => {
                return Err(Error::Bus { bus: bus.to_owned(), source: Refusal(failure) });
            }
        }
    }
    plan.finish()
}
