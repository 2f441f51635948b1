//! Units, written into a table and read by the repositories.

use std::collections::HashMap;

use crate::generate::Example;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use storefront_core::schema::Item;
use storefront_core::{
    OrderAccess, OrderStatus, Orders, ProductChanges, Products, StatusChange, Table, UserChanges,
    Users, aws,
};
use storefront_migrate::{Kind, Unit};
use storefront_testing::{TestTable, test_table};

use crate::source::{Source, mapping_of, sorted_out};

/// DynamoDB's limit of writes in a batch.
const BATCH: usize = 25;

/// A shop that was moved.
struct Shop {
    units: Vec<Unit>,
    client: Client,
    users: Users,
    products: Products,
    orders: Orders,
    dynamodb: TestTable,
}

impl Shop {
    async fn moved(example: Example) -> Self {
        let source = Source::sqlite();
        source.generate(example, 200, 0).await;
        let mut reader = source.reader(mapping_of(example)).await;
        let dynamodb = test_table().await;
        let endpoint_url = Some(dynamodb.endpoint_url().to_owned());
        let client = aws::dynamodb(&aws::patient_emulator_config(), endpoint_url);
        let table = Table::new(client.clone(), dynamodb.table_name());
        let mut shop = Self {
            units: Vec::new(),
            client,
            users: Users::new(table.clone()),
            products: Products::new(table.clone()),
            orders: Orders::new(table),
            dynamodb,
        };
        for kind in Kind::ALL {
            let (units, rejects) = sorted_out(&mut reader, kind).await;
            assert!(rejects.is_empty(), "{}", rejects[0].reason);
            shop.units.extend(units);
        }
        shop.write().await;
        shop
    }

    async fn write(&self) {
        let items: Vec<Item> =
            self.units.iter().flat_map(|unit| unit.to_items().unwrap()).collect();
        for batch in items.chunks(BATCH) {
            let writes = batch.iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            });
            let table = self.dynamodb.table_name();
            let batch = self.client.batch_write_item().request_items(table, writes.collect());
            let left = batch.send().await.unwrap().unprocessed_items.unwrap_or_default();
            assert!(left.is_empty());
        }
    }

    /// Returns the `legacyId` of each item, by its keys.
    async fn legacy_ids(&self) -> HashMap<(String, String), Option<String>> {
        let pages = self.client.scan().table_name(self.dynamodb.table_name());
        let items: Vec<Item> =
            pages.into_paginator().items().send().collect::<Result<_, _>>().await.unwrap();
        let text = |item: &Item, name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned();
        items
            .iter()
            .map(|item| {
                let key = (text(item, "PK").unwrap(), text(item, "SK").unwrap());
                (key, text(item, "legacyId"))
            })
            .collect()
    }
}

