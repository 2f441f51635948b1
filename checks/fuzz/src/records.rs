//! Batches of stream records, sound ones and others, and the bus that their changes go to.

use arbitrary::Arbitrary;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json::Json;

/// Some records, of which EventBridge refuses an entry.
#[derive(Arbitrary, Debug)]
pub struct Batch {
    pub records: Vec<Record>,
    /// Which of the changes it refuses, counted from 0.
    pub refused: Option<u8>,
}

#[derive(Arbitrary, Debug)]
pub enum Record {
    /// An order was paid.
    Paid { order: u8 },
    /// The same with something else in one place.
    Odd { order: u8, place: Place, value: Option<Json> },
    /// Nothing like a record.
    Json(Json),
    /// JSON, if it is any, as somebody else would write it.
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
    /// What an attribute's type tag holds.
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
    Other(String),
}

impl Record {
    /// The record at this place of its batch.
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
            Self::Other(name) => name,
        }
    }
}

/// The record of an order that went from pending to paid, at this place of its batch.
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
    // Each record of a batch another version, so that each change has an event of its own.
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
