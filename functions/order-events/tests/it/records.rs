//! Stream records as DynamoDB writes them.

use serde_json::{Value, json};

pub(crate) const ANNA: &str = "01930000-0000-7000-8000-00000000000a";

/// The id of one of Anna's orders; each number is another order.
pub(crate) fn order_id(order: u16) -> String {
    format!("01930000-0000-7000-8000-{order:012}")
}

/// The number that is made of the id.
pub(crate) fn number(order: u16) -> String {
    let id: storefront_core::OrderId = order_id(order).parse().unwrap();
    storefront_core::OrderNumber::from(id).to_string()
}

/// The request that changed the order last.
pub(crate) fn request_id(order: u16) -> String {
    format!("request-{order}=")
}

/// The order's item with this status and version. `note` is not part of the shop: it stands for
/// content that must not appear in a log.
pub(crate) fn order(order: u16, status: &str, version: u64) -> Value {
    let id = order_id(order);
    json!({
        "PK": { "S": format!("USER#{ANNA}") },
        "SK": { "S": format!("ORDER#2024-11-05T21:35:50.272Z#{id}") },
        "GSI1PK": { "S": format!("ORDER#{id}") },
        "GSI1SK": { "S": format!("USER#{ANNA}") },
        "_type": { "S": "Order" },
        "id": { "S": id },
        "userId": { "S": ANNA },
        "status": { "S": status },
        "total": { "N": "3780" },
        "currency": { "S": "EUR" },
        "version": { "N": version.to_string() },
        "createdAt": { "S": "2024-11-05T21:35:50.272Z" },
        "updatedAt": { "S": "2026-11-22T09:30:00.125Z" },
        "requestId": { "S": request_id(order) },
        "note": { "S": "CONFIDENTIAL" },
    })
}

/// An item of another type.
pub(crate) fn other(item_type: &str, status: &str) -> Value {
    json!({
        "PK": { "S": "PRODUCT#1" },
        "SK": { "S": "METADATA" },
        "_type": { "S": item_type },
        "status": { "S": status },
    })
}

/// A record with these images; its keys are those of the image that has them.
pub(crate) fn record(event_name: &str, sequence_number: u64, old: &Value, new: &Value) -> Value {
    let keys = if new.as_object().is_some_and(|item| item.contains_key("PK")) { new } else { old };
    json!({
        "eventID": format!("event-{sequence_number}"),
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/storefront/stream/2026-11-22T09:00:00.000",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_339_800,
            "Keys": { "PK": keys["PK"], "SK": keys["SK"] },
            "OldImage": old,
            "NewImage": new,
            "SequenceNumber": sequence_number.to_string(),
            "SizeBytes": 512,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}

/// An order goes from pending to paid, which makes it version 2.
pub(crate) fn paid(number: u16) -> Value {
    let sequence_number = sequence_number(number);
    record("MODIFY", sequence_number, &order(number, "pending", 1), &order(number, "paid", 2))
}

/// An order is placed.
pub(crate) fn placed(number: u16) -> Value {
    let mut order = order(number, "pending", 1);
    order["itemCount"] = json!({ "N": "2" });
    order["payment"] = json!({ "S": "unpaid" });
    record("INSERT", sequence_number(number), &json!({}), &order)
}

/// All of a cancelled order is paid back.
pub(crate) fn refunded(number: u16) -> Value {
    let [mut before, mut after] = [3, 4].map(|version| order(number, "cancelled", version));
    before["payment"] = json!({ "S": "refund_due" });
    after["payment"] = json!({ "S": "refunded" });
    after["refundedAmount"] = json!({ "N": "3780" });
    record("MODIFY", sequence_number(number), &before, &after)
}

/// The sequence number of [`paid`]'s record of that order.
pub(crate) fn sequence_number(order: u16) -> u64 {
    100_000_000_000_000_000 + u64::from(order)
}

/// The `eventId` of [`paid`]'s event.
pub(crate) fn paid_event(number: u16) -> String {
    format!("{}:2", order_id(number))
}

/// [`paid`], with the member at this JSON pointer replaced, or removed.
pub(crate) fn paid_with(number: u16, pointer: &str, value: Option<Value>) -> Value {
    let mut record = paid(number);
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.to_owned(), value),
        None => parent.remove(member),
    };
    record
}
