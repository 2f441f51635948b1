//! What each kind of record becomes.

use lambda_runtime::Context;
use serde_json::{Value, json};

use crate::bus::{Bus, detail};
use crate::records::{
    ANNA, number, order, order_id, other, paid, paid_event, paid_with, placed, record, request_id,
    sequence_number,
};
use crate::{BUS_NAME, all_delivered, handle, handle_payload};

#[tokio::test]
async fn a_status_change_becomes_exactly_this_event() {
    let bus = Bus::start().await;

    assert_eq!(handle(&bus, &[paid(1)]).await, all_delivered());

    let [entry] = &bus.accepted()[..] else { panic!("one event") };
    assert_eq!(
        detail(entry),
        json!({
            "eventId": format!("{}:2", order_id(1)),
            "orderId": order_id(1),
            "userId": ANNA,
            "number": number(1),
            "previousStatus": "pending",
            "status": "paid",
            "payment": "paid",
            "refundedAmount": 0,
            "total": 3780,
            "currency": "EUR",
            "version": 2,
            "changedAt": "2026-11-22T09:30:00.125Z",
            "requestId": request_id(1),
        })
    );
    let mut entry = entry.clone();
    entry.as_object_mut().unwrap().remove("Detail");
    assert_eq!(
        entry,
        json!({
            "Source": "storefront.orders",
            "DetailType": "OrderStatusChanged",
            "EventBusName": BUS_NAME,
        })
    );
}

#[tokio::test]
async fn a_change_without_a_valid_request_id_is_published_without_one() {
    for odd in
        [None, Some(json!({ "S": "" })), Some(json!({ "S": "a b" })), Some(json!({ "N": "1" }))]
    {
        let bus = Bus::start().await;
        let record = paid_with(1, "/dynamodb/NewImage/requestId", odd);

        assert_eq!(handle(&bus, &[record]).await, all_delivered());

        let [entry] = &bus.accepted()[..] else { panic!("one event") };
        assert!(detail(entry).get("requestId").is_none(), "{entry}");
    }
}

#[tokio::test]
async fn every_status_is_published_under_its_name() {
    let bus = Bus::start().await;
    let statuses = ["pending", "paid", "shipped", "delivered", "returned", "cancelled"];
    let records: Vec<_> = statuses
        .windows(2)
        .zip(2..)
        .map(|(pair, version)| {
            record("MODIFY", version, &order(1, pair[0], version - 1), &order(1, pair[1], version))
        })
        .collect();

    assert_eq!(handle(&bus, &records).await, all_delivered());

    let published: Vec<_> =
        bus.accepted().iter().map(|entry| detail(entry)["status"].clone()).collect();
    assert_eq!(published, statuses[1..]);
}

#[tokio::test]
async fn ten_of_the_largest_events_are_far_below_the_limit_of_one_call() {
    let bus = Bus::start().await;
    let largest = |number| {
        let mut record = paid(number);
        for (attribute, value) in [("total", u64::MAX), ("version", u64::MAX)] {
            record["dynamodb"]["NewImage"][attribute] = json!({ "N": value.to_string() });
        }
        record["dynamodb"]["NewImage"]["status"] = json!({ "S": "cancelled" });
        record["dynamodb"]["NewImage"]["number"] = json!({ "S": "9".repeat(64) });
        record["dynamodb"]["NewImage"]["tracking"] = json!({ "M": {
            "carrier": { "S": "\u{1f69a}".repeat(100) },
            "number": { "S": "\u{1f4e6}".repeat(100) },
            "url": { "S": format!("https://example.com/{}", "x".repeat(480)) },
        } });
        record["dynamodb"]["NewImage"]["requestId"] = json!({ "S": "x".repeat(64) });
        record
    };

    handle(&bus, &(1..=10).map(largest).collect::<Vec<_>>()).await;

    let call = &bus.calls()[0];
    assert_eq!(call.len(), 10);
    let size: usize = call.iter().map(|entry| entry.to_string().len()).sum();
    assert!(size < 32 * 1024, "{size} bytes of 256 KB");
}

#[tokio::test]
async fn records_of_which_subscribers_need_not_hear_are_acknowledged_and_publish_nothing() {
    let none = json!({});
    let ttl_delete = {
        let mut record = record("REMOVE", 5, &other("Idempotency", "x"), &none);
        record["userIdentity"] =
            json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
        record
    };
    let absent_images = {
        let mut record = record("INSERT", 6, &none, &other("User", "a"));
        record["dynamodb"].as_object_mut().unwrap().remove("OldImage");
        record
    };
    let records = [
        record("INSERT", 1, &none, &other("OrderItem", "pending")),
        // A version in which neither the status nor the payment changed.
        record("MODIFY", 2, &order(1, "paid", 2), &order(1, "paid", 3)),
        record("MODIFY", 3, &order(1, "paid", 3), &order(1, "paid", 3)),
        record("REMOVE", 4, &order(1, "paid", 3), &none),
        ttl_delete,
        absent_images,
        record("MODIFY", 7, &other("User", "a"), &other("User", "b")),
        record("MODIFY", 8, &other("OrderItem", "a"), &other("OrderItem", "b")),
        record("MODIFY", 9, &other("Product", "a"), &other("Product", "b")),
        record("MODIFY", 10, &other("LoginAttempts", "a"), &other("LoginAttempts", "b")),
        record("MODIFY", 11, &other("UniqueEmail", "a"), &other("UniqueEmail", "b")),
        record("MODIFY", 12, &other("SomethingNew", "a"), &other("SomethingNew", "b")),
        record("MODIFY", 13, &other("User", "pending"), &order(1, "paid", 2)),
        record("MODIFY", 14, &order(1, "pending", 1), &other("User", "paid")),
        record("MODIFY", 15, &none, &other("User", "b")),
        // Put back by somebody: its versions have had their events.
        record("INSERT", 16, &none, &order(1, "paid", 2)),
    ];
    let bus = Bus::start().await;

    assert_eq!(handle(&bus, &records).await, all_delivered());
    assert!(bus.calls().is_empty());
    assert!(bus.bucket.objects().is_empty());
}

