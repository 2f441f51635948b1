//! The registry of the suite's functions, and the documents that are generated from them.
//!
//! [`functions`] is the only list of the functions in Rust: the local cloud serves them, the OpenAPI
//! document describes them, and the checks call them. Add new functions there and in `template.yaml`.

pub mod docs;
pub mod openapi;

mod function;
mod handler;

use std::convert::Infallible;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde::de::IgnoredAny;
use serde_json::Value;
use storefront_auth::{AccountMails, ByMail};
use storefront_authorizer::Authorizer;
use storefront_core::aws::{self, SdkConfig};
use storefront_core::{OrderRules, Sessions, Table};
use storefront_credentials::SigningKeys;
use storefront_http::Metric;
use storefront_http::stream::StreamBatch;
use storefront_notifications::{Notifications, QueueBatch, Ses, Settings};
use storefront_order_events::{Bucket, Consumer, eventbridge};

pub use function::{Function, Kind};
pub use handler::{Failed, Handler};

/// What the functions are built from.
#[derive(Clone)]
pub struct Dependencies {
    /// The table.
    pub table: Table,
    /// The rules for new orders.
    pub order_rules: OrderRules,
    /// The keys that sign and verify access tokens.
    pub signing_keys: SigningKeys,
    /// Whether the authorizer refuses the tokens of sessions that are over.
    pub revokes_immediately: bool,
    /// The configuration for services other than the table.
    pub aws: SdkConfig,
    /// The URL of EventBridge, if not the one of `aws`'s region.
    pub eventbridge_url: Option<String>,
    /// The name or ARN of the event bus.
    pub event_bus: String,
    /// The URL of S3, if not the one of `aws`'s region.
    pub s3_url: Option<String>,
    /// The name of the bucket for records that cannot be delivered.
    pub failed_records_bucket: String,
    /// The URL of SES, if not the one of `aws`'s region.
    pub ses_url: Option<String>,
    /// Who writes the mails.
    pub mail: Settings,
    /// The URL of SQS, if not the one of `aws`'s region.
    pub sqs_url: Option<String>,
    /// The URL of the queue of mails about accounts; `None` if the shop sends no mails.
    pub account_mails_queue_url: Option<String>,
    /// Whether a registration waits until its email is verified.
    pub registers_by_mail: bool,
}

impl Dependencies {
    /// Returns dependencies that cannot reach anything, for callers that need only the functions' names and documents.
    ///
    /// # Panics
    ///
    /// Never: the secret is long enough, and the sender is an address.
    #[must_use]
    pub fn unreachable() -> Self {
        let aws = aws::emulator_config();
        let nowhere = Some("http://aws.invalid".to_owned());
        let secret = "signs the access tokens of nobody";
        Self {
            table: Table::new(aws::dynamodb(&aws, nowhere.clone()), "storefront"),
            order_rules: OrderRules::default(),
            signing_keys: SigningKeys::fixed(secret).expect("a secret of 32 bytes or more"),
            revokes_immediately: false,
            aws,
            eventbridge_url: nowhere.clone(),
            event_bus: "storefront".to_owned(),
            s3_url: nowhere.clone(),
            failed_records_bucket: "storefront".to_owned(),
            ses_url: nowhere.clone(),
            sqs_url: nowhere.clone(),
            account_mails_queue_url: nowhere,
            registers_by_mail: false,
            mail: Settings::new("shop@example.com".parse().expect("an address"), None),
        }
    }
}

