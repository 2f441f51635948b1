//! Items that somebody has edited by hand, or that a later version has written.

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{self, ItemType, Key};
use storefront_core::{
    CreatedBetween, Error, MAX_LOGIN_FAILURES, OrderAccess, OrderId, OrderStatus, PageRequest,
    Product, ProductChanges, ProductId, User,
};

use crate::shop::{Shop, attempt, becoming, category, email};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

const NULL: AttributeValue = AttributeValue::Null(true);

/// Walks through the products of the category in pages of this size. Returns what it found, and how
/// many items were left out.
async fn listed(shop: &Shop, limit: u32) -> (Vec<ProductId>, usize) {
    let (mut ids, mut unreadable, mut after) = (Vec::new(), 0, None);
    loop {
        let request = PageRequest { limit, after };
        let page = shop.products.list(&category("coffee"), request).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        ids.extend(page.items.iter().map(|product| product.id));
        unreadable += page.unreadable;
        after = page.next;
        if after.is_none() {
            return (ids, unreadable);
        }
    }
}

async fn listed_orders(shop: &Shop, user: &User, limit: u32) -> (Vec<OrderId>, usize) {
    let (mut ids, mut unreadable, mut after) = (Vec::new(), 0, None);
    loop {
        let request = PageRequest { limit, after };
        let page = shop.orders.list(user.id, CreatedBetween::default(), request).await.unwrap();
        ids.extend(page.items.iter().map(|order| order.id));
        unreadable += page.unreadable;
        after = page.next;
        if after.is_none() {
            return (ids, unreadable);
        }
    }
}

#[tokio::test]
async fn a_product_that_cannot_be_read_is_left_out_of_its_list_and_hides_no_other() {
    for (attribute, value) in [
        ("price", text("890")),
        ("currency", text("EURO")),
        ("version", NULL),
        ("name", NULL),
        (schema::TYPE, text("Produkt")),
    ] {
        for odd in 0..3 {
            let shop = Shop::open().await;
            let products = shop.products(3).await;
            let key = Key::product(products[odd].id);
            shop.overwrite(key, attribute, value.clone()).await;
            let mut others: Vec<_> = products.iter().map(|product| product.id).collect();
            others.remove(odd);
            for limit in 1..=3 {
                assert_eq!(listed(&shop, limit).await, (others.clone(), 1), "{attribute} {odd}");
            }
            let alone = shop.products.find(products[odd].id).await;
            assert!(matches!(alone, Err(Error::Item(_))), "{attribute}");
        }
    }
}

#[tokio::test]
async fn a_category_of_odd_products_ends() {
    let shop = Shop::open().await;
    for product in shop.products(5).await {
        shop.overwrite(Key::product(product.id), "price", NULL).await;
    }
    for limit in [1, 2, 5] {
        assert_eq!(listed(&shop, limit).await, (vec![], 5));
    }
}

#[tokio::test]
async fn an_item_with_odd_keys_in_the_index_is_left_out() {
    let shop = Shop::open().await;
    let products = shop.products(3).await;
    let another = format!("PRODUCT#{}", ProductId::new());
    for odd in ["PRODUCT#", "PRODUCT#7", "first", "zero", &another] {
        shop.overwrite(Key::product(products[1].id), schema::GSI1SK, text(odd)).await;
        for limit in 1..=3 {
            let others = vec![products[0].id, products[2].id];
            assert_eq!(listed(&shop, limit).await, (others, 1), "{odd}");
        }
    }
}

#[tokio::test]
async fn an_order_of_a_later_version_hides_no_other_order() {
    let shop = Shop::open().await;
    let (anna, blend) = (shop.anna().await, shop.product(100, None).await);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(shop.place(&anna, &[(&blend, 1)]).await.unwrap().id);
    }
    let odd = orders[1];
    shop.overwrite(Key::order(anna.id, odd), "status", text("refunded")).await;
    for limit in 1..=3 {
        let others = vec![orders[2], orders[0]];
        assert_eq!(listed_orders(&shop, &anna, limit).await, (others, 1));
    }
    let alone = shop.orders.find(OrderAccess::OwnedBy(anna.id), odd).await;
    assert!(matches!(alone, Err(Error::Item(_))));
}

