//! Which event each version of an order becomes.

use serde_json::{Value, json};

use crate::bus::{Bus, detail};
use crate::records::{ANNA, number, order, order_id, placed, record, refunded, request_id};
use crate::{all_delivered, handle};

/// An order's image with these attributes besides, `null` for none.
fn with(mut order: Value, attributes: &Value) -> Value {
    for (name, value) in attributes.as_object().unwrap() {
        match value {
            Value::Null => order.as_object_mut().unwrap().remove(name),
            value => order.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    order
}

fn text(value: &str) -> Value {
    json!({ "S": value })
}

fn amount(value: u64) -> Value {
    json!({ "N": value.to_string() })
}

/// Returns the kind and the detail of each event that these records become.
async fn events(records: &[Value]) -> Vec<(String, Value)> {
    let bus = Bus::start().await;
    assert_eq!(handle(&bus, records).await, all_delivered());
    assert!(bus.bucket.objects().is_empty(), "everything can be read");
    let kind = |entry: &Value| entry["DetailType"].as_str().unwrap().to_owned();
    bus.accepted().iter().map(|entry| (kind(entry), detail(entry))).collect()
}

/// Returns the one event of a change from one image to the other.
async fn change(before: &Value, after: &Value) -> Option<(String, Value)> {
    let mut events = events(&[record("MODIFY", 1, before, after)]).await;
    assert!(events.len() <= 1, "{events:?}");
    events.pop()
}

#[tokio::test]
async fn a_placed_order_becomes_exactly_this_event() {
    let mut record = placed(1);
    let order = &mut record["dynamodb"]["NewImage"];
    *order = with(
        order.clone(),
        &json!({
            "number": text("ORD 17"),
            "payBy": text("2026-11-23T09:30:00.000Z"),
            "shippingAddress": { "M": { "name": text("CONFIDENTIAL") } },
        }),
    );
    let [(kind, detail)] = &events(&[record]).await[..] else { panic!("one event") };
    assert_eq!(kind, "OrderPlaced");
    let id: storefront_core::OrderId = order_id(1).parse().unwrap();
    assert_eq!(
        *detail,
        json!({
            "eventId": format!("{}:1", order_id(1)),
            "orderId": order_id(1),
            "userId": ANNA,
            "number": "ORD 17",
            "status": "pending",
            "payment": "unpaid",
            "refundedAmount": 0,
            "total": 3780,
            "currency": "EUR",
            "version": 1,
            "requestId": request_id(1),
            "itemCount": 2,
            "payBy": "2026-11-23T09:30:00.000Z",
            "placedAt": id.created_at(),
        })
    );
}

#[tokio::test]
async fn a_refund_becomes_exactly_this_event() {
    let [(kind, detail)] = &events(&[refunded(1)]).await[..] else { panic!("one event") };
    assert_eq!(kind, "OrderPaymentChanged");
    assert_eq!(
        *detail,
        json!({
            "eventId": format!("{}:4", order_id(1)),
            "orderId": order_id(1),
            "userId": ANNA,
            "number": number(1),
            "status": "cancelled",
            "payment": "refunded",
            "refundedAmount": 3780,
            "total": 3780,
            "currency": "EUR",
            "version": 4,
            "requestId": request_id(1),
            "previousPayment": "refund_due",
            "previousRefundedAmount": 0,
            "changedAt": "2026-11-22T09:30:00.125Z",
        })
    );
}

#[tokio::test]
async fn a_cancellation_says_why_and_a_shipment_how_to_follow_it() {
    let cancelled = with(
        order(1, "cancelled", 2),
        &json!({ "cancelReason": text("expired"), "payment": text("unpaid") }),
    );
    let (kind, detail) = change(&order(1, "pending", 1), &cancelled).await.unwrap();
    assert_eq!((&*kind, &detail["cancelReason"]), ("OrderStatusChanged", &json!("expired")));
    assert_eq!(detail["payment"], "unpaid");
    assert!(detail.get("tracking").is_none());

    let parcel = json!({ "M": { "carrier": text("DHL"), "number": text("00340"), "url": text("https://example.com/00340") } });
    let shipped = with(order(1, "shipped", 3), &json!({ "tracking": parcel }));
    let (_, detail) = change(&order(1, "paid", 2), &shipped).await.unwrap();
    assert_eq!(
        detail["tracking"],
        json!({ "carrier": "DHL", "number": "00340", "url": "https://example.com/00340" })
    );
    assert!(detail.get("cancelReason").is_none());

    let bare = with(shipped, &json!({ "tracking": { "M": { "number": text("00340") } } }));
    let (_, detail) = change(&order(1, "paid", 2), &bare).await.unwrap();
    assert_eq!(detail["tracking"], json!({ "number": "00340" }));
}

#[tokio::test]
async fn a_status_and_a_payment_that_change_together_are_one_event() {
    let before = with(order(1, "paid", 2), &json!({ "payment": text("paid") }));
    let after = with(order(1, "cancelled", 3), &json!({ "payment": text("refund_due") }));
    let (kind, detail) = change(&before, &after).await.unwrap();
    assert_eq!(kind, "OrderStatusChanged");
    assert_eq!(
        (&detail["status"], &detail["payment"]),
        (&json!("cancelled"), &json!("refund_due"))
    );
}

#[tokio::test]
async fn a_payment_that_comes_too_late_is_a_change_of_the_payment() {
    let before = with(order(1, "cancelled", 2), &json!({ "payment": text("unpaid") }));
    let after = with(order(1, "cancelled", 3), &json!({ "payment": text("refund_due") }));
    let (kind, detail) = change(&before, &after).await.unwrap();
    assert_eq!((&*kind, &detail["previousPayment"]), ("OrderPaymentChanged", &json!("unpaid")));
}

#[tokio::test]
async fn a_part_that_is_paid_back_is_a_change_of_the_payment() {
    let paid = |version| with(order(1, "shipped", version), &json!({ "payment": text("paid") }));
    // The shop stores no amount of 0.
    let first = with(paid(4), &json!({ "refundedAmount": amount(500) }));
    let second = with(paid(5), &json!({ "refundedAmount": amount(700) }));
    for (before, after, refunded) in [(paid(3), &first, 500), (first.clone(), &second, 700)] {
        let (kind, detail) = change(&before, after).await.unwrap();
        assert_eq!(kind, "OrderPaymentChanged");
        assert_eq!(
            (&detail["payment"], &detail["previousPayment"]),
            (&json!("paid"), &json!("paid"))
        );
        assert_eq!(detail["refundedAmount"], refunded);
    }
}

#[tokio::test]
async fn what_an_order_of_version_0_1_does_not_store_is_derived() {
    for (status, payment) in [
        ("pending", "unpaid"),
        ("paid", "paid"),
        ("shipped", "paid"),
        ("delivered", "paid"),
        ("cancelled", "unpaid"),
    ] {
        // The function of 0.1 may still write during a deployment.
        let before = if status == "pending" { "cancelled" } else { "pending" };
        let (_, detail) = change(&order(1, before, 1), &order(1, status, 2)).await.unwrap();
        assert_eq!(detail["payment"], payment, "{status}");
        assert_eq!((&detail["number"], &detail["refundedAmount"]), (&json!(number(1)), &json!(0)));
    }
}

#[tokio::test]
async fn an_attribute_that_was_absent_before_is_no_change_if_it_says_what_it_was() {
    let filled = json!({
        "number": text(&number(1)),
        "payment": text("paid"),
        "refundedAmount": amount(0),
        "GSI2PK": text("STATUS#paid#3"),
    });
    let after = with(order(1, "paid", 3), &filled);
    assert_eq!(change(&order(1, "paid", 2), &after).await, None);

    // But the first refund of an order of 0.1 is one.
    let refunded = with(after, &json!({ "refundedAmount": amount(100) }));
    let (kind, detail) = change(&order(1, "paid", 2), &refunded).await.unwrap();
    assert_eq!((&*kind, &detail["previousPayment"]), ("OrderPaymentChanged", &json!("paid")));
}

#[tokio::test]
async fn a_write_that_makes_no_version_becomes_no_event() {
    let before = order(1, "pending", 2);
    for write in [
        // Of a user who was deleted, by the upgrade, by an erasure.
        json!({ "payBy": text("2026-11-22T09:30:00.000Z") }),
        json!({ "GSI2PK": text("STATUS#pending#3"), "GSI2SK": text("2024") }),
        json!({ "shippingAddress": null }),
        // Whatever else it may change.
        json!({ "status": text("paid") }),
        json!({ "payment": text("refunded") }),
    ] {
        assert_eq!(change(&before, &with(before.clone(), &write)).await, None, "{write}");
    }
}

#[tokio::test]
async fn a_version_that_a_migration_wrote_becomes_no_event_and_the_shops_next_does() {
    let origin = json!({ "origin": text("migration") });
    let mut loaded = placed(1);
    loaded["dynamodb"]["NewImage"]["origin"] = text("migration");
    let overwritten = record(
        "MODIFY",
        2,
        &with(order(1, "pending", 1), &origin),
        &with(order(1, "paid", 2), &origin),
    );
    assert_eq!(events(&[loaded, overwritten]).await, []);

    let before = with(order(1, "paid", 2), &origin);
    let (kind, _) = change(&before, &order(1, "shipped", 3)).await.unwrap();
    assert_eq!(kind, "OrderStatusChanged");
}

#[tokio::test]
async fn null_counts_as_absent() {
    let names =
        ["number", "payment", "refundedAmount", "cancelReason", "payBy", "tracking", "origin"];
    let attributes = names.map(|name| (name.to_owned(), json!({ "NULL": true })));
    let attributes = Value::Object(attributes.into_iter().collect());
    let after = with(order(1, "paid", 2), &attributes);
    let (_, detail) = change(&order(1, "pending", 1), &after).await.unwrap();
    assert_eq!((&detail["payment"], &detail["number"]), (&json!("paid"), &json!(number(1))));
}
