//! A fake AWS: answers every request at once, from the request alone, and records the requests.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use storefront_core::aws::{self, SdkConfig};
use storefront_core::{OrderId, Table};
use storefront_credentials::SigningKeys;
use storefront_suite::Dependencies;

/// The table's name.
pub const TABLE: &str = "storefront";

/// A request to AWS.
#[derive(Clone, Debug)]
pub struct AwsRequest {
    /// For example `GetItem`.
    pub action: String,
    pub body: Value,
}

/// All requests so far, oldest first.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<AwsRequest>>>);

impl Log {
    /// Removes and returns the requests.
    pub fn take(&self) -> Vec<AwsRequest> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

type Answer = dyn Fn(&AwsRequest) -> Value + Send + Sync;

struct Service {
    log: Log,
    answer: Arc<Answer>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // S3's requests have no target; the suite only puts objects.
        let target = request.headers().get("x-amz-target").unwrap_or("PutObject");
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default();
        let request = AwsRequest { action, body: serde_json::from_slice(body).unwrap() };
        let answer = (self.answer)(&request).to_string();
        self.log.0.lock().unwrap().push(request);
        let response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(answer));
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Returns a configuration whose requests all get these answers, and the log of the requests.
pub fn config(answer: impl Fn(&AwsRequest) -> Value + Send + Sync + 'static) -> (SdkConfig, Log) {
    let log = Log::default();
    let service = SharedHttpConnector::new(Service { log: log.clone(), answer: Arc::new(answer) });
    let config = aws::emulator_config()
        .into_builder()
        .http_client(http_client_fn(move |_, _| service.clone()))
        .retry_config(RetryConfig::disabled())
        .build();
    (config, log)
}

/// An endpoint that no request reaches.
pub fn endpoint() -> Option<String> {
    Some("http://aws.invalid".to_owned())
}

/// Returns a table that has an item for every key of a user, product or order, but whose queries
/// find nothing; a bus that accepts every event; and the log of the requests.
pub fn dependencies() -> (Dependencies, Log) {
    let (config, log) = config(answer);
    let secret = "a fuzzing secret, 32 bytes or more";
    let dependencies = Dependencies {
        table: Table::new(aws::dynamodb(&config, endpoint()), TABLE),
        order_rules: storefront_core::OrderRules::default(),
        signing_keys: SigningKeys::fixed(secret).unwrap(),
        revokes_immediately: true,
        aws: config,
        eventbridge_url: endpoint(),
        event_bus: "bus".to_owned(),
        s3_url: endpoint(),
        failed_records_bucket: "bucket".to_owned(),
        ses_url: endpoint(),
        mail: Dependencies::unreachable().mail,
        sqs_url: endpoint(),
        account_mails_queue_url: endpoint(),
        registers_by_mail: false,
    };
    (dependencies, log)
}

fn answer(request: &AwsRequest) -> Value {
    let body = &request.body;
    match request.action.as_str() {
        "GetItem" => match item(&body["Key"]) {
            Some(item) => json!({ "Item": item }),
            None => json!({}),
        },
        "UpdateItem" => json!({ "Attributes": item(&body["Key"]) }),
        "BatchGetItem" => {
            let keys = body["RequestItems"][TABLE]["Keys"].as_array().unwrap();
            json!({ "Responses": { TABLE: keys.iter().filter_map(item).collect::<Vec<_>>() } })
        }
        "PutEvents" => {
            let entries = body["Entries"].as_array().unwrap().iter();
            let results: Vec<_> = entries.map(|_| json!({ "EventId": "x" })).collect();
            json!({ "FailedEntryCount": 0, "Entries": results })
        }
        "Query" => {
            // A product and its stock; all other lists are empty.
            let product = &body["ExpressionAttributeValues"][":product"];
            let key = |sk| json!({ "PK": product, "SK": { "S": sk } });
            let found = |sk| {
                let key = key(sk);
                let mut item = item(&key)?;
                item["PK"] = key["PK"].clone();
                item["SK"] = key["SK"].clone();
                Some(item)
            };
            let items: Vec<_> =
                ["METADATA", "METADATA#STOCK"].into_iter().filter_map(found).collect();
            json!({ "Items": items, "Count": items.len(), "ScannedCount": items.len() })
        }
        _ => json!({}),
    }
}

/// The item with this key.
fn item(key: &Value) -> Option<Value> {
    let (pk, sk) = (key["PK"]["S"].as_str()?, key["SK"]["S"].as_str()?);
    let text = |text: &str| json!({ "S": text });
    let number = |number: u64| json!({ "N": number.to_string() });
    let (kind, id) = pk.split_once('#')?;
    let created_at = id.parse::<OrderId>().ok()?.created_at().to_string();
    let mut item = match (kind, sk.split_once('#')) {
        ("USER", None) => json!({
            "_type": text("User"),
            "email": text("anna@example.com"),
            "name": text("Anna"),
            "passwordHash": text("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"),
            "role": text("admin"),
        }),
        ("PRODUCT", None) => json!({
            "_type": text("Product"),
            "name": text("Coffee"),
            "description": text("Beans"),
            "category": text("coffee"),
            "price": number(990),
            "currency": text("EUR"),
        }),
        ("PRODUCT", Some(("METADATA", "STOCK"))) => {
            return Some(json!({
                "_type": text("Stock"),
                "productId": text(id),
                "name": text("Coffee"),
                "price": number(990),
                "currency": text("EUR"),
                "selling": { "BOOL": true },
                "quantity": number(1_000_000),
                "spread": number(1),
            }));
        }
        ("USER", Some(("ORDER", _))) => json!({
            "_type": text("Order"),
            "userId": text(id),
            "status": text("pending"),
            "itemCount": number(0),
            "total": number(0),
            "currency": text("EUR"),
        }),
        _ => return None,
    };
    let id = sk.rsplit('#').next().filter(|_| sk.contains('#')).unwrap_or(id);
    for (name, value) in [
        ("id", text(id)),
        ("version", number(1)),
        ("createdAt", text(&created_at)),
        ("updatedAt", text(&created_at)),
    ] {
        item[name] = value;
    }
    Some(item)
}
