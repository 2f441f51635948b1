//! Starts the function.

use std::process::ExitCode;

use storefront_auth::{AccountMails, ByMail};
use storefront_core::aws;
use storefront_credentials::SigningKeys;
use storefront_http::start;

fn main() -> ExitCode {
    start::function(async {
        let config = aws::config()?;
        // Concurrently, because each waits for another service.
        let (table, signing_keys) = tokio::join!(
            start::table_from_environment(&config),
            SigningKeys::from_environment(&config),
        );
        // Absent if the stack sends no mails.
        let account_mails = aws::variable("ACCOUNT_MAILS_QUEUE_URL")
            .map(|queue| AccountMails::new(&config, aws::endpoint_url("SQS"), queue));
        let registers = aws::variable("REGISTRATION_BY_MAIL").as_deref() == Some("true");
        let by_mail = ByMail { account_mails, registers };
        start::run(storefront_auth::app(table?, signing_keys?, by_mail)).await
    })
}
