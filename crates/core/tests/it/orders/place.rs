use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::ItemType;
use storefront_core::{
    Currency, Error, MAX_ORDER_ITEMS, MAX_PRICE, MAX_TOTAL, NewOrder, NewProduct, OrderId,
    OrderStatus, Product, ProductChanges, ProductId, Shortage, Timestamp, User, schema,
};

use storefront_testing::new_product;

use crate::shop::{Shop, new_order, number};

#[tokio::test]
async fn an_order_takes_name_price_and_stock_from_the_products() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (blend, tea) = (shop.product(1890, 5).await, shop.product(450, None).await);
    let placed = shop.orders.place(new_order(&anna, &[(&tea, 3), (&blend, 2)])).await.unwrap();
    assert!(!placed.replayed);
    let order = placed.value;
    assert_eq!(order.order.status, OrderStatus::Pending);
    assert_eq!(order.order.total, 2 * 1890 + 3 * 450);
    assert_eq!(order.order.currency, Currency::EUR);
    assert_eq!(order.order.created_at, order.order.id.created_at());
    let items: Vec<_> =
        order.items.iter().map(|item| (item.product_id, item.quantity, item.price)).collect();
    assert_eq!(items, [(blend.id, 2, 1890), (tea.id, 3, 450)]);
    assert_eq!(shop.stock(&blend).await, Some(3));
    assert_eq!(shop.stock(&tea).await, None);
}

#[tokio::test]
async fn a_product_named_twice_is_one_item() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 5).await;
    let placed = shop.orders.place(new_order(&anna, &[(&blend, 1), (&blend, 3)])).await.unwrap();
    assert_eq!(placed.value.items.len(), 1);
    assert_eq!(placed.value.items[0].quantity, 4);
    assert_eq!(shop.stock(&blend).await, Some(1));
}

#[tokio::test]
async fn an_order_that_cannot_be_filled_names_the_products_and_takes_nothing() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (plenty, few) = (shop.product(100, 50).await, shop.product(200, 2).await);
    let Err(Error::OutOfStock(shortages)) = shop.place(&anna, &[(&plenty, 1), (&few, 3)]).await
    else {
        panic!("sold more than the stock");
    };
    assert_eq!(shortages, [Shortage { product_id: few.id, requested: 3, available: 2 }]);
    assert_eq!(shop.stock(&plenty).await, Some(50));
    assert_eq!(shop.stock(&few).await, Some(2));
    assert_eq!(shop.count(ItemType::Order).await + shop.count(ItemType::OrderItem).await, 0);
}

#[tokio::test]
async fn a_deleted_user_cannot_place_or_replay_an_order() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 5).await;
    shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    shop.users.delete(anna.id, None).await.unwrap();
    let placed = shop.place(&anna, &[(&blend, 1)]).await;
    assert!(matches!(placed, Err(Error::CallerNotFound)));
    let again = shop.place_as("k", &anna, &[(&blend, 1)]).await;
    assert!(matches!(again, Err(Error::CallerNotFound)));
    assert_eq!(shop.stock(&blend).await, Some(4));
    assert_eq!(shop.count(ItemType::Order).await, 1);
}

#[tokio::test]
async fn orders_against_the_rules_are_rejected() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, None).await;
    let gone = Product { id: ProductId::new(), ..blend.clone() };
    let dollars = NewProduct { currency: Currency::USD, ..new_product(100, None) };
    let dollars = shop.products.create(ProductId::new(), dollars).await.unwrap().product;

    assert!(matches!(shop.place(&anna, &[]).await, Err(Error::EmptyOrder)));
    assert!(matches!(
        shop.place(&anna, &[(&blend, 0)]).await,
        Err(Error::InvalidQuantity { quantity: 0, .. })
    ));
    assert!(matches!(
        shop.place(&anna, &[(&blend, 999), (&blend, 1)]).await,
        Err(Error::InvalidQuantity { quantity: 1000, .. })
    ));
    let Err(Error::UnknownProducts(unknown)) = shop.place(&anna, &[(&gone, 1), (&blend, 1)]).await
    else {
        panic!("sold a product that does not exist");
    };
    assert_eq!(unknown, [gone.id]);
    let Err(Error::MixedCurrencies(currencies)) =
        shop.place(&anna, &[(&blend, 1), (&dollars, 1)]).await
    else {
        panic!("added cents to euro cents");
    };
    assert_eq!(currencies, ["EUR", "USD"]);
    assert_eq!(shop.count(ItemType::Order).await, 0);
}

