//! Runs are bounded, and what one leaves is the next one's.

use std::env;

use lambda_runtime::Context;
use serde_json::json;
use storefront_core::{OrderStatus, Timestamp};
use storefront_order_expiry::{Expiry, MAX_ORDERS};
use storefront_testing::Database;

use crate::{Shop, order_of, put, run, run_in};

#[tokio::test]
async fn a_run_whose_time_is_up_leaves_the_orders_to_the_next_one() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(0).await);
    put(&database, &order_of(anna, &blend, Some(-1))).await;
    let mut context = Context::default();
    context.deadline = 1;
    let expiry = Expiry::new(database.table());
    let nothing_done = json!({ "expired": 0, "failed": 0, "more": true });
    assert_eq!(run_in(&expiry, context).await.unwrap(), nothing_done);
    let done = json!({ "expired": 1, "failed": 0, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), done);
}

/// 2,000 orders here; `cargo xtask nightly` takes 125,000. Every fifth need not be paid by a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_overdue_orders_expire_in_bounded_runs_each_once() {
    let number = env::var("STOREFRONT_OVERDUE_ORDERS").map_or(2000, |text| text.parse().unwrap());
    let most = MAX_ORDERS.min(number / 4);
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let anna = shop.customer().await;
    let mut products = Vec::new();
    for _ in 0..20 {
        products.push(shop.product(0).await);
    }
    let mut kept = Vec::new();
    for n in 0..number {
        let seconds = (n % 5 > 0).then_some(-1);
        let order = order_of(anna, &products[n % 20], seconds);
        if seconds.is_none() {
            kept.push(order.order.id);
        }
        put(&database, &order).await;
    }
    let expiry = Expiry::new(database.table()).with_most(most);
    let overdue = number - kept.len();
    let (mut expired, mut runs) = (0, 0);
    while expired < overdue {
        let done = run(&expiry).await.unwrap();
        let count = usize::try_from(done["expired"].as_u64().unwrap()).unwrap();
        // The shards share the bound, and each may take one more than its exact share.
        assert!(count <= most + 8, "{done}");
        assert!(count > 0 && done["failed"] == 0, "{done}");
        expired += count;
        runs += 1;
    }
    assert_eq!(expired, overdue, "none twice");
    assert!(runs > 3, "{runs}");
    let mut stock = 0;
    for product in &products {
        stock += shop.stock(product).await.unwrap();
    }
    assert_eq!(stock, overdue as u64, "each piece is back, once");
    for id in kept {
        let order = shop.order(id).await;
        assert_eq!((order.status, order.version), (OrderStatus::Pending, 1));
    }
    assert!(shop.orders.overdue(0, Timestamp::now(), None).await.unwrap().orders.is_empty());
}
