//! Runs scripts against the shop and the model. Nothing here is about one entity.

pub(crate) mod client;
pub(crate) mod collection;
mod explanation;
pub(crate) mod generate;
mod interleaving;
pub(crate) mod operation;
pub(crate) mod response;
pub(crate) mod script;
pub(crate) mod setup;
pub(crate) mod table;

use std::fmt::Write as _;

use crate::entities::{Model, read_everything};
use client::send;
use explanation::explain;
use interleaving::interleave;
use script::{Script, Step};
use setup::{RunningShop, Setup, initial_steps};

/// Runs the script in a new shop. An error names the step at which the shop did something that the
/// model cannot explain.
pub(crate) async fn run_script(setup: &Setup, script: &Script) -> Result<(), String> {
    // The shop picks stock items at random: the same ones in each run of a script.
    fastrand::seed(7);
    let (shop, mut model) = setup.open(script).await;
    for step in initial_steps(script.spread) {
        model = run_step(&shop, model, &step)
            .await
            .map_err(|why| format!("before the first step: {why}"))?;
    }
    for (number, step) in script.steps.iter().enumerate() {
        model =
            run_step(&shop, model, step).await.map_err(|why| format!("step {number}: {why}"))?;
    }
    let table = shop.items().await;
    for read in read_everything(&model) {
        let actual = [Box::pin(send(&shop.functions, &read, &model, true)).await];
        explain(&Step::alone(read), &model, &actual, &table)
            .map_err(|why| format!("reading everything at the end: {why}"))?;
    }
    Ok(())
}

/// Runs one step, and returns the model after it.
async fn run_step(shop: &RunningShop, before: Model, step: &Step) -> Result<Model, String> {
    let all_pages = step.operations.len() == 1;
    let operations = step
        .operations
        .iter()
        .map(|operation| Box::pin(send(&shop.functions, operation, &before, all_pages)))
        .collect();
    let (actual, served) = interleave(operations, &step.interleaving).await;
    explain(step, &before, &actual, &shop.items().await).map_err(|mut why| {
        why.push_str("\n  requests to DynamoDB:");
        for (number, action) in served {
            let _ = write!(why, " {}:{action}", letter(number));
        }
        why
    })
}

/// The name of an operation in a step's messages.
fn letter(number: usize) -> char {
    ('a'..='z').nth(number).unwrap_or('?')
}
