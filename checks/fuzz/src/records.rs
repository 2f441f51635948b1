//! Generates batches of stream records, valid and invalid ones.

use arbitrary::Arbitrary;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json::Json;

/// Records, and an entry that EventBridge rejects.
#[derive(Arbitrary, Debug)]
pub struct Batch {
    pub records: Vec<Record>,
    /// The index of the rejected change, from 0.
    pub refused: Option<u8>,
}

#[derive(Arbitrary, Debug)]
pub enum Record {
    /// An order was paid.
    Paid { order: u8 },
    /// The same, with one place changed or removed.
    Odd { order: u8, place: Place, value: Option<Json> },
    /// JSON that need not resemble a record.
    Json(Json),
    /// JSON in any notation; other text is left out of the batch.
    Text(String),
}

#[derive(Arbitrary, Debug)]
pub enum Place {
    EventName,
    DynamoDb,
    SequenceNumber,
    Keys,
    OldImage,
    NewImage,
    Attribute {
        old: bool,
        attribute: Attribute,
    },
    /// The value of an attribute, under this type tag.
    Tag {
        old: bool,
        attribute: Attribute,
        tag: String,
    },
}

#[derive(Arbitrary, Debug)]
pub enum Attribute {
    Type,
    Id,
    UserId,
    Status,
    Total,
    Currency,
    Version,
    UpdatedAt,
    RequestId,
    Number,
    Payment,
    RefundedAmount,
    CancelReason,
    PayBy,
    ItemCount,
    Tracking,
    Origin,
    Other(String),
}

impl Record {
    /// Returns the record at this place of its batch; `None` if it is not JSON.
    pub fn json(&self, place: usize) -> Option<Box<RawValue>> {
        let text = match self {
            Self::Paid { order } => paid(*order, place).to_string(),
            Self::Odd { order, place: odd, value } => {
                let mut record = paid(*order, place);
                odd.put(&mut record, value.as_ref().map(|Json(value)| value.clone()));
                record.to_string()
            }
            Self::Json(Json(value)) => value.to_string(),
            Self::Text(text) => text.clone(),
        };
        RawValue::from_string(text).ok()
    }
}

impl Place {
    fn put(&self, record: &mut Value, value: Option<Value>) {
        let image = |old: &bool| if *old { "OldImage" } else { "NewImage" };
        let (parent, member) = match self {
            Self::EventName => (String::new(), "eventName"),
            Self::DynamoDb => (String::new(), "dynamodb"),
            Self::SequenceNumber => ("/dynamodb".to_owned(), "SequenceNumber"),
            Self::Keys => ("/dynamodb".to_owned(), "Keys"),
            Self::OldImage => ("/dynamodb".to_owned(), "OldImage"),
            Self::NewImage => ("/dynamodb".to_owned(), "NewImage"),
            Self::Attribute { old, attribute } => {
                (format!("/dynamodb/{}", image(old)), attribute.name())
            }
            Self::Tag { old, attribute, tag } => {
                let image = &mut record["dynamodb"][image(old)];
                image[attribute.name()] = json!({ tag.as_str(): value });
                return;
            }
        };
        let parent = record.pointer_mut(&parent).and_then(Value::as_object_mut).unwrap();
        match value {
            Some(value) => parent.insert(member.to_owned(), value),
            None => parent.remove(member),
        };
    }
}

impl Attribute {
    fn name(&self) -> &str {
        match self {
            Self::Type => "_type",
            Self::Id => "id",
            Self::UserId => "userId",
            Self::Status => "status",
            Self::Total => "total",
            Self::Currency => "currency",
            Self::Version => "version",
            Self::UpdatedAt => "updatedAt",
            Self::RequestId => "requestId",
            Self::Number => "number",
            Self::Payment => "payment",
            Self::RefundedAmount => "refundedAmount",
            Self::CancelReason => "cancelReason",
            Self::PayBy => "payBy",
            Self::ItemCount => "itemCount",
            Self::Tracking => "tracking",
            Self::Origin => "origin",
            Self::Other(name) => name,
        }
    }
}

/// The record of an order that changed from pending to paid, at this place of its batch.
fn paid(order: u8, place: usize) -> Value {
    let image = |status: &str, version: u64| {
        json!({
            "_type": { "S": "Order" },
            "id": { "S": format!("01930000-0000-7000-8000-{order:012}") },
            "userId": { "S": "01930000-0000-7000-8000-00000000000a" },
            "status": { "S": status },
            "total": { "N": "3780" },
            "currency": { "S": "EUR" },
            "version": { "N": version.to_string() },
            "updatedAt": { "S": "2026-11-22T09:30:00.125Z" },
            "requestId": { "S": "JKJaXmPLvHcESHA=" },
        })
    };
    // Each record of a batch has a different version, so that each change has its own event.
    let version = place as u64 + 2;
    json!({
        "eventName": "MODIFY",
        "dynamodb": {
            "Keys": { "PK": { "S": "USER#a" }, "SK": { "S": "ORDER#b" } },
            "OldImage": image("pending", version - 1),
            "NewImage": image("paid", version),
            "SequenceNumber": format!("1000{place}"),
        },
    })
}
