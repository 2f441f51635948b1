//! What the function may say of the records it reads.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use crate::bus::{Answer, Bus};
use crate::handle;
use crate::records::{ANNA, order_id, paid, paid_with, request_id, sequence_number};

const FILTER: &str = "info,storefront_order_status_stream=trace";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What is logged while a batch is handled: everything of the function, and what the libraries say
/// at the level that is deployed.
async fn logged(bus: &Bus, records: &[Value]) -> Vec<Value> {
    // With a subscriber for the process, whatever else runs in it cannot make `tracing` remember
    // that nobody listens.
    let _ = tracing_subscriber::fmt().with_env_filter(FILTER).with_writer(std::io::sink).try_init();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new(FILTER))
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    handle(bus, records).await;
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn assert_silent(lines: &[Value]) {
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

        assert_silent(&lines);
        let line = &lines[0];
        assert_eq!(line["level"], "ERROR", "{pointer}");
        let fields = &line["fields"];
        assert_eq!(fields["record.sequence_number"], sequence_number(1).to_string(), "{pointer}");
        assert_eq!(fields["record.pk"], format!("USER#{ANNA}"), "{pointer}");
        let sort_key = format!("ORDER#2024-11-05T21:35:50.272Z#{}", order_id(1));
        assert_eq!(fields["record.sk"], sort_key, "{pointer}");
    }
}

#[tokio::test]
async fn a_log_says_which_attribute_is_malformed() {
    let bus = Bus::start().await;
    let record = paid_with(1, "/dynamodb/NewImage/total", Some(json!({ "S": "12" })));

    let lines = logged(&bus, &[record]).await;

    let reason = "the NewImage's attribute `total` is missing or malformed";
    assert_eq!(lines[0]["fields"]["reason"], reason);
}

#[tokio::test]
async fn a_change_that_was_not_delivered_is_logged_with_its_id_and_the_services_code() {
    for (answer, code) in [
        (Answer::Refuse(0, "InternalFailure"), "InternalFailure"),
        (Answer::Fail(StatusCode::BAD_REQUEST, "AccessDeniedException"), "AccessDeniedException"),
    ] {
        let bus = Bus::scripted([], answer).await;

        let lines = logged(&bus, &[paid(1)]).await;

        assert_silent(&lines);
        let line = lines.iter().find(|line| line["level"] == "WARN").unwrap();
        assert_eq!(line["fields"]["record.sequence_number"], sequence_number(1).to_string());
        assert_eq!(line["fields"]["event.id"], format!("{}:2", order_id(1)));
        assert_eq!(line["fields"]["error.code"], code);
    }
}

#[tokio::test]
async fn a_batch_is_one_line_that_counts_and_leads_from_requests_to_their_events() {
    let bus = Bus::start().await;
    let unknown = paid_with(3, "/dynamodb/NewImage/requestId", None);

    let lines = logged(&bus, &[paid(1), paid(2), unknown]).await;

    let [line] = &lines[..] else { panic!("one line: {lines:?}") };
    let fields = &line["fields"];
    assert_eq!(fields["message"], "request served");
    assert_eq!(fields["outcome"], "delivered");
    assert_eq!(fields["records"], 3);
    assert_eq!(fields["changes"], 3);
    assert_eq!(fields["delivered"], 3);
    assert_eq!(fields["request_ids"], format!("{} {}", request_id(1), request_id(2)));
    assert_eq!(fields["cold_start"], true);
    assert!(fields["latency_ms"].is_f64());
    assert_eq!(line["span"]["function"], "order-status-stream");
}

#[tokio::test]
async fn a_batch_that_stops_names_only_the_requests_of_what_was_delivered() {
    let bus = Bus::scripted([Answer::Refuse(1, "InternalFailure")], Answer::Accept).await;

    let lines = logged(&bus, &[paid(1), paid(2), paid(3)]).await;

    let served = &lines.last().unwrap()["fields"];
    assert_eq!((&served["outcome"], &served["delivered"]), (&json!("stopped"), &json!(1)));
    assert_eq!(served["request_ids"], request_id(1));
}