#[tokio::test]
async fn the_repositories_read_moved_items_like_their_own() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let shop = Shop::moved(example).await;
        for unit in &shop.units {
            match unit {
                Unit::User(user) => {
                    let user = &user.value;
                    assert_eq!(shop.users.find(user.id).await.unwrap().as_ref(), Some(user));
                    let found = shop.users.find_to_log_in(&user.email).await.unwrap();
                    assert_eq!(found.as_ref(), Some(user));
                }
                Unit::Product(product) => {
                    let found = shop.products.find(product.value.product.id).await.unwrap();
                    assert_eq!(found.as_ref(), Some(&product.value));
                }
                Unit::Order(order) => {
                    let (id, user_id) = (order.value.order.id, order.value.order.user_id);
                    for access in [OrderAccess::OwnedBy(user_id), OrderAccess::Any] {
                        let found = shop.orders.find(access, id).await.unwrap();
                        assert_eq!(found.as_ref(), Some(&order.value));
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn moving_a_shop_twice_has_the_same_result_as_moving_it_once() {
    let shop = Shop::moved(Example::IntegerKeys).await;
    let once = shop.legacy_ids().await;
    shop.write().await;
    assert_eq!(shop.legacy_ids().await, once);
    let items: usize = shop.units.iter().map(|unit| unit.to_items().unwrap().len()).sum();
    assert_eq!(once.len(), items);
}

#[tokio::test]
async fn every_item_has_its_key_in_the_source_and_keeps_it_when_changed() {
    let shop = Shop::moved(Example::IntegerKeys).await;
    let before = shop.legacy_ids().await;
    assert!(before.values().all(Option::is_some));

    let mut is_cancelled = false;
    for unit in &shop.units {
        match unit {
            Unit::User(user) => {
                let changes =
                    UserChanges { name: Some("New".parse().unwrap()), ..UserChanges::default() };
                shop.users.update(user.value.id, changes, None).await.unwrap();
            }
            Unit::Product(product) => {
                let changes = ProductChanges { price: Some(1), ..ProductChanges::default() };
                shop.products.update(product.value.product.id, changes, None).await.unwrap();
            }
            Unit::Order(order) => {
                // A cancellation also changes the stock.
                let to = match order.value.order.status {
                    OrderStatus::Pending | OrderStatus::Paid => OrderStatus::Cancelled,
                    OrderStatus::Shipped => OrderStatus::Delivered,
                    OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled => {
                        continue;
                    }
                };
                is_cancelled |= to == OrderStatus::Cancelled;
                let change = StatusChange::new(to);
                let id = order.value.order.id;
                shop.orders.change_status(OrderAccess::Any, id, change).await.unwrap();
            }
        }
    }
    assert!(is_cancelled, "no order could be cancelled");
    assert_eq!(shop.legacy_ids().await, before);

    // A new email has a new guard item, without a legacy id; the user keeps theirs.
    let Some(Unit::User(user)) = shop.units.first() else { panic!("users come first") };
    let email = Some("new@example.com".parse().unwrap());
    let changes = UserChanges { email, ..UserChanges::default() };
    shop.users.update(user.value.id, changes, None).await.unwrap();
    let key = (format!("USER#{}", user.value.id), "METADATA".to_owned());
    assert_eq!(shop.legacy_ids().await[&key].as_ref(), Some(&user.legacy_id));
}

#[tokio::test]
async fn an_item_is_what_the_repositories_write_plus_its_key_in_the_source() {
    let source = Source::sqlite();
    source.generate(Example::IntegerKeys, 1, 0).await;
    let mut reader = source.reader(mapping_of(Example::IntegerKeys)).await;
    let (units, _) = sorted_out(&mut reader, Kind::Order).await;
    let Unit::Order(order) = &units[0] else { panic!("not an order") };
    let with_key = units[0].to_items().unwrap();
    let own = order.value.to_items().unwrap();
    assert_eq!(with_key.len(), own.len());
    for (mut item, own) in with_key.into_iter().zip(own) {
        let legacy_id = item.remove("legacyId");
        assert_eq!(legacy_id, Some(AttributeValue::S("1".to_owned())));
        // Only the order says that it was migrated: no event tells of its items.
        let origin = item.remove("origin");
        let is_order = item["_type"] == AttributeValue::S("Order".to_owned());
        assert_eq!(origin, is_order.then(|| AttributeValue::S("migration".to_owned())));
        assert_eq!(item, own);
    }

    // A stock item also keeps what was loaded.
    let (units, _) = sorted_out(&mut reader, Kind::Product).await;
    let counted = units.iter().find_map(|unit| match unit {
        Unit::Product(product) if product.value.stock.is_some() => Some((unit, product)),
        _ => None,
    });
    let (unit, product) = counted.unwrap();
    let [mut of_product, mut stock] = <[Item; 2]>::try_from(unit.to_items().unwrap()).unwrap();
    for item in [&mut of_product, &mut stock] {
        assert!(item.remove("legacyId").is_some());
    }
    let loaded = stock.remove("legacyQuantity");
    assert_eq!(loaded, Some(AttributeValue::N(product.value.stock.unwrap().to_string())));
    assert_eq!(vec![of_product, stock], product.value.to_items().unwrap());
}
