//! What each access pattern costs: requests, and capacity units as DynamoDB reports them. The same
//! figures stand in docs/access-patterns.md.

use storefront_core::capacity::{Consumed, measure};
use storefront_core::{
    CreatedBetween, OrderAccess, OrderStatus, PageRequest, PasswordHash, Product, ProductChanges,
    ProductId, UserChanges, UserId,
};

use crate::shop::{Shop, becoming, category, email, new_order, new_product, new_user};

fn reads(requests: u32, read_units: f64) -> Consumed {
    Consumed { requests, read_units, write_units: 0.0 }
}

#[tokio::test]
async fn registering_a_user_is_one_transaction_of_two_puts() {
    let shop = Shop::open().await;
    let (result, cost) =
        measure(shop.users.register(UserId::new(), new_user("anna@example.com"))).await;
    result.unwrap();
    // Two items at two units each in a transaction, and the user's copy in GSI1 at one.
    assert_eq!(cost, Consumed { requests: 1, read_units: 0.0, write_units: 5.0 });
}

#[tokio::test]
async fn a_user_by_id_is_one_eventually_consistent_read() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (found, cost) = measure(shop.users.find(anna.id)).await;
    assert!(found.unwrap().is_some());
    assert_eq!(cost, reads(1, 0.5));
    let (found, cost) = measure(shop.users.find(UserId::new())).await;
    assert!(found.unwrap().is_none());
    // That it is not there is said after a strongly consistent read only.
    assert_eq!(cost, reads(2, 1.5));
}

#[tokio::test]
async fn a_users_role_is_one_strongly_consistent_read() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for id in [anna.id, UserId::new()] {
        let (role, cost) = measure(shop.users.role_of(id)).await;
        role.unwrap();
        assert_eq!(cost, reads(1, 1.0));
    }
}

#[tokio::test]
async fn a_user_who_confirms_with_their_password_is_one_strongly_consistent_read() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (found, cost) = measure(shop.users.find_now(anna.id)).await;
    assert_eq!(found.unwrap(), Some(anna));
    assert_eq!(cost, reads(1, 1.0));
}

#[tokio::test]
async fn a_user_by_email_is_one_query_and_two_more_reads_only_on_a_miss() {
    let shop = Shop::open().await;
    shop.anna().await;
    let (found, cost) = measure(shop.users.find_by_email(&email("anna@example.com"))).await;
    assert!(found.unwrap().is_some());
    assert_eq!(cost, reads(1, 0.5));
    let (found, cost) = measure(shop.users.find_by_email(&email("ben@example.com"))).await;
    assert!(found.unwrap().is_none());
    assert_eq!(cost, reads(2, 1.5));
}

#[tokio::test]
async fn a_user_who_logs_in_is_two_strongly_consistent_reads_and_so_is_nobody() {
    let shop = Shop::open().await;
    shop.anna().await;
    for address in ["anna@example.com", "ben@example.com"] {
        let (found, cost) = measure(shop.users.find_to_log_in(&email(address))).await;
        assert_eq!(found.unwrap().is_some(), address.starts_with("anna"));
        // What is not there costs as much as a small item.
        assert_eq!(cost, reads(2, 2.0), "{address}");
    }
}

#[tokio::test]
async fn the_orders_of_a_user_are_one_query() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, None).await;
    for _ in 0..10 {
        shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    }
    let request = PageRequest { limit: 5, after: None };
    let (page, cost) = measure(shop.orders.list(anna.id, CreatedBetween::default(), request)).await;
    assert_eq!(page.unwrap().items.len(), 5);
    // Six orders of some 300 bytes: less than 4 KB, half a unit.
    assert_eq!(cost, reads(1, 0.5));
}

#[tokio::test]
async fn an_order_with_items_is_two_reads_at_once() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, None).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    for access in [OrderAccess::OwnedBy(anna.id), OrderAccess::Any] {
        let (found, cost) = measure(shop.orders.find(access, order.id)).await;
        assert!(found.unwrap().is_some());
        assert_eq!(cost, reads(2, 1.0), "{access:?}");
    }
}

#[tokio::test]
async fn placing_an_order_is_one_batch_read_and_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for (count, read_units, write_units) in [(1, 1.0, 8.0), (10, 5.5, 53.0), (48, 24.5, 243.0)] {
        let products = products(&shop, count).await;
        let items: Vec<_> = products.iter().map(|product| (product, 1)).collect();
        let (placed, cost) = measure(shop.orders.place(new_order(&anna, &items))).await;
        placed.unwrap();
        // Read are the products and the user. Two units for the order and one for its copy in GSI1;
        // for each item two, and for its product's stock two and one for the product's copy in GSI1.
        assert_eq!(cost, Consumed { requests: 2, read_units, write_units }, "{count} items");
    }
}

#[tokio::test]
async fn an_idempotency_key_costs_half_a_read_and_one_put_more() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let (placed, cost) = measure(shop.place_as("k", &anna, &[(&blend, 1)])).await;
    placed.unwrap();
    assert_eq!(cost, Consumed { requests: 2, read_units: 1.5, write_units: 10.0 });
    let (replayed, cost) = measure(shop.place_as("k", &anna, &[(&blend, 1)])).await;
    assert!(replayed.unwrap().replayed);
    assert_eq!(cost, reads(3, 2.5));
}

