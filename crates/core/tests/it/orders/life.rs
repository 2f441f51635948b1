//! Where an order's money is, through its life.

use storefront_core::{
    CancelReason, Error, IdempotencyKey, Order, OrderAccess, OrderId, OrderStatus, OrderWithItems,
    Payment, Refund, StatusChange, User, schema,
};

use super::{address, tracking};
use crate::shop::{Shop, becoming, new_order};

/// Books a refund with this key.
async fn refund(
    shop: &Shop,
    by: &User,
    id: OrderId,
    amount: u64,
    key: &str,
) -> Result<(Order, bool), Error> {
    let idempotency_key: IdempotencyKey = key.parse().unwrap();
    let refund = Refund { amount, booked_by: by.id, idempotency_key, request_id: None };
    let once = shop.orders.refund(id, refund).await?;
    Ok((once.value.order, once.replayed))
}

async fn become_any(shop: &Shop, id: OrderId, to: OrderStatus) -> Result<Order, Error> {
    let changed = shop.orders.change_status(OrderAccess::Any, id, becoming(to)).await?;
    Ok(changed.order)
}

#[tokio::test]
async fn an_address_is_kept_and_an_order_has_a_number() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, 5).await;
    let mut new = new_order(&anna, &[(&blend, 1)]);
    new.shipping_address = Some(address());
    let placed = shop.orders.place(new).await.unwrap().value.order;
    assert_eq!(placed.shipping_address, Some(address()));
    assert_eq!(placed.number().as_str().len(), "XXXX-XXXX-XXXX".len());
    let found = shop.orders.find(OrderAccess::Any, placed.id).await.unwrap().unwrap();
    assert_eq!(found.order, placed);
}

#[tokio::test]
async fn a_paid_order_that_is_returned_is_owed_back_and_refunded_in_parts() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1000, 5).await;
    let id = shop.place(&anna, &[(&blend, 3)]).await.unwrap().id;
    assert!(matches!(refund(&shop, &anna, id, 1, "a").await, Err(Error::NotPaid)));
    for (to, payment) in [
        (OrderStatus::Paid, Payment::Paid),
        (OrderStatus::Shipped, Payment::Paid),
        (OrderStatus::Delivered, Payment::Paid),
        (OrderStatus::Returned, Payment::RefundDue),
    ] {
        assert_eq!(become_any(&shop, id, to).await.unwrap().payment(), payment, "{to}");
    }
    assert_eq!(shop.stock(&blend).await, Some(2), "a return puts nothing back by itself");

    let too_much = refund(&shop, &anna, id, 3001, "b").await;
    assert!(matches!(too_much, Err(Error::RefundTooLarge { left: 3000 })), "{too_much:?}");
    let (order, replayed) = refund(&shop, &anna, id, 1200, "c").await.unwrap();
    assert_eq!((order.payment(), order.refunded_amount), (Payment::RefundDue, 1200));
    assert!(!replayed && order.version == 6);
    let (again, replayed) = refund(&shop, &anna, id, 1200, "c").await.unwrap();
    assert!(replayed && again == order, "{again:?}");
    let reused = refund(&shop, &anna, id, 1300, "c").await;
    assert!(matches!(reused, Err(Error::IdempotencyKeyReused)), "{reused:?}");
    let (order, _) = refund(&shop, &anna, id, 1800, "d").await.unwrap();
    assert_eq!((order.payment(), order.refunded_amount), (Payment::Refunded, 3000));
    let nothing_left = refund(&shop, &anna, id, 1, "e").await;
    assert!(matches!(nothing_left, Err(Error::RefundTooLarge { left: 0 })), "{nothing_left:?}");
    // The last refund left nothing, and is still the answer to its key.
    let (again, replayed) = refund(&shop, &anna, id, 1800, "d").await.unwrap();
    assert!(replayed && again == order, "{again:?}");
}

#[tokio::test]
async fn a_part_may_be_refunded_while_the_customer_keeps_the_goods() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1000, 5).await;
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    become_any(&shop, id, OrderStatus::Paid).await.unwrap();
    let (order, _) = refund(&shop, &anna, id, 400, "a").await.unwrap();
    assert_eq!((order.payment(), order.status), (Payment::Paid, OrderStatus::Paid));
    let order = become_any(&shop, id, OrderStatus::Cancelled).await.unwrap();
    assert_eq!((order.payment(), order.refundable()), (Payment::RefundDue, 600));
    assert_eq!(order.cancel_reason, Some(CancelReason::Shop));
    refund(&shop, &anna, id, 600, "b").await.unwrap();

    // One that is refunded completely before owes nothing when it comes back.
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    become_any(&shop, id, OrderStatus::Paid).await.unwrap();
    become_any(&shop, id, OrderStatus::Shipped).await.unwrap();
    refund(&shop, &anna, id, 1000, "c").await.unwrap();
    let order = become_any(&shop, id, OrderStatus::Returned).await.unwrap();
    assert_eq!((order.payment(), order.refunded_amount), (Payment::Refunded, 1000));
}

