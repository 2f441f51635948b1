//! Records that no retry helps.

use axum::http::StatusCode;
use lambda_runtime::Context;
use serde_json::{Value, json};
use storefront_testing::CapturedLog;

use crate::bus::{Answer, Bus};
use crate::records::{ANNA, order, order_id, paid, paid_event, paid_with, record, sequence_number};
use crate::{all_delivered, failed_from, handle, handle_payload, payload};

fn unreadable(number: u16) -> Value {
    paid_with(number, "/dynamodb/NewImage/total", Some(json!({ "N": "much" })))
}

fn put_aside(condition: &str, record: &Value) -> (String, Vec<Value>) {
    (condition.to_owned(), vec![record.clone()])
}

#[tokio::test]
async fn unreadable_records_are_put_aside_and_those_around_them_are_published() {
    for place in 0..3 {
        let bus = Bus::start().await;
        let mut batch = [paid(1), paid(2), paid(3)];
        let events: Vec<_> = [1, 2, 3].map(paid_event).into();
        batch[place] = unreadable(u16::try_from(place).unwrap() + 1);

        assert_eq!(handle(&bus, &batch).await, all_delivered());

        let expected: Vec<_> = events.iter().filter(|id| **id != events[place]).collect();
        assert_eq!(bus.event_ids().iter().collect::<Vec<_>>(), expected);
        assert_eq!(bus.bucket.put_aside(), [put_aside("RecordUnreadable", &batch[place])]);
    }
}

#[tokio::test]
async fn an_event_that_eventbridge_refuses_for_good_is_put_aside_and_later_ones_are_published() {
    for code in ["InvalidArgument", "MalformedDetail", "RedactionFailure"] {
        let bus = Bus::scripted([Answer::Refuse(1, code)], Answer::Accept).await;
        let batch = [paid(1), paid(2), paid(3)];

        assert_eq!(handle(&bus, &batch).await, all_delivered(), "{code}");

        assert_eq!(bus.bucket.put_aside(), [put_aside("EventRefused", &batch[1])], "{code}");
        let mut ids = bus.event_ids();
        ids.sort();
        ids.dedup();
        assert_eq!(ids, [paid_event(1), paid_event(3)], "{code}");
    }
}

#[tokio::test]
async fn an_event_that_may_be_accepted_later_is_not_put_aside() {
    for code in [
        "InternalFailure",
        "ThrottlingException",
        "AccessDeniedException",
        "NotAuthorizedForSourceException",
        "OfTheFuture",
    ] {
        let bus = Bus::scripted([], Answer::Refuse(0, code)).await;

        let answer = handle(&bus, &[paid(1), paid(2)]).await;

        assert_eq!(answer, failed_from(sequence_number(1)), "{code}");
        assert_eq!(bus.bucket.requests(), 0, "{code}");
    }
}

#[tokio::test]
async fn of_a_call_that_is_invalid_as_a_whole_only_the_event_that_makes_it_so_is_put_aside() {
    let invalid = || Answer::Fail(StatusCode::BAD_REQUEST, "ValidationException");
    // All three together, the first, and the second.
    let script = [invalid(), Answer::Accept, invalid()];
    let bus = Bus::scripted(script, Answer::Accept).await;
    let batch = [paid(1), paid(2), paid(3)];

    assert_eq!(handle(&bus, &batch).await, all_delivered());

    assert_eq!(bus.event_ids(), [paid_event(1), paid_event(3)]);
    assert_eq!(bus.bucket.put_aside(), [put_aside("EventRefused", &batch[1])]);
}

#[tokio::test]
async fn what_cannot_be_put_aside_is_named_and_nothing_after_it_is_sent() {
    let bus = Bus::start().await;
    bus.bucket.fail(StatusCode::FORBIDDEN);
    let batch = [paid(1), unreadable(2), paid(3), unreadable(4)];

    assert_eq!(handle(&bus, &batch).await, failed_from(sequence_number(2)));
    assert_eq!(bus.event_ids(), [paid_event(1)]);

    bus.bucket.fail(None);
    assert_eq!(handle(&bus, &batch[1..]).await, all_delivered());
    assert_eq!(bus.event_ids(), [paid_event(1), paid_event(3)]);
    assert_eq!(bus.bucket.objects().len(), 2);
}

#[tokio::test]
async fn a_refused_event_that_cannot_be_put_aside_is_named() {
    let bus = Bus::scripted([], Answer::Refuse(0, "MalformedDetail")).await;
    bus.bucket.fail(StatusCode::NOT_FOUND);

    assert_eq!(handle(&bus, &[paid(1), paid(2)]).await, failed_from(sequence_number(1)));
}

#[tokio::test]
async fn a_record_that_is_delivered_again_is_put_in_the_same_place() {
    let bus = Bus::start().await;

    for _ in 0..2 {
        assert_eq!(handle(&bus, &[unreadable(1)]).await, all_delivered());
    }

    assert_eq!(bus.bucket.requests(), 2);
    assert_eq!(bus.bucket.objects().len(), 1);
}

#[tokio::test]
async fn the_key_has_the_records_time_and_nothing_of_its_content() {
    let bus = Bus::start().await;
    let other = paid_with(1, "/dynamodb/NewImage/total", Some(json!({ "N": "more" })));

    handle(&bus, &[unreadable(1), other]).await;

    let mut objects = bus.bucket.objects();
    assert_eq!(objects.len(), 2, "{objects:?}");
    for key in objects.keys() {
        let start = "order-events/2026-11-22/2026-11-22T09.30.00-";
        let hash = key.strip_prefix(start).and_then(|rest| rest.strip_suffix(".json")).unwrap();
        assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }

    let bus = Bus::start().await;
    handle(&bus, &[json!("CONFIDENTIAL")]).await;
    objects = bus.bucket.objects();
    let [key] = &objects.keys().collect::<Vec<_>>()[..] else { panic!("{objects:?}") };
    assert!(key.starts_with("order-events/undated/"), "{key}");
}

