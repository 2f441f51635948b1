//! What is read from the table if only a part of an item is requested.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use storefront_core::{OrderAccess, OrderStatus, aws};
use storefront_testing::test_table;

use crate::shop::{Shop, becoming};

/// Records DynamoDB's answers.
#[derive(Clone, Debug, Default)]
struct Answers(Arc<Mutex<String>>);

impl Answers {
    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[dyn_dispatch_hint]
impl Intercept for Answers {
    fn name(&self) -> &'static str {
        "Answers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(body));
        Ok(())
    }
}

#[tokio::test]
async fn nothing_reads_a_hash_or_an_email_that_it_does_not_need() {
    let dynamodb = test_table().await;
    let answers = Answers::default();
    let client = aws::dynamodb(&aws::emulator_config(), Some(dynamodb.endpoint_url().to_owned()));
    let config = client.config().to_builder().interceptor(answers.clone()).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let shop = Shop::over(client, dynamodb.table_name().to_owned());
    let anna = shop.anna().await;
    let blend = shop.product(100, 5).await;
    let is_secret = |answer: &str| answer.contains("$argon2id$") || answer.contains("anna@");

    shop.users.find(anna.id).await.unwrap().unwrap();
    assert!(is_secret(&answers.take()), "otherwise this test proves nothing");

    shop.users.recipient(anna.id).await.unwrap().unwrap();
    shop.users.recipient_at(&anna.email).await.unwrap().unwrap();
    let read = answers.take();
    assert!(read.contains("anna@") && !read.contains("$argon2id$"), "{read}");

    shop.users.role_of(anna.id).await.unwrap().unwrap();
    let order = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap().value.order;
    let access = OrderAccess::OwnedBy(anna.id);
    shop.orders.change_status(access, order.id, becoming(OrderStatus::Cancelled)).await.unwrap();
    let read = answers.take();
    assert!(read.contains("\"role\"") && read.contains("\"price\""), "{read}");
    assert!(!is_secret(&read), "{read}");
}
