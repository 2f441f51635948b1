//! Starts the function.

use std::process::ExitCode;

use storefront_core::{OrderRules, aws};
use storefront_http::start;

fn main() -> ExitCode {
    start::function(async {
        let rules = OrderRules::from_variables(aws::variable)?;
        let table = start::table_from_environment(&aws::config()?).await?;
        start::run(storefront_orders::app(table, rules)).await
    })
}
