//! How many pending orders a user may have.

use storefront_core::{
    Error, OrderAccess, OrderRules, OrderStatus, Orders, Table, Timestamp, UserId,
};

use crate::shop::{Shop, becoming, new_order};

fn with_rules(shop: &Shop, rules: OrderRules) -> Orders {
    Orders::new(Table::new(shop.client.clone(), &shop.table_name)).with_rules(rules)
}

#[tokio::test]
async fn a_user_has_as_many_pending_orders_as_the_rules_allow() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(100, 10).await;
    let orders = with_rules(&shop, OrderRules { max_open: Some(2), pending_minutes: None });
    let order = || new_order(&anna, &[(&blend, 1)]);
    let first = orders.place(order()).await.unwrap().value.order;
    let mut keyed = order();
    keyed.idempotency_key = Some("second".parse().unwrap());
    let second = orders.place(keyed.clone()).await.unwrap().value.order;
    let refused = orders.place(order()).await;
    assert!(matches!(refused, Err(Error::TooManyOpenOrders { max: 2 })), "{refused:?}");
    assert_eq!(shop.stock(&blend).await, Some(8));

    // A repeated request is answered, whatever the rules say now.
    let again = orders.place(keyed).await.unwrap();
    assert!(again.replayed && again.value.order == second);
    orders.place(new_order(&ben, &[(&blend, 1)])).await.unwrap();
    for (id, to) in [(first.id, OrderStatus::Paid), (second.id, OrderStatus::Cancelled)] {
        orders.change_status(OrderAccess::Any, id, becoming(to)).await.unwrap();
        orders.place(order()).await.unwrap();
        assert!(orders.place(order()).await.is_err());
    }
    // What costs nothing waits for nothing, and is refused all the same: two others wait.
    let gift = shop.product(0, None).await;
    assert!(orders.place(new_order(&anna, &[(&gift, 1)])).await.is_err());
}

#[tokio::test]
async fn orders_that_are_cancelled_at_once_do_not_hide_those_that_wait() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let (blend, gift) = (shop.product(100, 100).await, shop.product(0, None).await);
    let orders = with_rules(&shop, OrderRules { max_open: Some(3), pending_minutes: Some(60) });
    let place = async |user| {
        let placed = orders.place(new_order(user, &[(&blend, 1)])).await;
        placed.map(|placed| placed.value.order.id)
    };
    let become_ = async |id, to| orders.change_status(OrderAccess::Any, id, becoming(to)).await;
    let mut waiting = Vec::new();
    for user in [&anna, &ben] {
        waiting.extend([place(user).await.unwrap(), place(user).await.unwrap()]);
        for _ in 0..3 {
            let id = place(user).await.unwrap();
            become_(id, OrderStatus::Cancelled).await.unwrap();
        }
        // Nobody pays for what is free.
        orders.place(new_order(user, &[(&gift, 1)])).await.unwrap();
        let refused = place(user).await;
        assert!(matches!(refused, Err(Error::TooManyOpenOrders { max: 3 })), "{refused:?}");
    }
    assert_eq!(shop.stock(&blend).await, Some(96));
    // Who pays can order again.
    become_(waiting[0], OrderStatus::Paid).await.unwrap();
    place(&anna).await.unwrap();
    assert!(place(&ben).await.is_err());
}

#[tokio::test]
async fn an_order_has_to_be_paid_within_the_minutes_of_the_rules() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let (blend, gift) = (shop.product(100, 10).await, shop.product(0, None).await);
    let orders = with_rules(&shop, OrderRules { pending_minutes: Some(60), max_open: None });
    let placed = orders.place(new_order(&anna, &[(&blend, 1)])).await.unwrap().value.order;
    let minutes = |at: Timestamp| (at.as_millis() - placed.created_at.as_millis()) / 60_000;
    assert_eq!(placed.pay_by.map(minutes), Some(60));
    let access = OrderAccess::OwnedBy(anna.id);
    let found = orders.find(access, placed.id).await.unwrap().unwrap().order;
    assert_eq!(found, placed);
    let paid = orders.change_status(OrderAccess::Any, placed.id, becoming(OrderStatus::Paid)).await;
    assert_eq!(paid.unwrap().order.pay_by, None);
    let free = orders.place(new_order(&anna, &[(&gift, 1)])).await.unwrap().value.order;
    assert_eq!(free.pay_by, None);
    let unlimited = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    assert_eq!(unlimited.pay_by, None);
}

#[tokio::test]
async fn a_key_outranks_the_cap_also_for_requests_at_the_same_time() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 100).await;
    let orders = with_rules(&shop, OrderRules { max_open: Some(1), pending_minutes: None });
    let mut order = new_order(&anna, &[(&blend, 1)]);
    order.idempotency_key = Some("once".parse().unwrap());
    let requests = (0..6).map(|_| orders.place(order.clone()));
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        assert!(answer.is_ok(), "{answer:?}");
    }
    assert_eq!(shop.stock(&blend).await, Some(99));
}

#[tokio::test]
async fn a_user_who_does_not_exist_has_no_orders_to_count() {
    let shop = Shop::open().await;
    let mut anna = shop.anna().await;
    anna.id = UserId::new();
    let blend = shop.product(100, 100).await;
    let orders = with_rules(&shop, OrderRules { max_open: Some(1), pending_minutes: None });
    let refused = orders.place(new_order(&anna, &[(&blend, 1)])).await;
    assert!(matches!(refused, Err(Error::CallerNotFound)), "{refused:?}");
}
