//! `storefront-ops check`: goes through a deployed shop as a customer does, and says what does not
//! work, why, and what to do.

mod aws;
mod clean_up;
mod denied;
mod diagnosis;
mod http;
mod interrupt;
mod logs;
mod metrics;
mod register;
mod report;
mod shop;
mod stack;
mod steps;
mod visit;
mod xml;

use std::time::Duration;

use storefront_core::Table;
use storefront_core::aws::{dynamodb, endpoint_url, operator_config};

use crate::error::Error;
use aws::Aws;
use http::Http;
use interrupt::Interrupts;
use report::Report;
use shop::Shop;
use stack::Stack;
use visit::Visit;

pub(crate) use aws::AwsError;

#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// The name of the stack.
    #[arg(long)]
    stack: String,
    /// How long to wait for what follows a request, in seconds. CloudWatch takes up to some minutes
    /// to count an event.
    #[arg(long, default_value = "300", value_name = "SECONDS")]
    timeout: u64,
    /// Orders a product of this category, and cancels the order at once. Without it, the check adds
    /// a product of its own to the table, in a category that nobody knows, and deletes it at the
    /// end.
    #[arg(long)]
    category: Option<String>,
    /// Another URL of the API than the stack's output `ApiUrl`, such as that of a custom domain.
    #[arg(long)]
    url: Option<String>,
}

pub(crate) async fn run(args: CheckArgs) -> Result<(), Error> {
    let config = operator_config().await?;
    let http = Http::new()?;
    let aws = Aws::new(http.clone(), config.clone());
    let stack = Stack::read(&aws, &args.stack).await?;
    let url = args.url.as_deref().map_or_else(|| stack.output("ApiUrl"), Ok)?;
    let shop = Shop::new(http, url);
    let table = Table::new(dynamodb(&config, endpoint_url("DYNAMODB")), stack.output("TableName")?);
    println!("{} ({}), {}", stack.name, stack.status, shop.url());

    let mut interrupts = Interrupts::listen().map_err(Error::Signals)?;
    let timeout = Duration::from_secs(args.timeout);
    let mut visit = Visit::new(aws, stack, shop, table, timeout, args.category);
    let mut is_interrupted = tokio::select! {
        () = visit.shop() => false,
        () = interrupts.next() => true,
    };
    if is_interrupted {
        Report::note("interrupted; removing what the check has made (again: leave it)");
    }
    tokio::select! {
        () = visit.clean_up() => {}
        () = interrupts.next() => return Err(Error::Interrupted),
    }
    if !is_interrupted {
        // Last, so that nothing is left in the shop for as long as this takes.
        is_interrupted = tokio::select! {
            () = visit.count() => false,
            () = interrupts.next() => true,
        };
    }
    if is_interrupted { Err(Error::Interrupted) } else { visit.outcome() }
}
