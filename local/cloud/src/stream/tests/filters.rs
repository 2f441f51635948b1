//! The filter decides as Lambda's does.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax>

use serde_json::{Value, json};

use super::super::source::Shard as _;
use super::super::*;
use super::support::*;

// The writes of `stock`, in their order. Without a quantity, the stock is unlimited.
const PRODUCT_ADDED: usize = 0;
const FIVE_ADDED: usize = 1;
const PRODUCT_RENAMED: usize = 2;
const SOLD_OUT: usize = 3;
const UNLIMITED: usize = 4;
const LIMITED_TO_NONE: usize = 5;
const RESTOCKED: usize = 6;
const STOCK_REMOVED: usize = 7;

/// Writes a product and its stock.
async fn stock() -> Setup {
    let setup = Setup::new().await;
    let product = |name: &str| {
        json!({
            "PK": { "S": "PRODUCT#1" }, "SK": { "S": "METADATA" }, "_type": { "S": "Product" },
            "name": { "S": name }, "quantity": { "N": "0" },
        })
    };
    let key = json!({ "PK": { "S": "PRODUCT#1" }, "SK": { "S": "METADATA#STOCK" } });
    let stock = |quantity: Option<&str>| {
        let mut item = key.clone();
        item["_type"] = json!({ "S": "Stock" });
        if let Some(quantity) = quantity {
            item["quantity"] = json!({ "N": quantity });
        }
        item
    };
    setup.put_item(&product("Coffee"));
    setup.put_item(&stock(Some("5")));
    setup.put_item(&product("Tea"));
    setup.put_item(&stock(Some("0")));
    setup.put_item(&stock(None));
    setup.put_item(&stock(Some("0")));
    setup.put_item(&stock(Some("3")));
    setup.delete_item(&key);
    setup
}

/// Returns which of the writes match one of the patterns.
fn passed(setup: &Setup, patterns: &[&Value]) -> Vec<usize> {
    let all = setup.shard().after(None).unwrap();
    let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
    let passed = Source::new(setup.shard(), Filter::new(&patterns).unwrap()).read().unwrap();
    let place = |record: &Record| {
        all.iter().position(|other| other.sequence_number == record.sequence_number).unwrap()
    };
    passed.iter().map(place).collect()
}

/// Returns a pattern for the stock's records with this image.
fn stock_with(image: &str, quantity: &Value) -> Value {
    json!({ "dynamodb": {
        "Keys": { "SK": { "S": ["METADATA#STOCK"] } },
        image: { "quantity": { "N": quantity } },
    } })
}

/// Returns the same for modifications only.
fn modified_stock_with(image: &str, quantity: &Value) -> Value {
    let mut pattern = stock_with(image, quantity);
    pattern["eventName"] = json!(["MODIFY"]);
    pattern
}

#[tokio::test]
async fn a_record_must_match_every_field_with_one_of_its_values() {
    let setup = stock().await;
    let inserted = json!({ "eventName": ["INSERT"] });
    assert_eq!(passed(&setup, &[&inserted]), [PRODUCT_ADDED, FIVE_ADDED]);
    let not_modified = json!({ "eventName": ["INSERT", "REMOVE"] });
    assert_eq!(passed(&setup, &[&not_modified]), [PRODUCT_ADDED, FIVE_ADDED, STOCK_REMOVED]);
    let none = json!({ "dynamodb": { "NewImage": {
        "_type": { "S": ["Stock"] }, "quantity": { "N": ["0"] },
    } } });
    assert_eq!(passed(&setup, &[&none]), [SOLD_OUT, LIMITED_TO_NONE]);
    let changed_to_none = modified_stock_with("NewImage", &json!(["0"]));
    assert_eq!(passed(&setup, &[&changed_to_none]), [SOLD_OUT, LIMITED_TO_NONE]);
}

