use std::fs;
use std::path::Path;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_order_events::{self as order_events, Consumer, StreamBatch, eventbridge};
use tempfile::TempDir;

use crate::bus::Bus;
use crate::{Answer, cloud, cloud_in, storefront_ops};

/// The start of a key, in Lambda's format.
const KEY: &str = "aws/lambda/0b1f8a6e-9d3c-4b52-8a57-5c1d2e3f4a5b/shardId-00000001573689847184-864758bb/2026/11/22/2026-11-22T09.38.06-";

/// A copy of the bucket.
struct Bucket(TempDir);

impl Bucket {
    fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Puts an invocation record with these stream records.
    fn put(&self, key: &str, records: &[Value]) {
        let payload = json!({ "Records": records }).to_string();
        self.put_document(key, &invocation_record(&payload.into()));
    }

    fn put_document(&self, key: &str, document: &Value) {
        let path = self.0.path().join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, document.to_string()).unwrap();
    }

    /// Returns the paths of all files.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.path() {
                    path if path.is_dir() => walk(&path, found),
                    path => found.push(path),
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        let name = |path: &std::path::PathBuf| {
            path.strip_prefix(self.0.path()).unwrap().to_str().unwrap().to_owned()
        };
        let mut files: Vec<_> = found.iter().map(name).collect();
        files.sort();
        files
    }

    async fn redrive(&self, url: &str) -> Answer {
        let folder = self.0.path().to_str().unwrap();
        let endpoint = ("AWS_ENDPOINT_URL_EVENTBRIDGE", url);
        storefront_ops(&["redrive", "--bus", "storefront", folder], &[endpoint]).await
    }

    async fn dry_run(&self) -> Answer {
        storefront_ops(&["redrive", "--dry-run", self.0.path().to_str().unwrap()], &[]).await
    }
}

/// Returns the document that Lambda writes for a batch it gave up on.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
fn invocation_record(payload: &Value) -> Value {
    json!({
        "requestContext": {
            "requestId": "316aa6d0-8154-4c1e-9af7-85d5f4a6bc81",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled"
        },
        "version": "1.0",
        "timestamp": "2019-11-14T00:13:49.717Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001573689847184-864758bb",
            "startSequenceNumber": "800000000003126276362",
            "endSequenceNumber": "800000000003126276362",
            "approximateArrivalOfFirstRecord": "2019-11-14T00:13:19Z",
            "approximateArrivalOfLastRecord": "2019-11-14T00:13:19Z",
            "batchSize": 1,
            "streamArn": "arn:aws:dynamodb:us-east-2:123456789012:table/mytable/stream/2019-11-14T00:04:06.388"
        },
        "payload": payload
    })
}

fn order_id(order: u16) -> String {
    format!("01930000-0000-7000-8000-{order:012}")
}

fn event_id(order: u16, version: u16) -> String {
    format!("{}:{version}", order_id(order))
}

/// Returns the stream record of an order's change to this version, one status further for each.
fn change(order: u16, version: u16) -> Value {
    const STATUSES: [&str; 4] = ["pending", "paid", "shipped", "delivered"];
    let id = order_id(order);
    let user = "01930000-0000-7000-8000-00000000000a";
    let image = |version: u16| {
        json!({
            "PK": { "S": format!("USER#{user}") },
            "SK": { "S": format!("ORDER#2024-11-05T21:35:50.272Z#{id}") },
            "_type": { "S": "Order" },
            "id": { "S": id },
            "userId": { "S": user },
            "status": { "S": STATUSES[usize::from(version) - 1] },
            "total": { "N": "3780" },
            "currency": { "S": "EUR" },
            "version": { "N": version.to_string() },
            "createdAt": { "S": "2024-11-05T21:35:50.272Z" },
            "updatedAt": { "S": "2026-11-22T09:30:00.125Z" },
        })
    };
    json!({
        "eventID": format!("event-{order}-{version}"),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_339_800,
            "OldImage": image(version - 1),
            "NewImage": image(version),
            "SequenceNumber": format!("{}", 800_000_000_000 + 1000 * u64::from(order) + u64::from(version)),
        },
    })
}

/// Returns the same record with an invalid total, so that no event can be made from it.
fn unreadable(order: u16) -> Value {
    let mut record = change(order, 2);
    record["dynamodb"]["NewImage"]["total"] = json!({ "S": "SECRET" });
    record
}

