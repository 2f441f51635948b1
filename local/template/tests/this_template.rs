//! This repository's template, read through the types.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::Duration;

use serde_json::json;
use storefront_template::{StreamMapping, Template};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

fn template() -> Template {
    Template::read(PATH).unwrap()
}

#[test]
fn the_table_becomes_a_create_table_request() {
    let table = template().table().unwrap();
    assert_eq!(
        table.create_table("shop"),
        json!({
            "TableName": "shop",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "PK", "AttributeType": "S" },
                { "AttributeName": "SK", "AttributeType": "S" },
                { "AttributeName": "GSI1PK", "AttributeType": "S" },
                { "AttributeName": "GSI1SK", "AttributeType": "S" },
                { "AttributeName": "GSI2PK", "AttributeType": "S" },
                { "AttributeName": "GSI2SK", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "PK", "KeyType": "HASH" },
                { "AttributeName": "SK", "KeyType": "RANGE" },
            ],
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": "GSI1",
                    "KeySchema": [
                        { "AttributeName": "GSI1PK", "KeyType": "HASH" },
                        { "AttributeName": "GSI1SK", "KeyType": "RANGE" },
                    ],
                    "Projection": { "ProjectionType": "ALL" },
                },
                {
                    "IndexName": "GSI2",
                    "KeySchema": [
                        { "AttributeName": "GSI2PK", "KeyType": "HASH" },
                        { "AttributeName": "GSI2SK", "KeyType": "RANGE" },
                    ],
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": [
                            "_type", "id", "userId", "number", "status", "payment",
                            "refundedAmount", "cancelReason", "payBy", "itemCount", "total",
                            "currency", "version", "createdAt", "updatedAt",
                        ],
                    },
                },
            ],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            "DeletionProtectionEnabled": true,
        })
    );
    assert_eq!(table.time_to_live(), Some("expiresAt"));
}

#[test]
fn provisioned_capacity_starts_at_the_minimum_for_table_and_index() {
    let text = std::fs::read_to_string(PATH).unwrap();
    let provisioned = text.replace("Default: PAY_PER_REQUEST", "Default: PROVISIONED");
    assert_ne!(provisioned, text);
    let table = Template::parse(PATH, &provisioned).unwrap().table().unwrap().create_table("shop");
    let minimum = json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 });
    assert_eq!(table["BillingMode"], "PROVISIONED");
    assert_eq!(table["ProvisionedThroughput"], minimum);
    for index in table["GlobalSecondaryIndexes"].as_array().unwrap() {
        assert_eq!(index["ProvisionedThroughput"], minimum, "{index}");
    }
}

#[test]
fn every_function_is_built_in_its_own_folder_and_named_after_its_binary() {
    let template = template();
    for (id, function) in template.functions().unwrap() {
        let built_in = &template.written()["Resources"][&id]["Properties"]["CodeUri"];
        assert_eq!(*built_in, format!("functions/{}/", function.binary), "{id}");
        // Under a new id, its mapping would start again at the oldest record of the stream.
        let name = match &*function.binary {
            "order-events" => "order-status-stream",
            binary => binary,
        };
        let words = name.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        assert_eq!(id, words.collect::<String>() + "Function");
    }
}

#[test]
fn a_functions_environment_includes_the_globals() {
    let functions = template().functions().unwrap();
    let auth = &functions["AuthFunction"];
    assert_eq!(auth.environment["TABLE_NAME"], json!({ "Ref": "Table" }));
    assert_eq!(auth.environment["TOKEN_SECRET"], json!(""));
    assert_eq!(auth.environment["RUST_LOG"], json!("INFO"), "from the globals");
    assert_eq!(auth.environment["METRICS_NAMESPACE"], json!({ "Ref": "AWS::StackName" }));
    assert!(auth.timeout >= Duration::from_secs(5));
}

#[test]
fn the_authorizers_decision_is_cached_for_five_minutes_per_token() {
    let authorizer = template().authorizer().unwrap().unwrap();
    assert_eq!(authorizer.function, "AuthorizerFunction");
    assert_eq!(authorizer.identity_headers, ["authorization"]);
    assert_eq!(authorizer.time_to_live, Duration::from_mins(5));
}

#[test]
fn pages_from_the_default_origin_may_call_the_api() {
    let cors = template().cors().unwrap().unwrap();
    assert_eq!(cors.allow_origins, ["http://localhost:5173"]);
    assert!(cors.allow_methods.iter().any(|method| method == "PATCH"));
    assert!(cors.expose_headers.iter().any(|name| name == "ETag"));
}

#[test]
fn the_consumer_of_stock_changes_gives_up_as_the_other_one_does() {
    let template = template();
    let [orders, stock] = ["OrderStatusStreamFunction", "AvailabilityFunction"]
        .map(|function| template.stream_mapping_of(function).unwrap().unwrap());
    // <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    assert!(stock.filters.len() <= 5, "Lambda's default quota of patterns");
    let (filters, function) = (stock.filters.clone(), stock.function.clone());
    assert_eq!(stock, StreamMapping { filters, function, ..orders });
}

#[test]
fn the_consumer_of_orders_retries_for_23_hours_and_then_keeps_the_records() {
    let mapping = template().stream_mapping_of("OrderStatusStreamFunction").unwrap().unwrap();
    let [placed, changed] = &mapping.filters[..] else { panic!("two patterns") };
    assert!(placed.starts_with(r#"{"eventName":["INSERT"]"#));
    assert!(changed.starts_with(r#"{"eventName":["MODIFY"]"#));
    assert!(mapping.report_batch_item_failures && mapping.bisect);
    assert_eq!(mapping.maximum_retry_attempts, None);
    assert_eq!(mapping.maximum_record_age, Some(Duration::from_hours(23)));
    assert_eq!(mapping.failure_bucket.as_deref(), Some("FailedRecordsBucket"));
}

#[test]
fn a_message_is_delivered_for_longer_than_customers_are_written_to_about_it() {
    let template = template();
    let mappings = template.queue_mappings().unwrap();
    let queues: Vec<_> = mappings.iter().map(|mapping| mapping.queue.as_str()).collect();
    assert_eq!(queues, ["AccountMailsQueue", "OrderMailsQueue"]);
    // `MAILED_FOR` and `ACCOUNT_MAILED_FOR` of functions/notifications/src/lib.rs.
    for (mapping, hours) in mappings.iter().zip([1, 6]) {
        assert_eq!(mapping.function, "NotificationsFunction");
        assert!(mapping.report_batch_item_failures);
        assert_eq!(mapping.maximum_concurrency, Some(2));
        let queues = template.queues().unwrap();
        let queue = queues.iter().find(|queue| queue.logical_id == mapping.queue).unwrap();
        let redrive = queue.redrive.clone().unwrap();
        assert_eq!(redrive.dead_letter_queue, "UnsentMailsQueue");
        let delivered_for = queue.visibility_timeout * redrive.maximum_receives;
        assert!(delivered_for > Duration::from_hours(hours) && queue.retention > delivered_for);
        // `CLAIMED_FOR` of crates/core/src/mails.rs: a claim outlasts its function, and ends before the next
        // delivery.
        let claimed_for = Duration::from_mins(2);
        let timeout = template.functions().unwrap()[&mapping.function].timeout;
        assert!(timeout < claimed_for && claimed_for < queue.visibility_timeout);
    }
}
