//! The binary, started as Lambda starts it.

use serde_json::json;
use storefront_core::{Role, Table, Timestamp, aws};
use storefront_testing::{ExecutionEnvironment, Persona, test_table};

use crate::batch;
use crate::events::paid;
use crate::ses::Ses;

const BINARY: &str = env!("CARGO_BIN_EXE_notifications");

#[tokio::test]
async fn the_process_sends_the_mail_of_an_event() {
    let table = test_table().await;
    let ses = Ses::start().await;
    // The variables that `sam local` leaves empty are empty.
    let variables = [
        ("TABLE_NAME", table.table_name()),
        ("MAIL_FROM", crate::SENDER),
        ("SHOP_URL", ""),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint_url()),
        ("AWS_ENDPOINT_URL_SESV2", &ses.url),
        ("AWS_ENDPOINT_URL", ""),
        ("RUST_LOG", ""),
        ("METRICS_NAMESPACE", ""),
    ];
    let config = aws::patient_emulator_config();
    let client = aws::dynamodb(&config, Some(table.endpoint_url().to_owned()));
    let shop = Table::new(client, table.table_name());
    let user_id = Persona::registered(&shop, Role::User).await.user_id;
    let mut function = ExecutionEnvironment::start(BINARY, &variables).await;
    function.invoke("request-1", &batch(&[paid(user_id, 2, Timestamp::now())]));
    assert_eq!(function.answer().await.1, json!({ "batchItemFailures": [] }));
    assert_eq!(ses.mails().len(), 1);
    assert!(!ses.mails()[0].text().contains("http"), "without a ShopUrl there are no links");
    function.end().await;
}

#[tokio::test]
async fn the_process_names_the_missing_variable_and_ends_if_nobody_is_the_sender() {
    for (from, message) in [("", "MAIL_FROM is missing"), ("nobody", "MAIL_FROM must be")] {
        let variables = [("TABLE_NAME", "storefront"), ("MAIL_FROM", from)];
        let (succeeded, output) =
            ExecutionEnvironment::start(BINARY, &variables).await.ended().await;
        assert!(!succeeded);
        assert!(output.iter().any(|line| line.to_string().contains(message)), "{output:?}");
    }
}