#[tokio::test]
async fn an_order_holds_48_items_and_not_one_more() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let mut products = Vec::new();
    for _ in 0..=MAX_ORDER_ITEMS {
        products.push(shop.product(1, 10).await);
    }
    let items: Vec<_> = products.iter().map(|product| (product, 1)).collect();
    let Err(Error::TooManyItems { count: 49 }) = shop.place(&anna, &items).await else {
        panic!("placed an order of 49 items");
    };
    let placed = shop.place_as("full", &anna, &items[..MAX_ORDER_ITEMS]).await.unwrap();
    assert_eq!(placed.value.items.len(), MAX_ORDER_ITEMS);
    assert_eq!(shop.stock(&products[0]).await, Some(9));
    assert_eq!(shop.stock(&products[48]).await, Some(10));
}

#[tokio::test]
async fn a_reused_key_returns_the_first_order_whatever_happened_to_its_products() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (blend, tea) = (shop.product(100, 1).await, shop.product(200, None).await);
    let first = shop.place_as("k", &anna, &[(&blend, 1), (&tea, 1)]).await.unwrap();
    let dearer = ProductChanges { price: Some(900), ..ProductChanges::default() };
    shop.products.update(blend.id, dearer, None).await.unwrap();
    shop.products.delete(tea.id, None).await.unwrap();

    let again = shop.place_as("k", &anna, &[(&tea, 1), (&blend, 1)]).await.unwrap();

    assert!(again.replayed);
    assert_eq!(again.value, first.value);
    assert_eq!(shop.count(ItemType::Order).await, 1);
    assert_eq!(shop.stock(&blend).await, Some(0));
}

#[tokio::test]
async fn a_key_used_for_another_order_is_rejected_and_each_user_has_their_own_keys() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(100, 10).await;
    shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    assert!(matches!(
        shop.place_as("k", &anna, &[(&blend, 2)]).await,
        Err(Error::IdempotencyKeyReused)
    ));
    let bens = shop.place_as("k", &ben, &[(&blend, 2)]).await.unwrap();
    assert!(!bens.replayed);
    assert_eq!(shop.stock(&blend).await, Some(7));
}

#[tokio::test]
async fn an_expired_key_that_was_not_removed_yet_does_not_count() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let first = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    let record = schema::Key::idempotency(anna.id, &"k".parse().unwrap());
    shop.overwrite(record, "expiresAt", number(Timestamp::now().as_seconds())).await;
    let second = shop.place_as("k", &anna, &[(&blend, 2)]).await.unwrap();
    assert!(!second.replayed);
    assert_ne!(second.value.order.id, first.value.order.id);
    assert!(shop.place_as("k", &anna, &[(&blend, 2)]).await.unwrap().replayed);
}

