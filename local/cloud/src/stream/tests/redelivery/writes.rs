//! Writes to the table, and their stream records.

use std::fmt::Write as _;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::super::super::record::Record;

/// The number of orders that change in a run. Their events do not fit into one `PutEvents` call.
const ORDERS: u8 = 16;

const USER: &str = "01930000-0000-7000-8000-00000000000a";
const CHANGED_AT: &str = "2026-11-22T09:30:00.125Z";
const STATUSES: [&str; 6] = ["pending", "paid", "shipped", "delivered", "returned", "cancelled"];

/// One write to the table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Write {
    /// An order changes to its next status.
    Change { order: u8 },
    /// The same, but the record is odd in a part that the consumer does not need.
    Odd { order: u8, damage: Damage },
    /// The same, but the record is unreadable.
    Poison { order: u8, damage: Damage },
    /// An order changes, but neither its status nor its payment does.
    Touch { order: u8 },
    /// A part of an order is paid back.
    Refund { order: u8 },
    /// An order is put back as it is, or removed.
    NoChange { order: u8, event_name: &'static str },
    /// An item of another type changes.
    Other { item_type: &'static str },
}

/// A replacement for the member at a JSON pointer, or its removal. `%` stands for the write's
/// number, so that no two records are equal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Damage(&'static str, Option<&'static str>);

/// A stream record, and what it means to the consumer.
pub(super) struct Written {
    pub(super) record: Record,
    pub(super) meaning: Meaning,
}

#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Change { order: u8, version: u64, event_id: String, detail: Value },
    Nothing,
    Unreadable,
}

