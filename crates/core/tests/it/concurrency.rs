//! What holds under concurrent requests.

use std::sync::Arc;

use storefront_core::schema::ItemType;
use storefront_core::{Error, OrderAccess, OrderStatus, ProductChanges, ProductId, UserId};

use storefront_testing::new_product;

use crate::shop::{Shop, becoming};

/// Runs `work` this many times concurrently, each time in its own task.
async fn at_once<T, F, Fut>(times: usize, work: F) -> Vec<T>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|index| tokio::spawn(work(index))).collect();
    let mut results = Vec::with_capacity(times);
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_24_concurrent_registrations_of_an_email_wins() {
    let shop = Arc::new(Shop::open().await);
    let results = at_once(24, |_| {
        let shop = Arc::clone(&shop);
        async move { shop.register("anna@example.com").await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::EmailTaken))));
    assert_eq!(shop.count(ItemType::User).await, 1);
    assert_eq!(shop.count(ItemType::UniqueEmail).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_40_concurrent_orders_for_a_stock_of_10_are_placed() {
    let shop = Arc::new(Shop::open().await);
    let anna = Arc::new(shop.anna().await);
    let blend = Arc::new(shop.product(100, 10).await);
    let results = at_once(40, |_| {
        let (shop, anna, blend) = (Arc::clone(&shop), Arc::clone(&anna), Arc::clone(&blend));
        async move { shop.place(&anna, &[(&blend, 1)]).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    for result in &results {
        let is_expected = matches!(result, Ok(_) | Err(Error::OutOfStock(_) | Error::Contention));
        assert!(is_expected, "{result:?}");
    }
    assert_eq!(shop.stock(&blend).await, Some(0));
    assert_eq!(shop.count(ItemType::Order).await, 10);
    assert_eq!(shop.count(ItemType::OrderItem).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_12_orders_with_the_same_idempotency_key_is_placed_and_all_get_it() {
    let shop = Arc::new(Shop::open().await);
    let anna = Arc::new(shop.anna().await);
    let blend = Arc::new(shop.product(100, 100).await);
    let results = at_once(12, |_| {
        let (shop, anna, blend) = (Arc::clone(&shop), Arc::clone(&anna), Arc::clone(&blend));
        async move { shop.place_as("k", &anna, &[(&blend, 3)]).await }
    })
    .await;
    let placed: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(placed.iter().filter(|placed| !placed.replayed).count(), 1);
    assert!(placed.iter().all(|other| other.value == placed[0].value));
    assert_eq!(shop.count(ItemType::Order).await, 1);
    assert_eq!(shop.stock(&blend).await, Some(97));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_12_who_add_a_product_with_the_same_key_one_does_and_all_get_it() {
    let shop = Arc::new(Shop::open().await);
    let user = UserId::new();
    let results = at_once(12, |_| {
        let shop = Arc::clone(&shop);
        let (id, new, key) = (ProductId::new(), new_product(100, None), "k".parse().unwrap());
        async move { shop.products.create_once(id, new, user, key).await }
    })
    .await;
    let added: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(added.iter().filter(|added| !added.replayed).count(), 1);
    assert!(added.iter().all(|other| other.value == added[0].value));
    assert_eq!(shop.count(ItemType::Product).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_8_concurrent_cancellations_puts_the_stock_back() {
    let shop = Arc::new(Shop::open().await);
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 4)]).await.unwrap();
    let results = at_once(8, |_| {
        let shop = Arc::clone(&shop);
        async move {
            let access = OrderAccess::OwnedBy(anna.id);
            shop.orders.change_status(access, order.id, becoming(OrderStatus::Cancelled)).await
        }
    })
    .await;
    for result in results {
        assert_eq!(result.unwrap().order.version, 2, "all are told that it is cancelled");
    }
    assert_eq!(shop.stock(&blend).await, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_of_30_concurrent_log_in_attempts_get_through() {
    let shop = Arc::new(Shop::open().await);
    let results = at_once(30, |_| {
        let shop = Arc::clone(&shop);
        async move {
            shop.login_attempts
                .begin(&crate::shop::attempt(&crate::shop::email("anna@example.com")))
                .await
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 10);
    assert!(
        results.iter().all(|result| matches!(result, Ok(()) | Err(Error::TooManyLogins { .. })))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_change_to_the_same_email_concurrently_keep_one_guard_each() {
    let shop = Arc::new(Shop::open().await);
    let mut users = Vec::new();
    for index in 0..8 {
        users.push(shop.register(&format!("user{index}@example.com")).await.unwrap());
    }
    let users = Arc::new(users);
    let results = at_once(8, |index| {
        let (shop, users) = (Arc::clone(&shop), Arc::clone(&users));
        async move {
            let changes = storefront_core::UserChanges {
                email: Some(crate::shop::email("wanted@example.com")),
                ..Default::default()
            };
            shop.users.update(users[index].id, changes, None).await
        }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::EmailTaken))));
    assert_eq!(shop.count(ItemType::UniqueEmail).await, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_changes_to_an_email_from_several_windows_gets_it() {
    let shop = Arc::new(Shop::open().await);
    let anna = shop.anna().await;
    let results = at_once(4, |_| {
        let shop = Arc::clone(&shop);
        async move {
            let changes = storefront_core::UserChanges {
                email: Some(crate::shop::email("anna@example.org")),
                ..Default::default()
            };
            shop.users.update(anna.id, changes, None).await
        }
    })
    .await;
    for result in results {
        assert_eq!(result.unwrap().email.as_str(), "anna@example.org");
    }
    assert_eq!(shop.count(ItemType::UniqueEmail).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_two_identical_concurrent_changes_to_a_version_succeeds() {
    let shop = Arc::new(Shop::open().await);
    for _ in 0..30 {
        let blend = Arc::new(shop.product(100, 10).await);
        let results = at_once(2, |_| {
            let (shop, blend) = (Arc::clone(&shop), Arc::clone(&blend));
            let cheaper = ProductChanges { price: Some(90), ..ProductChanges::default() };
            async move { shop.products.update(blend.id, cheaper, Some(1)).await }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    }
}
