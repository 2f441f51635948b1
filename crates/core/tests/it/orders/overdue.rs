//! Orders that were not paid in time.

use storefront_core::schema::WORKLIST_SHARDS;
use storefront_core::{
    CancelReason, Error, OrderAccess, OrderId, OrderRules, OrderStatus, Orders, Payment, Table,
    Timestamp,
};

use crate::shop::{Shop, becoming, new_order};

/// Reads all overdue orders.
async fn overdue(shop: &Shop, at: Timestamp) -> Vec<OrderId> {
    let mut ids = Vec::new();
    for shard in 0..WORKLIST_SHARDS {
        let mut after = None;
        loop {
            let page = shop.orders.overdue(shard, at, after).await.unwrap();
            ids.extend(page.orders.iter().map(|order| order.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    ids.sort();
    ids
}

fn hours_from_now(hours: i64) -> Timestamp {
    Timestamp::from_millis(Timestamp::now().as_millis() + hours * 3_600_000).unwrap()
}

#[tokio::test]
async fn an_overdue_order_is_cancelled_once_and_its_stock_goes_back() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let rules = OrderRules { pending_minutes: Some(60), max_open: None };
    let table = Table::new(shop.client.clone(), &shop.table_name);
    let limited = Orders::new(table).with_rules(rules);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let order = limited.place(new_order(&anna, &[(&blend, 1)])).await.unwrap().value.order;
        ids.push(order.id);
    }
    let forever = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let paid = becoming(OrderStatus::Paid);
    shop.orders.change_status(OrderAccess::Any, ids[2], paid).await.unwrap();

    assert_eq!(overdue(&shop, Timestamp::now()).await, []);
    let later = hours_from_now(2);
    assert_eq!(overdue(&shop, later).await, ids[..2]);
    assert!(!shop.orders.expire(anna.id, ids[0], Timestamp::now()).await.unwrap(), "not yet");
    let runs = (0..6).map(|n| shop.orders.expire(anna.id, ids[n % 3], later));
    let expired = futures_util::future::join_all(runs).await;
    let count = expired.into_iter().filter(|expired| *expired.as_ref().unwrap()).count();
    assert_eq!((count, shop.stock(&blend).await), (2, Some(8)));
    let order = shop.orders.find(OrderAccess::Any, ids[0]).await.unwrap().unwrap().order;
    assert_eq!((order.status, order.payment()), (OrderStatus::Cancelled, Payment::Unpaid));
    assert_eq!((order.cancel_reason, order.pay_by), (Some(CancelReason::Expired), None));
    assert_eq!(order.version, 2);
    assert!(!shop.orders.expire(anna.id, forever.id, later).await.unwrap());
    let nowhere = shop.orders.expire(anna.id, OrderId::new(), later).await;
    assert!(matches!(nowhere, Err(Error::OrderNotFound)), "{nowhere:?}");
    assert_eq!(overdue(&shop, later).await, []);
}

#[tokio::test]
async fn the_pending_orders_of_a_deleted_user_expire_at_once() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let pending = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let paid = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let pay = becoming(OrderStatus::Paid);
    shop.orders.change_status(OrderAccess::Any, paid.id, pay).await.unwrap();
    shop.users.delete(anna.id, None).await.unwrap();
    let now = Timestamp::now();
    assert_eq!(shop.orders.let_expire(anna.id, now).await.unwrap(), 1);
    assert_eq!(overdue(&shop, now).await, [pending.id]);
    let found = shop.orders.find(OrderAccess::Any, pending.id).await.unwrap().unwrap().order;
    assert_eq!((found.pay_by, found.version), (Some(now), 1), "nothing to tell");
    assert!(shop.orders.expire(anna.id, pending.id, now).await.unwrap());
    assert_eq!(shop.stock(&blend).await, Some(9));
}