#[tokio::test]
async fn every_run_publishes_the_events_that_the_function_would_have_published() {
    let cloud = cloud().await;
    let example =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/order-events/status-change.json");
    let event: Value = serde_json::from_slice(&fs::read(example).unwrap()).unwrap();
    cloud.invoke("OrderStatusStreamFunction", &event).await.unwrap();
    let by_the_function: Vec<_> =
        cloud.events().iter().map(|event| event["detail"].clone()).collect();
    assert!(!by_the_function.is_empty());

    for time in 1..=2 {
        let bucket = Bucket::empty();
        bucket.put(&format!("{KEY}1"), event["Records"].as_array().unwrap());
        let answer = bucket.redrive(&format!("{}/_local/eventbridge", cloud.api_url())).await;
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert_eq!(bucket.files(), [format!("delivered/{KEY}1")]);
        let events = cloud.events();
        let published = &events[time * by_the_function.len()..];
        for (event, by_the_function) in published.iter().zip(&by_the_function) {
            assert_eq!(event["source"], "storefront.orders");
            assert_eq!(event["detail-type"], "OrderStatusChanged");
            assert_eq!(event["detail"], *by_the_function);
        }
        assert_eq!(published.len(), by_the_function.len());
    }
}

#[tokio::test]
async fn what_the_function_put_aside_is_delivered_once_the_reason_is_gone() {
    let folder = TempDir::new().unwrap();
    let data_dir = folder.path().join("data");
    let cloud = cloud_in(Some(data_dir.clone())).await;
    let bus = Bus::start().await;
    bus.refuse_with("MalformedDetail", &event_id(3, 2));
    let config = aws::emulator_config();
    let s3 = Some(format!("{}/_local/s3", cloud.api_url()));
    let consumer = Consumer::new(
        eventbridge(&config, Some(bus.url.clone())),
        "storefront",
        order_events::Bucket::new(&config, s3, "storefront"),
    );
    let records = [change(1, 2), unreadable(2), change(3, 2), change(3, 3), change(4, 2)];
    let payload = json!({ "Records": records }).to_string();
    // The second time as if the function had been killed before it answered.
    for _ in 1..=2 {
        let batch: StreamBatch = serde_json::from_str(&payload).unwrap();
        let answer = consumer.handle(LambdaEvent::new(batch, Context::default())).await;
        assert!(answer.batch_item_failures.is_empty(), "nothing is left to retry");
    }

    let bucket = Bucket(folder);
    let in_bucket = |file: &String| file.starts_with("data/failed-records/");
    let files: Vec<_> = bucket.files().into_iter().filter(in_bucket).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| file.contains("/order-events/2026-11-22/")), "{files:?}");

    bus.recover();
    let failed_records = data_dir.join("failed-records");
    let arguments = ["redrive", "--bus", "storefront", failed_records.to_str().unwrap()];
    let answer = storefront_ops(&arguments, &[("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url)]).await;

    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("cannot be read"), "{answer:?}");
    assert!(!answer.stderr.contains("SECRET"), "{answer:?}");
    assert_eq!(bus.accepted(), [event_id(3, 2)]);
    let files: Vec<_> = bucket.files().into_iter().filter(in_bucket).collect();
    let delivered = files.iter().filter(|file| file.contains("/delivered/order-events/"));
    assert_eq!((files.len(), delivered.count()), (2, 1), "{files:?}");
}

#[tokio::test]
async fn an_orders_changes_are_sent_in_order_whichever_files_they_are_in() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    bucket.put(&format!("{KEY}1"), &[change(1, 4), change(2, 2)]);
    bucket.put(&format!("{KEY}2"), &[change(1, 2)]);
    // The local cloud's format.
    bucket.put("2026-11-22T09.00.00-3.json", &[change(1, 3)]);

    let answer = bucket.redrive(&bus.url).await;

    assert_eq!(answer.code, Some(0), "{answer:?}");
    let expected = [event_id(1, 2), event_id(1, 3), event_id(1, 4), event_id(2, 2)];
    assert_eq!(bus.accepted(), expected);
    assert!(bucket.files().iter().all(|file| file.starts_with("delivered/")));

    let again = bucket.redrive(&bus.url).await;
    assert_eq!((again.code, &*again.stdout), (Some(0), ""), "nothing is left");
    assert!(again.stderr.contains("there are no files to deliver in"), "{again:?}");
    assert_eq!(bus.accepted().len(), 4);
}

