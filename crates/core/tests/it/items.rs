//! The exact items and keys of the table's layout.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use storefront_core::schema::{ItemType, Layout};
use storefront_core::{OrderId, ProductId, User, UserId, schema};

use crate::shop::{Shop, email};

const ANNA: &str = "01930000-0000-7000-8000-00000000000a";
const BLEND: &str = "01930000-0000-7000-8000-00000000000b";
const ORDER: &str = "01930000-0000-7000-8000-00000000000c";
const MANUAL: &str = "correct the items in docs/operations.md, `Users from another shop`";
/// The time of the three ids: `0x019300000000` milliseconds.
const CREATED_AT: &str = "2024-11-06T05:43:40.288Z";

#[tokio::test]
async fn every_entity_has_its_documented_keys() {
    let shop = Shop::open().await;
    crate::put_examples(&shop).await;
    let (anna, blend, order) = (anna(), blend(), order());

    let user = item(&shop, schema::Key::user(anna)).await;
    assert_eq!(
        user,
        json!({
            "PK": format!("USER#{ANNA}"), "SK": "METADATA",
            "GSI1PK": "EMAIL#anna@example.com", "GSI1SK": format!("USER#{ANNA}"),
            "_type": "User", "id": ANNA, "email": "anna@example.com", "name": "Anna",
            "passwordHash": "$argon2id$anna", "role": "user", "locale": "de", "version": 1,
            "createdAt": CREATED_AT, "updatedAt": CREATED_AT,
        })
    );
    assert_eq!(
        item(&shop, schema::Key::unique_email(&email("anna@example.com"))).await,
        json!({
            "PK": "EMAIL#anna@example.com", "SK": "METADATA", "_type": "UniqueEmail",
            "userId": ANNA,
        })
    );
    assert_eq!(
        item(&shop, schema::Key::order(anna, order)).await,
        json!({
            "PK": format!("USER#{ANNA}"), "SK": format!("ORDER#{CREATED_AT}#{ORDER}"),
            "GSI1PK": format!("ORDER#{ORDER}"), "GSI1SK": format!("USER#{ANNA}"),
            "GSI2PK": "STATUS#pending#4", "GSI2SK": format!("{CREATED_AT}#{ORDER}"),
            "_type": "Order", "id": ORDER, "userId": ANNA, "number": "278C-S300-000C",
            "status": "pending", "payment": "unpaid", "itemCount": 1, "total": 3780,
            "currency": "EUR", "version": 1, "createdAt": CREATED_AT, "updatedAt": CREATED_AT,
            "requestId": "JKJaXmPLvHcESHA=",
        })
    );
    assert_eq!(
        item(&shop, schema::Key::order_item(order, blend)).await,
        json!({
            "PK": format!("ORDER#{ORDER}"), "SK": format!("ITEM#{BLEND}"), "_type": "OrderItem",
            "orderId": ORDER, "productId": BLEND, "name": "Espresso blend", "quantity": 2,
            "price": 1890, "taken": 2, "takenFrom": 0,
        })
    );
    let product = item(&shop, schema::Key::product(blend)).await;
    assert_eq!(
        product,
        json!({
            "PK": format!("PRODUCT#{BLEND}"), "SK": "METADATA",
            "GSI1PK": "CATEGORY#coffee", "GSI1SK": format!("PRODUCT#{BLEND}"),
            "_type": "Product", "id": BLEND, "name": "Espresso blend", "description": "Dark",
            "category": "coffee", "price": 1890, "currency": "EUR", "selling": true,
            "available": true, "availableRevision": 1, "stock": 0, "version": 1,
            "createdAt": CREATED_AT, "updatedAt": CREATED_AT,
        })
    );
    let stock = |pk: String, rest: Value| {
        let mut expected = json!({
            "PK": pk, "SK": "METADATA#STOCK", "_type": "Stock", "productId": BLEND,
            "name": "Espresso blend", "price": 1890, "currency": "EUR", "selling": true,
        });
        expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        expected
    };
    let first = item(&shop, schema::Key::stock(blend, 0)).await;
    let expected = json!({ "quantity": 3, "spread": 1 });
    assert_eq!(first, stock(format!("PRODUCT#{BLEND}"), expected));
    shop.products.spread_stock(blend, 2).await.unwrap();
    let second = item(&shop, schema::Key::stock(blend, 1)).await;
    assert_eq!(second, stock(format!("PRODUCT#{BLEND}#STOCK#01"), json!({ "quantity": 1 })));
    let claimed = item(&shop, schema::Key::mail(&format!("{ORDER}:1"))).await;
    assert_eq!(claimed["PK"], format!("MAIL#{ORDER}:1"));
    assert_eq!((&claimed["SK"], &claimed["_type"]), (&json!("METADATA"), &json!("Mail")));
    assert_eq!(claimed["claims"].as_array().unwrap().len(), 1);
    assert_eq!(claimed["claimedUntil"], "2024-11-06T05:45:40.288Z");
    assert_eq!(claimed["expiresAt"], 1_730_958_220);
    let sent = item(&shop, schema::Key::mail(&format!("{ORDER}:2"))).await;
    assert_eq!((&sent["outcome"], &sent["claimedUntil"]), (&json!("sent"), &Value::Null));
    let key = "first".parse().unwrap();
    let record = item(&shop, schema::Key::idempotency(anna, &key)).await;
    assert_eq!(record["PK"], format!("IDEMPOTENCY#{ANNA}"));
    assert_eq!(record["SK"], "first");
    assert_eq!(record["_type"], "Idempotency");
    assert_eq!(record["resultId"], ORDER);
    assert!(record["requestHash"].is_string());
    assert!(record["expiresAt"].is_u64());
    let key = schema::Key::login_attempts(&email("anna@example.com"), 0, None);
    let attempts = item(&shop, key).await;
    assert_eq!(attempts["PK"], "EMAIL#anna@example.com");
    assert_eq!(attempts["SK"], "LOGIN_ATTEMPTS#0#-");
    assert_eq!(attempts["_type"], "LoginAttempts");
    assert_eq!(attempts["attempts"].as_array().unwrap().len(), 1);
    assert!(attempts["expiresAt"].is_u64());
}