#[tokio::test]
async fn the_object_says_what_lambdas_own_say() {
    let bus = Bus::start().await;
    let mut context = Context::default();
    context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
    context.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:f".into();
    let record = unreadable(1);

    handle_payload(&bus, &payload(std::slice::from_ref(&record)), context).await;

    let mut document = bus.bucket.objects().into_values().next().unwrap();
    let timestamp = document["timestamp"].take();
    assert!(timestamp.as_str().unwrap().parse::<storefront_core::Timestamp>().is_ok());
    assert_eq!(
        document,
        json!({
            "requestContext": {
                "requestId": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
                "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
                "condition": "RecordUnreadable",
                "approximateInvokeCount": 1,
            },
            "version": "1.0",
            "timestamp": null,
            "DDBStreamBatchInfo": {
                "startSequenceNumber": sequence_number(1).to_string(),
                "endSequenceNumber": sequence_number(1).to_string(),
                "batchSize": 1,
                "streamArn": record["eventSourceARN"],
            },
            "payload": json!({ "Records": [record] }).to_string(),
        })
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_named_is_put_aside_as_it_is() {
    let nameless = [
        json!(null),
        json!(42),
        json!("a record"),
        json!([]),
        json!({}),
        paid_with(2, "/dynamodb", None),
        paid_with(2, "/dynamodb", Some(json!("change"))),
        paid_with(2, "/dynamodb/SequenceNumber", None),
        paid_with(2, "/dynamodb/SequenceNumber", Some(json!(2))),
        paid_with(2, "/dynamodb/SequenceNumber", Some(json!(""))),
        paid_with(2, "/dynamodb/ApproximateCreationDateTime", Some(json!("yesterday"))),
    ];
    for record in nameless {
        let mut record = record;
        if record.pointer("/dynamodb/NewImage/total").is_some() {
            record["dynamodb"]["NewImage"]["total"] = json!({ "N": "much" });
        }
        let bus = Bus::start().await;
        let answer = handle(&bus, &[paid(1), record.clone(), paid(3)]).await;
        assert_eq!(answer, all_delivered(), "{record}");
        assert_eq!(bus.event_ids(), [paid_event(1), paid_event(3)], "{record}");
        assert_eq!(bus.bucket.put_aside(), [put_aside("RecordUnreadable", &record)]);
    }
}

#[tokio::test]
async fn a_record_that_can_neither_be_named_nor_put_aside_fails_the_whole_batch() {
    let bus = Bus::start().await;
    bus.bucket.fail(StatusCode::FORBIDDEN);

    assert_eq!(handle(&bus, &[paid(1), json!({}), paid(3)]).await, failed_from(""));
    assert_eq!(bus.event_ids(), [paid_event(1)]);
}

/// `serde_json` cannot read these into a `Value`, but `redrive` gets them as they were.
#[tokio::test]
async fn an_unreadable_record_may_be_beyond_a_parsers_limits() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for odd in ["1e999", "\"\\ud800\"", &deep] {
        let payload = payload(&[paid_with(1, "/dynamodb/NewImage/total", Some(json!("ODD")))]);
        let payload = payload.replace("\"ODD\"", odd);
        let bus = Bus::start().await;

        assert_eq!(handle_payload(&bus, &payload, Context::default()).await, all_delivered());

        let document = bus.bucket.objects().into_values().next().unwrap();
        assert_eq!(document["payload"], payload.as_str());
    }
}

#[tokio::test]
async fn an_orders_later_events_overtake_the_one_that_is_put_aside() {
    let bus = Bus::scripted([Answer::Refuse(0, "MalformedDetail")], Answer::Accept).await;
    let batch = [
        record("MODIFY", 1, &order(1, "pending", 1), &order(1, "paid", 2)),
        record("MODIFY", 2, &order(1, "paid", 2), &order(1, "shipped", 3)),
    ];

    assert_eq!(handle(&bus, &batch).await, all_delivered());
    assert_eq!(bus.event_ids(), [format!("{}:3", order_id(1))]);
}

#[tokio::test]
async fn the_log_names_the_object_and_no_content() {
    let bus = Bus::start().await;
    let log = CapturedLog::start();

    handle(&bus, &[unreadable(1)]).await;

    let [line] = &log.lines("a record was put aside")[..] else { panic!("one line") };
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["object.key"], **bus.bucket.objects().keys().next().unwrap());
    let [line] = &log.lines("request served")[..] else { panic!("one line") };
    assert_eq!((&line["outcome"], &line["put_aside"]), (&json!("delivered"), &json!(1)));
    let [line] = &log.lines("a record cannot be read")[..] else { panic!("one line") };
    assert_eq!(line["record.pk"], format!("USER#{ANNA}"));
    assert!(!log.text().contains("CONFIDENTIAL"), "{}", log.text());

    bus.bucket.fail(StatusCode::FORBIDDEN);
    handle(&bus, &[unreadable(2)]).await;
    let [line] = &log.lines("a record was not put aside")[..] else { panic!("one line") };
    assert_eq!(line["level"], "WARN");
    assert!(line["error"].as_str().unwrap().contains("HTTP status 403"), "{line}");
}