#[tokio::test]
async fn a_record_must_match_one_of_several_patterns() {
    let setup = stock().await;
    let removed = json!({ "eventName": ["REMOVE"] });
    let was_unlimited = modified_stock_with("OldImage", &json!([{ "exists": false }]));
    assert_eq!(passed(&setup, &[&removed, &was_unlimited]), [LIMITED_TO_NONE, STOCK_REMOVED]);
}

#[tokio::test]
async fn exists_looks_for_a_leaf() {
    let setup = stock().await;
    let (present, absent) = (json!([{ "exists": true }]), json!([{ "exists": false }]));
    let limited = stock_with("NewImage", &present);
    assert_eq!(passed(&setup, &[&limited]), [FIVE_ADDED, SOLD_OUT, LIMITED_TO_NONE, RESTOCKED]);
    let was_unlimited = modified_stock_with("OldImage", &absent);
    assert_eq!(passed(&setup, &[&was_unlimited]), [LIMITED_TO_NONE]);
    let none_or_unlimited = modified_stock_with("NewImage", &json!(["0", { "exists": false }]));
    assert_eq!(passed(&setup, &[&none_or_unlimited]), [SOLD_OUT, UNLIMITED, LIMITED_TO_NONE]);
    let mut from_or_to_unlimited = none_or_unlimited.clone();
    from_or_to_unlimited["dynamodb"]["OldImage"] =
        json!({ "quantity": { "N": [{ "exists": false }, "0"] } });
    assert_eq!(passed(&setup, &[&from_or_to_unlimited]), [UNLIMITED, LIMITED_TO_NONE]);
    // What is above the leaf may be absent, too: an insertion has no old image.
    let any_event = stock_with("OldImage", &absent);
    assert_eq!(passed(&setup, &[&any_event]), [FIVE_ADDED, LIMITED_TO_NONE]);
}

/// An attribute is not a leaf, because its value is below its type.
#[tokio::test]
async fn exists_never_finds_an_attribute_without_its_type() {
    let setup = stock().await;
    let with = |exists: bool| json!({ "dynamodb": { "NewImage": { "quantity": [{ "exists": exists }] } } });
    assert_eq!(passed(&setup, &[&with(true)]), [0; 0]);
    assert_eq!(passed(&setup, &[&with(false)]).len(), 8);
}

#[tokio::test]
async fn a_number_is_compared_as_the_text_that_it_is_in_a_record() {
    let setup = stock().await;
    let zero = stock_with("NewImage", &json!([{ "numeric": ["=", 0] }]));
    assert_eq!(passed(&setup, &[&zero]), [0; 0]);
    let some = stock_with("NewImage", &json!([{ "anything-but": ["0"] }]));
    assert_eq!(passed(&setup, &[&some]), [FIVE_ADDED, RESTOCKED]);
}

#[tokio::test]
async fn a_key_can_be_compared_by_its_beginning() {
    let setup = stock().await;
    let of_stock = json!({
        "eventName": ["MODIFY"],
        "dynamodb": { "Keys": { "SK": { "S": [{ "prefix": "METADATA#" }] } } },
    });
    let changes = [SOLD_OUT, UNLIMITED, LIMITED_TO_NONE, RESTOCKED];
    assert_eq!(passed(&setup, &[&of_stock]), changes);
    let of_product =
        json!({ "eventName": ["MODIFY"], "dynamodb": { "Keys": { "SK": { "S": ["METADATA"] } } } });
    assert_eq!(passed(&setup, &[&of_product]), [PRODUCT_RENAMED]);
}

/// A pattern that only AWS understands must not pass or drop records here without notice.
#[test]
fn a_pattern_that_is_invalid_or_not_supported_is_rejected_and_named() {
    let no_list = r#"{"eventName":"MODIFY"}"#;
    let operator = r#"{"eventName":[{"starts-with":"INS"}]}"#;
    let no_choices = r#"{"$or":["INSERT"]}"#;
    for pattern in [no_list, operator, no_choices] {
        let error = Filter::new(&[pattern.to_owned()]).err().unwrap().to_string();
        assert!(error.contains(pattern), "{error}");
    }
}