#[rustfmt::skip]
const POISONS: [Damage; 48] = [
    // Not a record.
    Damage("", Some("%")),
    Damage("", Some(r#""record %""#)),
    Damage("", Some("[%]")),
    Damage("", Some(r#"{"eventID":"%"}"#)),
    Damage("", Some(r#"{"eventID":"%","eventName":"INSERT"}"#)),
    Damage("/dynamodb", Some("[%]")),
    Damage("/dynamodb", Some(r#""%""#)),
    Damage("/dynamodb", Some(r#"{"SequenceNumber":"%"}"#)),
    Damage("/eventName", None),
    Damage("/eventName", Some("7")),
    Damage("/eventName", Some(r#""UPSERT""#)),
    Damage("/dynamodb/SequenceNumber", None),
    Damage("/dynamodb/SequenceNumber", Some(r#""""#)),
    Damage("/dynamodb/SequenceNumber", Some("%")),
    // Images that are missing or have no type.
    Damage("/dynamodb/OldImage", None),
    Damage("/dynamodb/OldImage", Some("{}")),
    Damage("/dynamodb/OldImage", Some("null")),
    Damage("/dynamodb/NewImage", None),
    Damage("/dynamodb/NewImage", Some("{}")),
    Damage("/dynamodb/NewImage", Some(r#"["Order"]"#)),
    Damage("/dynamodb/OldImage/_type", None),
    Damage("/dynamodb/NewImage/_type", Some(r#"{"N":"1"}"#)),
    // Attributes with wrong types, or out of range.
    Damage("/dynamodb/OldImage/status", None),
    Damage("/dynamodb/OldImage/version", None),
    Damage("/dynamodb/OldImage/payment", Some(r#"{"S":"lost"}"#)),
    Damage("/dynamodb/OldImage/status", Some(r#"{"NULL":true}"#)),
    Damage("/dynamodb/NewImage/status", Some(r#"{"S":"lost"}"#)),
    Damage("/dynamodb/NewImage/status", Some(r#"{"N":"1"}"#)),
    Damage("/dynamodb/NewImage/status", Some(r#"{"X":"paid"}"#)),
    Damage("/dynamodb/NewImage/total", None),
    Damage("/dynamodb/NewImage/total", Some(r#"{"S":"3780"}"#)),
    Damage("/dynamodb/NewImage/total", Some(r#"{"N":3780}"#)),
    Damage("/dynamodb/NewImage/total", Some(r#"{"N":"-1"}"#)),
    Damage("/dynamodb/NewImage/total", Some(r#"{"N":"9.9e125"}"#)),
    Damage("/dynamodb/NewImage/version", None),
    Damage("/dynamodb/NewImage/version", Some(r#"{"N":"340282366920938463463374607431768211456"}"#)),
    Damage("/dynamodb/NewImage/version", Some(r#"{"N":"NaN"}"#)),
    Damage("/dynamodb/NewImage/id", Some(r#"{"S":"%"}"#)),
    Damage("/dynamodb/NewImage/id", Some(r#"{"M":{"S":{"S":"%"}}}"#)),
    Damage("/dynamodb/NewImage/number", Some(r#"{"S":""}"#)),
    Damage("/dynamodb/NewImage/payment", Some(r#"{"N":"1"}"#)),
    Damage("/dynamodb/NewImage/refundedAmount", Some(r#"{"N":"0.5"}"#)),
    Damage("/dynamodb/NewImage/payBy", Some(r#"{"S":"tomorrow"}"#)),
    Damage("/dynamodb/NewImage/tracking", Some(r#"{"M":{}}"#)),
    Damage("/dynamodb/NewImage/userId", None),
    Damage("/dynamodb/NewImage/currency", Some(r#"{"S":"euro"}"#)),
    Damage("/dynamodb/NewImage/updatedAt", Some(r#"{"S":"yesterday"}"#)),
    Damage("/dynamodb/NewImage/updatedAt", Some(r#"{"N":"1795339800"}"#)),
];

#[rustfmt::skip]
const ODDITIES: [Damage; 10] = [
    Damage("/dynamodb/Keys", None),
    Damage("/dynamodb/Keys", Some("[]")),
    Damage("/dynamodb/SizeBytes", Some("1.7976931348623157e308")),
    Damage("/dynamodb/ApproximateCreationDateTime", Some(r#""%""#)),
    Damage("/dynamodb/NewImage/attachment", Some(r#"{"X":"of a type that is unknown here"}"#)),
    Damage("/dynamodb/NewImage/weight", Some(r#"{"N":"9.9999999999999999999999999999999999999e125"}"#)),
    Damage("/dynamodb/NewImage/nested", Some(r#"{"M":{"a":{"L":[{"M":{"b":{"L":[{"M":{"c":{"SS":["%"]}}}]}}}]}}}"#)),
    Damage("/dynamodb/NewImage/requestId", Some(r#"{"N":"%"}"#)),
    Damage("/awsRegion", Some("null")),
    Damage("/userIdentity", Some(r#"{"type":"Service"}"#)),
];

impl Write {
    pub(super) fn strategy() -> impl Strategy<Value = Self> {
        // Mostly few orders, so that they change several times.
        let order = prop_oneof![2 => 0..3_u8, 1 => 0..ORDERS];
        prop_oneof![
            6 => order.clone().prop_map(|order| Self::Change { order }),
            1 => (order.clone(), select(&ODDITIES))
                .prop_map(|(order, damage)| Self::Odd { order, damage }),
            2 => (order.clone(), select(&POISONS))
                .prop_map(|(order, damage)| Self::Poison { order, damage }),
            1 => order.clone().prop_map(|order| Self::Touch { order }),
            1 => order.clone().prop_map(|order| Self::Refund { order }),
            1 => (order, select(&["INSERT", "REMOVE"]))
                .prop_map(|(order, event_name)| Self::NoChange { order, event_name }),
            1 => select(&["User", "Product", "OrderItem"])
                .prop_map(|item_type| Self::Other { item_type }),
        ]
    }

    /// Spreads the writes over all orders in turn, so that one call contains as many as possible.
    pub(super) fn in_turn(writes: &[Self]) -> Vec<Self> {
        let to = |(order, write): (u8, &Self)| match *write {
            Self::Change { .. } => Self::Change { order },
            Self::Odd { damage, .. } => Self::Odd { order, damage },
            Self::Poison { damage, .. } => Self::Poison { order, damage },
            Self::Touch { .. } => Self::Touch { order },
            Self::Refund { .. } => Self::Refund { order },
            Self::NoChange { event_name, .. } => Self::NoChange { order, event_name },
            Self::Other { .. } => *write,
        };
        (0..ORDERS).cycle().zip(writes).map(to).collect()
    }
}

/// Returns the stream after these writes.
pub(super) fn stream(writes: &[Write]) -> Vec<Written> {
    let mut versions = [1; ORDERS as usize];
    let write = |(number, write)| written(number, write, &mut versions);
    writes.iter().copied().enumerate().map(write).collect()
}

fn written(number: usize, write: Write, versions: &mut [u64; ORDERS as usize]) -> Written {
    let sequence_number = (100_000 + number).to_string();
    let mut next = |order: u8| {
        let version = &mut versions[usize::from(order)];
        *version += 1;
        *version
    };
    let (mut event, meaning) = match write {
        Write::Change { order } | Write::Odd { order, .. } | Write::Poison { order, .. } => {
            change(order, next(order))
        }
        Write::Touch { order } => {
            let version = next(order);
            let event = same_status(order, version, &json!({}));
            back_to_the_status(order, versions);
            (event, Meaning::Nothing)
        }
        Write::Refund { order } => {
            let version = next(order);
            let refunded = json!({ "refundedAmount": { "N": "100" } });
            let event = same_status(order, version, &refunded);
            back_to_the_status(order, versions);
            (event, refund(order, version))
        }
        Write::NoChange { order, event_name: "INSERT" } => {
            let version = versions[usize::from(order)];
            let event = record("INSERT", &json!({}), &item(order, version));
            let is_placed = version == 1;
            (event, if is_placed { placed(order) } else { Meaning::Nothing })
        }
        Write::NoChange { order, event_name } => {
            let item = item(order, versions[usize::from(order)]);
            (record(event_name, &item, &json!({})), Meaning::Nothing)
        }
        Write::Other { item_type } => {
            let item = |status| {
                json!({
                    "PK": { "S": "PRODUCT#1" }, "SK": { "S": "METADATA" },
                    "_type": { "S": item_type }, "status": { "S": status },
                })
            };
            (record("MODIFY", &item("a"), &item("b")), Meaning::Nothing)
        }
    };
    event["eventID"] = format!("event-{number}").into();
    event["dynamodb"]["SequenceNumber"] = sequence_number.clone().into();
    let meaning = match write {
        Write::Odd { damage, .. } => {
            damage.apply(&mut event, number);
            without_request(meaning, damage)
        }
        Write::Poison { damage, .. } => {
            damage.apply(&mut event, number);
            Meaning::Unreadable
        }
        _ => meaning,
    };
    // Set when the record arrives.
    let record = Record { sequence_number, written_at: Timestamp::UNIX_EPOCH, event };
    Written { record, meaning }
}

/// Removes an invalid request id from the expected event, because the consumer leaves it out.
fn without_request(mut meaning: Meaning, damage: Damage) -> Meaning {
    if let (Meaning::Change { detail, .. }, true) = (&mut meaning, damage.0.ends_with("requestId"))
    {
        detail.as_object_mut().unwrap().remove("requestId");
    }
    meaning
}

impl Damage {
    fn apply(self, event: &mut Value, number: usize) {
        let Self(pointer, value) = self;
        let value = value
            .map(|text| serde_json::from_str(&text.replace('%', &number.to_string())).unwrap());
        let Some((parent, member)) = pointer.rsplit_once('/') else {
            *event = value.unwrap();
            return;
        };
        let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => parent.insert(member.to_owned(), value),
            None => parent.remove(member),
        };
    }
}

fn change(order: u8, version: u64) -> (Value, Meaning) {
    let (old, new) = (item(order, version - 1), item(order, version));
    let meaning = meaning(
        order,
        version,
        status(version),
        &json!({ "previousStatus": status(version - 1), "changedAt": CHANGED_AT }),
    );
    (record("MODIFY", &old, &new), meaning)
}

/// Returns a change to this version that keeps the status, and changes these attributes.
fn same_status(order: u8, version: u64, attributes: &Value) -> Value {
    let old = item(order, version - 1);
    let mut new = old.clone();
    new["version"] = json!({ "N": version.to_string() });
    for (name, value) in attributes.as_object().unwrap() {
        new[name] = value.clone();
    }
    record("MODIFY", &old, &new)
}

/// Counts the version on to one with the status before, so that the next change changes the status.
fn back_to_the_status(order: u8, versions: &mut [u64; ORDERS as usize]) {
    versions[usize::from(order)] += STATUSES.len() as u64 - 1;
}

fn refund(order: u8, version: u64) -> Meaning {
    let status = status(version - 1);
    let members = json!({
        "previousPayment": payment(status), "refundedAmount": 100, "previousRefundedAmount": 0,
        "changedAt": CHANGED_AT,
    });
    meaning(order, version, status, &members)
}

fn placed(order: u8) -> Meaning {
    let id: storefront_core::OrderId = order_id(order).parse().unwrap();
    let members = json!({ "itemCount": 2, "placedAt": id.created_at() });
    meaning(order, 1, status(1), &members)
}

/// Returns the event of an order with this status, with these members besides.
fn meaning(order: u8, version: u64, status: &str, members: &Value) -> Meaning {
    let order_id = order_id(order);
    let event_id = format!("{order_id}:{version}");
    let mut detail = json!({
        "eventId": event_id,
        "orderId": order_id,
        "userId": USER,
        "number": format!("ORD {order}"),
        "status": status,
        "payment": payment(status),
        "refundedAmount": 0,
        "total": 3780,
        "currency": "EUR",
        "version": version,
        "requestId": "request=",
    });
    detail.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    Meaning::Change { order, version, event_id, detail }
}

/// The payment of an order that does not store it.
fn payment(status: &str) -> &'static str {
    if ["pending", "cancelled"].contains(&status) { "unpaid" } else { "paid" }
}

/// Returns the status of a version. The consumer does not check which status may follow another.
fn status(version: u64) -> &'static str {
    STATUSES[usize::try_from(version).unwrap() % STATUSES.len()]
}

fn order_id(order: u8) -> String {
    let mut id = "01930000-0000-7000-8000-".to_owned();
    write!(id, "{order:012}").unwrap();
    id
}

fn item(order: u8, version: u64) -> Value {
    let id = order_id(order);
    json!({
        "PK": { "S": format!("USER#{USER}") },
        "SK": { "S": format!("ORDER#2024-11-05T21:35:50.272Z#{id}") },
        "_type": { "S": "Order" },
        "id": { "S": id },
        "userId": { "S": USER },
        "number": { "S": format!("ORD {order}") },
        "itemCount": { "N": "2" },
        "status": { "S": status(version) },
        "total": { "N": "3780" },
        "currency": { "S": "EUR" },
        "version": { "N": version.to_string() },
        "createdAt": { "S": "2024-11-05T21:35:50.272Z" },
        "updatedAt": { "S": CHANGED_AT },
        "requestId": { "S": "request=" },
    })
}

fn record(event_name: &str, old: &Value, new: &Value) -> Value {
    let keys = if new.get("PK").is_some() { new } else { old };
    json!({
        "eventName": event_name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_339_800,
            "Keys": { "PK": keys["PK"], "SK": keys["SK"] },
            "OldImage": old,
            "NewImage": new,
            "SizeBytes": 512,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}