/// Returns all functions, under the names of their binaries, which `template.yaml` uses, too.
#[must_use]
pub fn functions(dependencies: &Dependencies) -> Vec<Function> {
    let table = || dependencies.table.clone();
    let signing_keys = || dependencies.signing_keys.clone();
    vec![
        Function::api::<storefront_auth::ApiDoc>(
            "auth",
            storefront_auth::app(table(), signing_keys(), by_mail(dependencies)),
        )
        .with_metrics(storefront_auth::METRICS),
        Function::authorizer("authorizer", authorizer(dependencies)),
        Function::api::<storefront_users::ApiDoc>("users", storefront_users::app(table())),
        Function::api::<storefront_products::ApiDoc>("products", storefront_products::app(table())),
        Function::api::<storefront_orders::ApiDoc>(
            "orders",
            storefront_orders::app(table(), dependencies.order_rules),
        )
        .with_metrics(storefront_orders::METRICS),
        Function::stream("order-events", order_events(dependencies))
            .with_metrics(storefront_order_events::METRICS),
        Function::stream("availability", availability(table())),
        Function::schedule("order-expiry", order_expiry(table()))
            .with_metrics(storefront_order_expiry::METRICS),
        Function::queue("notifications", notifications(dependencies))
            .with_metrics(storefront_notifications::METRICS),
    ]
}

/// All metrics that the functions write.
#[must_use]
pub fn metrics() -> Vec<Metric> {
    let functions = functions(&Dependencies::unreachable());
    let own = functions.iter().flat_map(|function| function.metrics);
    own.chain(storefront_http::METRICS).copied().collect()
}

fn by_mail(dependencies: &Dependencies) -> ByMail {
    let Dependencies { aws, sqs_url, account_mails_queue_url, .. } = dependencies;
    let queue_url = account_mails_queue_url.as_ref();
    let account_mails =
        queue_url.map(|queue_url| AccountMails::new(aws, sqs_url.clone(), queue_url));
    ByMail { account_mails, registers: dependencies.registers_by_mail }
}

fn authorizer(dependencies: &Dependencies) -> Handler {
    let mut authorizer = Authorizer::new(dependencies.signing_keys.clone());
    if dependencies.revokes_immediately {
        authorizer = authorizer.revoking_immediately(Sessions::new(dependencies.table.clone()));
    }
    let authorizer = Arc::new(authorizer);
    Handler::new(move |event: LambdaEvent<Value>| {
        let authorizer = Arc::clone(&authorizer);
        async move { Ok::<_, Infallible>(authorizer.authorize(event).await) }
    })
}

fn availability(table: Table) -> Handler {
    let consumer = Arc::new(storefront_availability::Consumer::new(table));
    Handler::new(move |event: LambdaEvent<StreamBatch>| {
        let consumer = Arc::clone(&consumer);
        async move { Ok::<_, Infallible>(consumer.handle(event).await) }
    })
}

fn order_expiry(table: Table) -> Handler {
    let expiry = Arc::new(storefront_order_expiry::Expiry::new(table));
    Handler::new(move |event: LambdaEvent<IgnoredAny>| {
        let expiry = Arc::clone(&expiry);
        async move { expiry.handle(event).await }
    })
}

fn notifications(dependencies: &Dependencies) -> Handler {
    let Dependencies { table, aws, ses_url, mail, .. } = dependencies;
    let ses = Ses::new(aws, ses_url.clone());
    let notifications = Arc::new(Notifications::new(table.clone(), ses, mail.clone()));
    Handler::new(move |event: LambdaEvent<QueueBatch>| {
        let notifications = Arc::clone(&notifications);
        async move { Ok::<_, Infallible>(notifications.handle(event).await) }
    })
}

fn order_events(dependencies: &Dependencies) -> Handler {
    let Dependencies { aws, event_bus, failed_records_bucket, .. } = dependencies;
    let client = eventbridge(aws, dependencies.eventbridge_url.clone());
    let failed_records = Bucket::new(aws, dependencies.s3_url.clone(), failed_records_bucket);
    let consumer = Arc::new(Consumer::new(client, event_bus, failed_records));
    Handler::new(move |event: LambdaEvent<StreamBatch>| {
        let consumer = Arc::clone(&consumer);
        async move { Ok::<_, Infallible>(consumer.handle(event).await) }
    })
}
