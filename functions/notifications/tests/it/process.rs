//! The binary, started as Lambda starts it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use storefront_core::{
    AccountMail, AccountMailKind, RequestedMail, Role, Table, Timestamp, Users, aws, schema,
};
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
    let shop = Table::new(client.clone(), table.table_name());
    let user_id = Persona::registered(&shop, Role::User).await.user_id;
    let mut function = ExecutionEnvironment::start(BINARY, &variables).await;
    function.invoke("request-1", &batch(&[paid(user_id, 2, Timestamp::now())]));
    assert_eq!(function.answer().await.1, json!({ "batchItemFailures": [] }));
    assert_eq!(ses.mails().len(), 1);
    assert!(!ses.mails()[0].text().contains("http"), "without a ShopUrl there are no links");

    let email = Users::new(shop).recipient(user_id).await.unwrap().unwrap().email;
    for times in 2..=3 {
        let reset = AccountMail::new(RequestedMail::PasswordReset { email: email.clone() });
        function.invoke("request-2", &batch(&[json!(reset)]));
        assert_eq!(function.answer().await.1, json!({ "batchItemFailures": [] }));
        assert_eq!(ses.mails().len(), times);
        // A count of long ago, which TTL has not deleted yet.
        let key = schema::Key::account_mails(&email, AccountMailKind::PasswordReset);
        let update = client.update_item().table_name(table.table_name()).set_key(Some(key.into()));
        let update = update.update_expression("SET expiresAt = :past");
        let past = AttributeValue::N("1".to_owned());
        update.expression_attribute_values(":past", past).send().await.unwrap();
    }
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