#[tokio::test]
async fn the_manual_imports_users_as_the_code_writes_them() {
    let manual = include_str!("../../../../docs/operations.md");
    let section = manual.split_once("## Users from another shop").unwrap().1;
    let actions = section.split_once("```json").unwrap().1.split_once("```").unwrap().0;
    let actions: Value = serde_json::from_str(actions).unwrap();
    let items = actions.as_array().unwrap().iter().map(|action| {
        let item = action["Put"]["Item"].clone();
        schema::Item::from(serde_json::from_value::<serde_dynamo::Item>(item).unwrap())
    });
    let items: Vec<_> = items.collect();
    let user: User = serde_dynamo::from_item(items[0].clone()).expect(MANUAL);
    assert_eq!(items, user.to_items().unwrap(), "{MANUAL}");
}

#[tokio::test]
async fn every_item_has_the_keys_and_attributes_of_its_layout() {
    let shop = Shop::open().await;
    crate::put_examples(&shop).await;
    let mut found: BTreeMap<ItemType, BTreeSet<String>> = BTreeMap::new();
    for item in shop.scan().await {
        let item_type: ItemType = item[schema::TYPE].as_s().unwrap().parse().unwrap();
        let layout = item_type.layout();
        for (name, layout) in keys(layout) {
            let Some(key) = item.get(name).map(|key| key.as_s().unwrap()) else { continue };
            let layout = layout.unwrap_or("absent");
            assert!(fits(layout, key), "{item_type}: {name} is {key}, but its layout is {layout}");
        }
        found.entry(item_type).or_default().extend(item.into_keys());
    }
    for (item_type, names) in &found {
        let layout = item_type.layout();
        let keys = keys(layout).into_iter().filter_map(|(name, layout)| layout.map(|_| name));
        let attributes = layout.attributes.iter().copied();
        let expected: BTreeSet<_> =
            keys.chain(attributes).chain([schema::TYPE]).map(str::to_owned).collect();
        assert_eq!(*names, expected, "{item_type}: see `ItemType::layout`");
    }
    let found: BTreeSet<_> = found.into_keys().collect();
    let all: BTreeSet<_> = ItemType::ALL.iter().copied().collect();
    assert_eq!(found, all, "put these, too, in `put_examples` of crates/core/tests/it/main.rs");
}

/// The names of all keys, with their layout.
fn keys(layout: Layout) -> [(&'static str, Option<&'static str>); 6] {
    let (gsi1pk, gsi1sk) = layout.gsi1.unzip();
    let (gsi2pk, gsi2sk) = layout.gsi2.unzip();
    [
        (schema::PK, Some(layout.pk)),
        (schema::SK, Some(layout.sk)),
        (schema::GSI1PK, gsi1pk),
        (schema::GSI1SK, gsi1sk),
        (schema::GSI2PK, gsi2pk),
        (schema::GSI2SK, gsi2sk),
    ]
}

/// Whether a key matches its layout, in which `<…>` stands for any text.
fn fits(layout: &str, key: &str) -> bool {
    let Some((before, rest)) = layout.split_once('<') else { return layout == key };
    let (_, rest) = rest.split_once('>').unwrap();
    let ends =
        |key: &str| (1..=key.len()).any(|end| key.is_char_boundary(end) && fits(rest, &key[end..]));
    key.strip_prefix(before).is_some_and(ends)
}

/// The user, product and order of the examples.
pub(crate) fn anna() -> UserId {
    ANNA.parse().unwrap()
}

pub(crate) fn blend() -> ProductId {
    BLEND.parse().unwrap()
}

pub(crate) fn order() -> OrderId {
    ORDER.parse().unwrap()
}

/// Reads an item as JSON.
async fn item(shop: &Shop, key: schema::Key) -> Value {
    let item = shop.raw(key).await.expect("the item exists");
    let attributes: BTreeMap<String, Value> = item
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                AttributeValue::S(text) => json!(text),
                AttributeValue::N(number) => json!(number.parse::<u64>().unwrap()),
                AttributeValue::Bool(flag) => json!(flag),
                AttributeValue::Ss(texts) => json!(texts),
                _ => panic!("{name} has a type that the table does not use"),
            };
            (name, value)
        })
        .collect();
    json!(attributes)
}
