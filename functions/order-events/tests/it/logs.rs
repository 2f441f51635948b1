//! What the function may log about the records it reads.

use axum::http::StatusCode;
use serde_json::{Value, json};
use storefront_testing::CapturedLog;

use crate::bus::{Answer, Bus};
use crate::handle;
use crate::records::{ANNA, order_id, paid, paid_with, request_id, sequence_number};

/// Returns what is logged while a batch is handled: everything from the function, and what the
/// libraries log at the deployed level.
async fn logged(bus: &Bus, records: &[Value]) -> Vec<Value> {
    let log = CapturedLog::start();
    handle(bus, records).await;
    let text = log.text();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    // The `access` lines, one for each request to AWS, come from `storefront_core`.
    lines.filter(|line: &Value| line["message"] != "access").collect()
}

fn assert_no_content(lines: &[Value]) {
    let text = serde_json::to_string(lines).unwrap();
    for content in ["CONFIDENTIAL", "3780", "EUR", "2026-11-22T09:30:00.125Z"] {
        assert!(!text.contains(content), "{content} in {text}");
    }
}

#[tokio::test]
async fn an_unreadable_record_is_logged_with_its_place_and_keys_but_never_its_content() {
    let odd = [
        ("/dynamodb/NewImage/total", json!({ "N": "CONFIDENTIAL" })),
        ("/dynamodb/NewImage/status", json!({ "S": "CONFIDENTIAL" })),
        ("/dynamodb/NewImage/currency", json!({ "S": "CONFIDENTIAL" })),
        ("/dynamodb/NewImage/userId", json!({ "S": "CONFIDENTIAL" })),
        ("/dynamodb/NewImage/updatedAt", json!({ "S": "CONFIDENTIAL" })),
        ("/dynamodb/OldImage", json!("CONFIDENTIAL")),
        ("/eventName", json!("CONFIDENTIAL")),
    ];
    for (pointer, value) in odd {
        let bus = Bus::start().await;

        let lines = logged(&bus, &[paid_with(1, pointer, Some(value))]).await;

        assert_no_content(&lines);
        let line = &lines[0];
        assert_eq!(line["level"], "ERROR", "{pointer}");
        assert_eq!(line["record.sequence_number"], sequence_number(1).to_string(), "{pointer}");
        assert_eq!(line["record.pk"], format!("USER#{ANNA}"), "{pointer}");
        let sort_key = format!("ORDER#2024-11-05T21:35:50.272Z#{}", order_id(1));
        assert_eq!(line["record.sk"], sort_key, "{pointer}");
    }
}

#[tokio::test]
async fn the_log_names_the_malformed_attribute() {
    let bus = Bus::start().await;
    let record = paid_with(1, "/dynamodb/NewImage/total", Some(json!({ "S": "12" })));

    let lines = logged(&bus, &[record]).await;

    let reason = "the NewImage's attribute `total` is missing or malformed";
    assert_eq!(lines[0]["reason"], reason);
}

#[tokio::test]
async fn a_change_that_was_not_delivered_is_logged_with_its_id_and_the_services_code() {
    for (answer, code) in [
        (Answer::Refuse(0, "InternalFailure"), "InternalFailure"),
        (Answer::Fail(StatusCode::BAD_REQUEST, "AccessDeniedException"), "AccessDeniedException"),
    ] {
        let bus = Bus::scripted([], answer).await;

        let lines = logged(&bus, &[paid(1)]).await;

        assert_no_content(&lines);
        let line = lines.iter().find(|line| line["level"] == "WARN").unwrap();
        assert_eq!(line["record.sequence_number"], sequence_number(1).to_string());
        assert_eq!(line["event.id"], format!("{}:2", order_id(1)));
        assert_eq!(line["error.code"], code);
    }
}

#[tokio::test]
async fn a_batch_logs_one_line_with_its_counts_and_the_requests_behind_its_events() {
    let bus = Bus::start().await;
    let unknown = paid_with(3, "/dynamodb/NewImage/requestId", None);

    let lines = logged(&bus, &[paid(1), paid(2), unknown]).await;

    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    assert_eq!(line["message"], "request served");
    assert_eq!(line["outcome"], "delivered");
    assert_eq!(line["records"], 3);
    assert_eq!(line["changes"], 3);
    assert_eq!(line["delivered"], 3);
    assert_eq!(line["request_ids"], format!("{} {}", request_id(1), request_id(2)));
    assert_eq!(line["cold_start"], true);
    assert!(line["latency_ms"].is_f64());
    assert!(line.get("put_aside").is_none());
    assert_eq!(line["span"]["function"], "order-events");
}

#[tokio::test]
async fn a_stopped_batch_names_only_the_requests_of_delivered_changes() {
    let bus = Bus::scripted([Answer::Refuse(1, "InternalFailure")], Answer::Accept).await;

    let lines = logged(&bus, &[paid(1), paid(2), paid(3)]).await;

    let served = lines.last().unwrap();
    assert_eq!((&served["outcome"], &served["delivered"]), (&json!("stopped"), &json!(1)));
    assert_eq!(served["request_ids"], request_id(1));
}