/// As JavaScript's document clients write a value that is absent.
async fn unlimited_as_null(shop: &Shop) -> Product {
    let product = shop.product(100, 5).await;
    shop.overwrite(Key::stock(product.id, 0), "quantity", NULL).await;
    product
}

#[tokio::test]
async fn a_stock_of_null_is_unlimited_and_nothing_is_put_back_into_it() {
    let shop = Shop::open().await;
    let (anna, blend) = (shop.anna().await, unlimited_as_null(&shop).await);
    assert_eq!(shop.stock(&blend).await, None);

    let order = shop.place(&anna, &[(&blend, 999)]).await.unwrap();
    shop.orders
        .change_status(OrderAccess::Any, order.id, becoming(OrderStatus::Cancelled))
        .await
        .unwrap();
    assert_eq!(shop.stock(&blend).await, None);

    let changes = ProductChanges { stock: Some(Some(3)), ..ProductChanges::default() };
    shop.products.update(blend.id, changes, None).await.unwrap();
    shop.place(&anna, &[(&blend, 2)]).await.unwrap();
    assert_eq!(shop.stock(&blend).await, Some(1));
}

#[tokio::test]
async fn other_attributes_that_are_null_count_as_absent_too() {
    let shop = Shop::open().await;
    let (anna, blend) = (shop.anna().await, shop.product(100, None).await);
    shop.overwrite(Key::product(blend.id), "description", NULL).await;
    let found = shop.products.find(blend.id).await.unwrap().unwrap();
    assert_eq!(found.product.description, None);

    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    shop.overwrite(Key::order(anna.id, order.id), "requestId", NULL).await;
    let found = shop.orders.find(OrderAccess::Any, order.id).await.unwrap().unwrap();
    assert_eq!(found.order.request_id, None);
}

#[tokio::test]
async fn a_product_of_nulls_is_as_one_without_these_attributes() {
    for attribute in ["selling", "available", "availableRevision", "stock"] {
        let shop = Shop::open().await;
        let (anna, blend) = (shop.anna().await, shop.product(100, 5).await);
        shop.overwrite(Key::product(blend.id), attribute, NULL).await;
        assert_eq!(listed(&shop, 3).await, (vec![blend.id], 0), "{attribute}");
        assert_eq!(shop.stock(&blend).await, Some(5), "{attribute}");
        shop.place(&anna, &[(&blend, 5)]).await.unwrap();
        shop.products.refresh_availability(blend.id).await.unwrap();
        let found = shop.products.find(blend.id).await.unwrap().unwrap().product;
        assert_eq!((found.selling, found.available), (true, false), "{attribute}");
    }
}

#[tokio::test]
async fn a_product_whose_spread_is_unknown_has_one_stock_item() {
    for null in [true, false] {
        let shop = Shop::open().await;
        let (anna, blend) = (shop.anna().await, shop.product(100, 5).await);
        let lose_spread = async || {
            if null {
                shop.overwrite(Key::stock(blend.id, 0), "spread", NULL).await;
            } else {
                shop.remove(Key::stock(blend.id, 0), "spread").await;
            }
        };
        lose_spread().await;
        let changes = ProductChanges { stock: Some(Some(3)), ..ProductChanges::default() };
        shop.products.update(blend.id, changes, None).await.unwrap();
        shop.products.change_stock(blend.id, 4, None).await.unwrap();
        shop.place(&anna, &[(&blend, 1)]).await.unwrap();
        shop.products.spread_stock(blend.id, 2).await.unwrap();
        assert_eq!(shop.stock(&blend).await, Some(6));
        shop.products.spread_stock(blend.id, 1).await.unwrap();
        lose_spread().await;
        shop.products.delete(blend.id, None).await.unwrap();
        assert_eq!(shop.count(ItemType::Stock).await, 0);
    }
}

#[tokio::test]
async fn a_log_in_count_of_nulls_locks_nobody_out_and_still_counts() {
    for attribute in ["attempts", "expiresAt"] {
        let shop = Shop::open().await;
        let anna = email("anna@example.com");
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
        shop.overwrite(Key::login_attempts(&anna, 0, None), attribute, NULL).await;
        for _ in 0..MAX_LOGIN_FAILURES {
            shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
        }
        let next = shop.login_attempts.begin(&attempt(&anna)).await;
        assert!(matches!(next, Err(Error::TooManyLogins { .. })), "{attribute}: {next:?}");
    }
}