#[tokio::test]
async fn an_empty_batch_is_acknowledged() {
    let bus = Bus::start().await;
    assert_eq!(handle(&bus, &[]).await, all_delivered());
}

#[tokio::test]
async fn members_that_the_event_does_not_need_may_be_odd_or_missing() {
    let odd: [(&str, Option<Value>); 10] = [
        ("/dynamodb/SizeBytes", None),
        ("/dynamodb/StreamViewType", Some(json!("OF_A_NEW_KIND"))),
        ("/dynamodb/ApproximateCreationDateTime", None),
        ("/dynamodb/ApproximateCreationDateTime", Some(json!("yesterday"))),
        ("/dynamodb/Keys", None),
        ("/awsRegion", None),
        ("/eventID", None),
        ("/userIdentity", Some(json!(null))),
        ("/dynamodb/NewImage/note", Some(json!({ "Z": "an attribute type of the future" }))),
        ("/dynamodb/OldImage/total", Some(json!({ "N": "not a number" }))),
    ];
    for (pointer, value) in odd {
        let bus = Bus::start().await;
        let record = paid_with(1, pointer, value);
        assert_eq!(handle(&bus, &[record]).await, all_delivered(), "{pointer}");
        assert_eq!(bus.event_ids(), [paid_event(1)], "{pointer}");
    }
}

#[tokio::test]
async fn a_malformed_record_is_put_aside() {
    let attributes = ["id", "userId", "status", "total", "currency", "version", "updatedAt"];
    let wrong = [
        None,
        Some(json!(null)),
        Some(json!("bare")),
        Some(json!({ "S": "odd" })),
        Some(json!({ "N": "-1" })),
        Some(json!({ "N": "1.5" })),
        Some(json!({ "N": 7 })),
        Some(json!({ "BOOL": true })),
        Some(json!({ "NULL": true })),
    ];
    let mut records: Vec<(String, Value)> = Vec::new();
    for attribute in attributes {
        for value in &wrong {
            let pointer = format!("/dynamodb/NewImage/{attribute}");
            let record = paid_with(1, &pointer, value.clone());
            records.push((format!("{pointer}: {value:?}"), record));
        }
    }
    for value in &wrong {
        for attribute in ["status", "version"] {
            let pointer = format!("/dynamodb/OldImage/{attribute}");
            let record = paid_with(1, &pointer, value.clone());
            records.push((format!("{pointer}: {value:?}"), record));
        }
    }
    // These may be absent, but not odd.
    let optional =
        ["number", "payment", "refundedAmount", "cancelReason", "payBy", "itemCount", "tracking"];
    for attribute in optional {
        let odd =
            [json!({ "S": "\u{e9}" }), json!({ "N": "-1" }), json!({ "BOOL": true }), json!(7)];
        for value in odd {
            let pointer = format!("/dynamodb/NewImage/{attribute}");
            let record = paid_with(1, &pointer, Some(value.clone()));
            records.push((format!("{pointer}: {value}"), record));
        }
    }
    for value in [None, Some(json!({ "N": "0" })), Some(json!({ "S": "2" }))] {
        let mut record = placed(1);
        record["dynamodb"]["NewImage"]["itemCount"] = json!(value);
        records.push((format!("items: {value:?}"), record));
    }
    for image in ["/dynamodb/OldImage", "/dynamodb/NewImage"] {
        for value in [None, Some(json!({})), Some(json!(null)), Some(json!([]))] {
            records.push((format!("{image}: {value:?}"), paid_with(1, image, value)));
        }
        let pointer = format!("{image}/_type");
        records.push((format!("no {pointer}"), paid_with(1, &pointer, None)));
        records.push((format!("odd {pointer}"), paid_with(1, &pointer, Some(json!({ "N": "1" })))));
    }
    for name in [None, Some(json!("UPSERT")), Some(json!(7))] {
        records.push((format!("event name {name:?}"), paid_with(1, "/eventName", name)));
    }
    let no_images = record("MODIFY", sequence_number(1), &json!({}), &json!({}));
    records.push(("no images".to_owned(), no_images));

    for (what, record) in records {
        let bus = Bus::start().await;
        let answer = handle(&bus, std::slice::from_ref(&record)).await;
        assert_eq!(answer, all_delivered(), "{what}");
        assert!(bus.calls().is_empty(), "{what}");
        let put_aside = [("RecordUnreadable".to_owned(), vec![record])];
        assert_eq!(bus.bucket.put_aside(), put_aside, "{what}");
    }
}

/// `serde_json` cannot read numbers beyond an f64, or objects nested deeper than 128, into a
/// `Value`. A payload that contains one must not fail as a whole.
#[tokio::test]
async fn json_beyond_a_parsers_limits_does_no_harm() {
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for odd in ["1e999", "\"\\ud800\"", &deep] {
        let payload = json!({ "Records": [paid(1), paid_with(2, "/dynamodb/NewImage/note", Some(json!("ODD"))), paid(3)] })
            .to_string()
            .replace("\"ODD\"", odd);
        let bus = Bus::start().await;
        assert_eq!(
            handle_payload(&bus, &payload, Context::default()).await,
            all_delivered(),
            "{odd}"
        );
        assert_eq!(bus.event_ids(), [paid_event(1), paid_event(2), paid_event(3)], "{odd}");
    }
}