#[tokio::test]
async fn a_status_change_is_one_round_trip_of_reads_and_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let pay = shop.orders.change_status(OrderAccess::Any, order.id, becoming(OrderStatus::Paid));
    let (paid, cost) = measure(pay).await;
    paid.unwrap();
    // The order at two units, and its copy in GSI1.
    assert_eq!(cost, Consumed { requests: 3, read_units: 1.0, write_units: 3.0 });
}

#[tokio::test]
async fn a_cancellation_is_one_round_trip_of_reads_and_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let products = products(&shop, 3).await;
    let items: Vec<_> = products.iter().map(|product| (product, 1)).collect();
    let order = shop.place(&anna, &items).await.unwrap();
    let access = OrderAccess::OwnedBy(anna.id);
    let cancel = shop.orders.change_status(access, order.id, becoming(OrderStatus::Cancelled));
    let (cancelled, cost) = measure(cancel).await;
    cancelled.unwrap();
    // The order, its items and, strongly consistent, the owner's role. Order and three products at
    // two units each, and a copy of each in GSI1 at one.
    assert_eq!(cost, Consumed { requests: 4, read_units: 2.0, write_units: 12.0 });
}

#[tokio::test]
async fn a_product_by_id_is_one_eventually_consistent_read() {
    let shop = Shop::open().await;
    let blend = shop.product(100, 10).await;
    let (found, cost) = measure(shop.products.find(blend.id)).await;
    assert!(found.unwrap().is_some());
    assert_eq!(cost, reads(1, 0.5));
}

#[tokio::test]
async fn the_products_of_a_category_are_one_query_at_the_first_page_and_at_the_last() {
    let shop = Shop::open().await;
    products(&shop, 10).await;
    let coffee = category("coffee");
    let (first, cost) =
        measure(shop.products.list(&coffee, PageRequest { limit: 5, after: None })).await;
    let first = first.unwrap();
    assert_eq!(cost, reads(1, 0.5));
    let request = PageRequest { limit: 5, after: first.next };
    let (last, cost) = measure(shop.products.list(&coffee, request)).await;
    assert_eq!(last.unwrap().items.len(), 5);
    assert_eq!(cost, reads(1, 0.5));
}

#[tokio::test]
async fn changing_one_item_is_one_transaction_and_one_read() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let changes = UserChanges { name: Some("A.".to_owned()), ..UserChanges::default() };
    let (user, cost) = measure(shop.users.update(anna.id, changes, None)).await;
    user.unwrap();
    // The item at two units, and its copy in GSI1.
    assert_eq!(cost, Consumed { requests: 2, read_units: 1.0, write_units: 3.0 });
    let changes = ProductChanges { price: Some(1), ..ProductChanges::default() };
    let (product, cost) = measure(shop.products.update(blend.id, changes, None)).await;
    product.unwrap();
    assert_eq!(cost, Consumed { requests: 2, read_units: 1.0, write_units: 3.0 });
}

#[tokio::test]
async fn changing_an_email_is_one_read_and_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let changes = UserChanges { email: Some(email("anna@example.org")), ..UserChanges::default() };
    let (user, cost) = measure(shop.users.update(anna.id, changes, None)).await;
    user.unwrap();
    // Three items at two units each; in GSI1 one copy goes and another comes.
    assert_eq!(cost, Consumed { requests: 2, read_units: 1.0, write_units: 8.0 });
}

#[tokio::test]
async fn renewing_a_password_hash_is_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let new = PasswordHash::new("$argon2id$renewed".to_owned());
    let renewal = shop.users.renew_password_hash(anna.id, &anna.password_hash, &new);
    let (renewed, cost) = measure(renewal).await;
    assert!(renewed.unwrap());
    // The item at two units, and its copy in GSI1.
    assert_eq!(cost, Consumed { requests: 1, read_units: 0.0, write_units: 3.0 });
}

#[tokio::test]
async fn deleting_a_user_is_one_read_and_one_transaction() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (result, cost) = measure(shop.users.delete(anna.id, None)).await;
    result.unwrap();
    assert_eq!(cost, Consumed { requests: 2, read_units: 1.0, write_units: 5.0 });
}

#[tokio::test]
async fn adding_and_deleting_a_product_is_one_request_each() {
    let shop = Shop::open().await;
    let one_write = Consumed { requests: 1, read_units: 0.0, write_units: 3.0 };
    let new = new_product(100, None);
    let (product, cost) = measure(shop.products.create(ProductId::new(), new)).await;
    assert_eq!(cost, one_write);
    let (result, cost) = measure(shop.products.delete(product.unwrap().id, None)).await;
    result.unwrap();
    assert_eq!(cost, one_write);
}

#[tokio::test]
async fn counting_a_log_in_and_forgetting_the_failures_is_one_write_each() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    let one_write = Consumed { requests: 1, read_units: 0.0, write_units: 1.0 };
    let (result, cost) = measure(shop.login_attempts.begin(&anna)).await;
    result.unwrap();
    assert_eq!(cost, one_write);
    let ((), cost) = measure(shop.login_attempts.succeeded(&anna)).await;
    assert_eq!(cost, one_write);
}

async fn products(shop: &Shop, count: usize) -> Vec<Product> {
    let mut products = Vec::with_capacity(count);
    for _ in 0..count {
        products.push(shop.product(100, 10).await);
    }
    products
}
