//! `storefront-ops redrive`: publishes the events that the event source mapping gave up on, and those
//! of records that the function put aside.

mod event;
mod files;
mod plan;

use std::path::Path;

use storefront_events::{Message, Publisher};

use crate::error::{Error, Refusal};
use event::GivenUp;
use files::Folder;
use plan::Plan;

/// The function's batch size. After each batch, completely delivered files are moved.
const BATCH: usize = 100;

/// Prints the events that would be sent.
pub(crate) fn show(folder: &Path) -> Result<(), Error> {
    let plan = Plan::new(&Folder::new(folder), GivenUp::read)?;
    for (event, file) in plan.events() {
        println!("would send {event} ({})", file.display());
    }
    plan.finish()
}

/// Sends the events.
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
