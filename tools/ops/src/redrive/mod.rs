//! `storefront-ops redrive`: publishes what the stream's event source mapping gave up.

mod files;
mod plan;

use std::path::Path;

use storefront_order_status_stream::{Change, Consumer};

use crate::error::Error;
use files::Folder;
use plan::Plan;

/// As many changes as a batch of the function has: after each, files that are done with are moved.
const BATCH: usize = 100;

/// Says what would be sent.
pub(crate) fn show(folder: &Path) -> Result<(), Error> {
    let plan = Plan::new(&Folder::new(folder))?;
    for (change, file) in plan.changes() {
        println!("would send {} ({})", outline(change), file.display());
    }
    plan.finish()
}

/// Sends it.
pub(crate) async fn run(consumer: &Consumer, bus: &str, folder: &Path) -> Result<(), Error> {
    let folder = Folder::new(folder);
    let mut plan = Plan::new(&folder)?;
    plan.move_delivered(&folder)?;
    while !plan.rest().is_empty() {
        let batch = &plan.rest()[..BATCH.min(plan.rest().len())];
        let (delivered, failure) = consumer.publish(batch).await;
        for change in &batch[..delivered] {
            println!("sent {}", outline(change));
        }
        plan.delivered(delivered);
        plan.move_delivered(&folder)?;
        match failure {
            None => {}
            Some(failure) if failure.is_of_this_event() => plan.refused(&failure),
            Some(source) => return Err(Error::Bus { bus: bus.to_owned(), source }),
        }
    }
    plan.finish()
}

/// One line, without anybody's data.
fn outline(Change { event, .. }: &Change) -> String {
    format!("{} {} -> {}", event.event_id, event.previous_status, event.status)
}
