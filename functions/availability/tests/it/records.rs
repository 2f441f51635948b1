//! Stream records as DynamoDB writes them.

use serde_json::{Value, json};
use storefront_core::{Product, ProductId};

/// The record of a change of a product's first stock item.
pub(crate) fn changed(sequence_number: u64, product: &Product, old: u64, new: u64) -> Value {
    let partition = format!("PRODUCT#{}", product.id);
    record(sequence_number, &partition, &json!(old), &json!(new))
}

/// The record of another stock item of a product that is spread.
pub(crate) fn changed_further(sequence_number: u64, product: &Product, item: u8) -> Value {
    let partition = format!("PRODUCT#{}#STOCK#{item:02}", product.id);
    record(sequence_number, &partition, &json!(1), &json!(0))
}

/// The record of a product's stock item that was deleted.
pub(crate) fn removed(sequence_number: u64, id: ProductId) -> Value {
    let mut record = record(sequence_number, &format!("PRODUCT#{id}"), &json!(1), &json!(0));
    record["eventName"] = json!("REMOVE");
    record["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    record
}

/// The record of a stock item in this partition.
pub(crate) fn record(sequence_number: u64, partition: &str, old: &Value, new: &Value) -> Value {
    let image = |quantity: &Value| {
        json!({
            "PK": { "S": partition },
            "SK": { "S": "METADATA#STOCK" },
            "_type": { "S": "Stock" },
            "name": { "S": "CONFIDENTIAL" },
            "quantity": { "N": quantity.to_string() },
        })
    };
    json!({
        "eventID": format!("event-{sequence_number}"),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_339_800,
            "Keys": { "PK": { "S": partition }, "SK": { "S": "METADATA#STOCK" } },
            "OldImage": image(old),
            "NewImage": image(new),
            "SequenceNumber": sequence_number.to_string(),
            "SizeBytes": 256,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}

/// The same record, with the member at this JSON pointer replaced, or removed.
pub(crate) fn with(mut record: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = record.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(member.to_owned(), value),
        None => parent.remove(member),
    };
    record
}