#[tokio::test]
async fn an_order_is_placed_at_the_total_that_the_customer_has_seen_or_not_at_all() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (blend, tea) = (shop.product(1890, 5).await, shop.product(450, None).await);
    let items = [(&blend, 2), (&tea, 1)];
    let seen = |expected_total| NewOrder {
        expected_total: Some(expected_total),
        idempotency_key: Some("first".parse().unwrap()),
        ..new_order(&anna, &items)
    };
    let changes = ProductChanges { price: Some(189_000), ..ProductChanges::default() };
    shop.products.update(blend.id, changes, None).await.unwrap();

    let refused = shop.orders.place(seen(4_230)).await;
    let Err(Error::TotalChanged(current)) = refused else { panic!("{refused:?}") };
    assert_eq!((current.total, current.currency), (378_450, Currency::EUR));
    let prices: Vec<_> =
        current.items.iter().map(|item| (item.product_id, item.quantity, item.price)).collect();
    assert_eq!(prices, [(blend.id, 2, 189_000), (tea.id, 1, 450)]);
    assert_eq!(shop.count(ItemType::Order).await, 0);
    assert_eq!(shop.count(ItemType::Idempotency).await, 0);
    assert_eq!(shop.stock(&blend).await, Some(5));

    let placed = shop.orders.place(seen(378_450)).await.unwrap();
    assert_eq!(placed.value.order.total, 378_450);
    // Placed is placed, whatever the price is now.
    let changes = ProductChanges { price: Some(1), ..ProductChanges::default() };
    shop.products.update(blend.id, changes, None).await.unwrap();
    assert!(shop.orders.place(seen(378_450)).await.unwrap().replayed);
    let other = shop.orders.place(seen(452)).await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
}

#[tokio::test]
async fn a_total_that_javascript_cannot_read_exactly_is_refused() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let mut products = Vec::new();
    for price in [MAX_PRICE; 9] {
        products.push(shop.product(price, None).await);
    }
    let mut items: Vec<_> = products.iter().map(|product| (product, 999)).collect();
    let rest = MAX_TOTAL - 9 * 999 * MAX_PRICE;
    let last = shop.product(rest, None).await;
    items.push((&last, 1));
    assert_eq!(shop.place(&anna, &items).await.unwrap().total, MAX_TOTAL);

    let cent = shop.product(1, None).await;
    items.push((&cent, 1));
    let refused = shop.place(&anna, &items).await;
    assert!(matches!(refused, Err(Error::TotalTooLarge { total }) if total == MAX_TOTAL + 1));
    assert_eq!(shop.count(ItemType::Order).await, 1);
}

/// As version 0.1 wrote it.
async fn put_record_of_0_1(shop: &Shop, user: &User, order: OrderId, hash: &str, expires_at: i64) {
    let text = |text: String| AttributeValue::S(text);
    let item = [
        ("PK", text(format!("USER#{}", user.id))),
        ("SK", text("IDEMPOTENCY#k".to_owned())),
        ("_type", text("Idempotency".to_owned())),
        ("orderId", text(order.to_string())),
        ("requestHash", text(hash.to_owned())),
        ("expiresAt", number(expires_at)),
    ];
    let item = item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let put = shop.client.put_item().table_name(&shop.table_name).set_item(Some(item));
    put.send().await.unwrap();
}

#[tokio::test]
async fn an_order_that_version_0_1_placed_is_not_placed_again() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let product = "01930000-0000-7000-8000-000000000101".parse().unwrap();
    let blend = shop.products.create(product, new_product(100, Some(10))).await.unwrap().product;
    let first = shop.place(&anna, &[(&blend, 2)]).await.unwrap();
    // Version 0.1 hashed the ids' bytes and the quantities: this is product 101, twice.
    let hash = "M8Zn4DyX3RsZe8vxE2Y-KU8qL0cxu3xPPS2m4ogsFME";
    let tomorrow = Timestamp::now().as_seconds() + 86_400;
    put_record_of_0_1(&shop, &anna, first.id, hash, tomorrow).await;

    let again = shop.place_as("k", &anna, &[(&blend, 2)]).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value.order.id, first.id);
    let other = shop.place_as("k", &anna, &[(&blend, 3)]).await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    assert_eq!(shop.stock(&blend).await, Some(8));

    put_record_of_0_1(&shop, &anna, first.id, hash, 1).await;
    assert!(!shop.place_as("k", &anna, &[(&blend, 3)]).await.unwrap().replayed);
}