#[tokio::test]
async fn money_for_an_order_that_was_cancelled_is_owed_back_however_often_it_is_reported() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1000, 5).await;
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    let owner = OrderAccess::OwnedBy(anna.id);
    let cancel = becoming(OrderStatus::Cancelled);
    let order = shop.orders.change_status(owner, id, cancel).await.unwrap().order;
    assert_eq!(
        (order.payment(), order.cancel_reason),
        (Payment::Unpaid, Some(CancelReason::Customer))
    );
    for _ in 0..2 {
        let order = become_any(&shop, id, OrderStatus::Paid).await.unwrap();
        assert_eq!((order.status, order.payment()), (OrderStatus::Cancelled, Payment::RefundDue));
        assert_eq!(order.version, 3);
    }
    assert_eq!(shop.stock(&blend).await, Some(5), "the pieces can be sold to somebody else");
    refund(&shop, &anna, id, 1000, "a").await.unwrap();
    let order = become_any(&shop, id, OrderStatus::Paid).await.unwrap();
    assert_eq!((order.payment(), order.version), (Payment::Refunded, 4));
}

#[tokio::test]
async fn an_order_that_costs_nothing_is_paid_at_once_and_never_owed_back() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let gift = shop.product(0, 5).await;
    let order = shop.place(&anna, &[(&gift, 1)]).await.unwrap();
    assert_eq!((order.status, order.payment()), (OrderStatus::Paid, Payment::Paid));
    let order = become_any(&shop, order.id, OrderStatus::Cancelled).await.unwrap();
    assert_eq!((order.payment(), shop.stock(&gift).await), (Payment::Paid, Some(5)));
}

#[tokio::test]
async fn a_parcel_is_tracked_by_what_was_said_first() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1000, 5).await;
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    become_any(&shop, id, OrderStatus::Paid).await.unwrap();
    let ship = |number| StatusChange {
        tracking: Some(tracking(number)),
        ..becoming(OrderStatus::Shipped)
    };
    for change in [ship("1"), ship("1"), becoming(OrderStatus::Shipped)] {
        let order = shop.orders.change_status(OrderAccess::Any, id, change).await.unwrap().order;
        assert_eq!((order.tracking, order.version), (Some(tracking("1")), 3));
    }
    let other = shop.orders.change_status(OrderAccess::Any, id, ship("2")).await;
    assert!(matches!(other, Err(Error::OtherTracking)), "{other:?}");
}

#[tokio::test]
async fn of_refunds_at_the_same_time_none_pays_back_more_than_was_paid() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1000, 5).await;
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    become_any(&shop, id, OrderStatus::Paid).await.unwrap();
    let refunds = (0..8).map(|n| {
        let (shop, anna) = (&shop, &anna);
        // Each key is sent twice.
        async move { refund(shop, anna, id, 300, &format!("key-{}", n / 2)).await }
    });
    let (answers, cancelled) = tokio::join!(
        futures_util::future::join_all(refunds),
        become_any(&shop, id, OrderStatus::Cancelled)
    );
    cancelled.unwrap();
    let booked = answers.iter().filter(|answer| matches!(answer, Ok((_, false)))).count();
    assert_eq!(booked, 3, "{answers:?}");
    let order = shop.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order;
    assert_eq!((order.payment(), order.refunded_amount), (Payment::RefundDue, 900));
    assert_eq!(order.version, 6, "placed, paid, cancelled, and three refunds");
}

/// Version 0.1 knew neither payment nor number, nor the second index.
#[tokio::test]
async fn an_order_of_0_1_goes_on_living() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let order = Order {
        number: None,
        payment: None,
        status: OrderStatus::Paid,
        ..Order::new(OrderId::new(), anna.id, 0, 1000, storefront_core::Currency::EUR)
    };
    let id = order.id;
    let key = || schema::Key::order(anna.id, id);
    shop.put(OrderWithItems { order: order.clone(), items: Vec::new() }).await;
    shop.remove(key(), schema::GSI2PK).await;
    shop.remove(key(), schema::GSI2SK).await;
    shop.overwrite(key(), schema::ORIGIN, text("migration")).await;
    shop.overwrite(key(), schema::LEGACY_ID, text("17")).await;
    shop.overwrite(key(), "requestId", text("not a request id")).await;

    let found = shop.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order;
    assert_eq!((found.payment(), found.number()), (Payment::Paid, id.into()));
    let (partly, _) = refund(&shop, &anna, id, 1, "a").await.unwrap();
    assert_eq!(partly.payment, Some(Payment::Paid));
    let item = shop.raw(key()).await.unwrap();
    let in_table = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    assert!(in_table(schema::GSI2PK).unwrap().starts_with("STATUS#paid#"));
    assert_eq!(in_table("payment").as_deref(), Some("paid"));
    assert_eq!(in_table(schema::ORIGIN), None, "the shop wrote this version");
    assert_eq!(in_table("requestId"), None);
    assert_eq!(in_table(schema::LEGACY_ID).as_deref(), Some("17"));
}

fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}