#[tokio::test]
async fn an_orders_later_changes_are_held_back_behind_a_refused_one() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    for order in 1..=3 {
        bucket.put(&format!("{KEY}{order}-2"), &[change(order, 2)]);
        bucket.put(&format!("{KEY}{order}-3"), &[change(order, 3)]);
    }
    bus.refuse(&event_id(2, 2));

    let answer = bucket.redrive(&bus.url).await;

    assert_eq!(answer.code, Some(1));
    assert!(!bus.accepted().contains(&event_id(2, 3)), "{:?}", bus.accepted());
    for order in [1, 3] {
        let sent = |version| bus.accepted().iter().position(|id| *id == event_id(order, version));
        assert!(sent(2).unwrap() < sent(3).unwrap());
    }
    let left: Vec<_> =
        bucket.files().into_iter().filter(|file| !file.starts_with("delivered/")).collect();
    assert_eq!(left, [format!("{KEY}2-2"), format!("{KEY}2-3")]);
    assert!(answer.stderr.contains(&event_id(2, 2)), "{answer:?}");
    assert!(answer.stderr.contains("InternalFailure"), "{answer:?}");
    assert!(!answer.stderr.contains("EUR"), "the message quotes the order: {answer:?}");

    bus.recover();
    assert_eq!(bucket.redrive(&bus.url).await.code, Some(0));
    assert_eq!(bus.accepted(), [event_id(2, 2), event_id(2, 3)]);
}

#[tokio::test]
async fn files_without_events_stay_because_another_function_needs_them() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    let example = include_str!("../../../../events/availability/stock-changed.json");
    let event: Value = serde_json::from_str(example).unwrap();
    bucket.put(&format!("{KEY}1"), event["Records"].as_array().unwrap());
    bucket.put(&format!("{KEY}2"), &[change(2, 2)]);

    let answer = bucket.redrive(&bus.url).await;

    assert_eq!((answer.code, bus.accepted()), (Some(1), vec![event_id(2, 2)]));
    assert_eq!(bucket.files(), [format!("{KEY}1"), format!("delivered/{KEY}2")]);
    assert!(answer.stderr.contains("no event"), "{answer:?}");
}

#[tokio::test]
async fn if_the_bus_cannot_be_used_every_file_stays() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    for order in 1..=3 {
        bucket.put(&format!("{KEY}{order}"), &[change(order, 2)]);
    }
    let before = bucket.files();
    bus.close();

    let answer = bucket.redrive(&bus.url).await;

    assert_eq!(answer.code, Some(1));
    assert_eq!(bucket.files(), before);
    assert!(answer.stderr.contains("the event bus storefront"), "{answer:?}");
    assert!(answer.stderr.contains("AccessDeniedException"), "{answer:?}");
    assert!(!answer.stderr.contains("EUR"), "{answer:?}");
}

#[tokio::test]
async fn unreadable_records_stay_and_are_named_and_the_others_are_sent() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    bucket.put(&format!("{KEY}1"), &[unreadable(1)]);
    bucket.put(&format!("{KEY}2"), &[change(2, 2), json!({}), change(3, 2)]);
    bucket.put_document(&format!("{KEY}3"), &json!("nonsense"));
    bucket.put_document(&format!("{KEY}4"), &json!({ "DDBStreamBatchInfo": {} }));
    bucket.put(&format!("{KEY}5"), &[change(5, 2)]);

    let answer = bucket.redrive(&bus.url).await;

    assert_eq!(answer.code, Some(1));
    assert_eq!(bus.accepted(), [event_id(2, 2), event_id(3, 2), event_id(5, 2)]);
    let left = (1..=4).map(|file| format!("{KEY}{file}"));
    let expected: Vec<_> = left.chain([format!("delivered/{KEY}5")]).collect();
    assert_eq!(bucket.files(), expected);
    for said in ["record 800000001002", "`total`", "invocation record", "on-failure destination"] {
        assert!(answer.stderr.contains(said), "{said}: {answer:?}");
    }
    assert!(!answer.stderr.contains("SECRET"), "{answer:?}");
}

#[tokio::test]
async fn a_payload_may_be_the_event_itself_instead_of_a_string() {
    let bus = Bus::start().await;
    let bucket = Bucket::empty();
    let payload = json!({ "Records": [change(1, 2)] });
    bucket.put_document(&format!("{KEY}1"), &invocation_record(&payload));
    assert_eq!(bucket.redrive(&bus.url).await.code, Some(0));
    assert_eq!(bus.accepted(), [event_id(1, 2)]);
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_sent_and_sends_nothing() {
    let bucket = Bucket::empty();
    bucket.put(&format!("{KEY}1"), &[change(1, 2)]);
    let answer = bucket.dry_run().await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(answer.stdout, format!("would send {} pending -> paid ({KEY}1)\n", event_id(1, 2)));
    assert_eq!(bucket.files(), [format!("{KEY}1")]);
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let answer = storefront_ops(&["redrive", "--dry-run", "/nowhere"], &[]).await;
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("/nowhere"), "{answer:?}");
}
