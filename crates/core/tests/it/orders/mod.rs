mod costs;
mod erase;
mod life;
mod open;
mod overdue;
mod place;
mod worklist;

use storefront_core::{
    Address, Adjustment, AdjustmentKind, CancelReason, CreatedBetween, Currency, Error, NewOrder,
    NewOrderItem, Order, OrderAccess, OrderId, OrderStatus, OrderWithItems, PageRequest, Payment,
    ProductChanges, StatusChange, Timestamp, Tracking,
};

use crate::items;
use crate::shop::{Shop, becoming, new_order};

pub(crate) use costs::measure;

/// Places an order with an idempotency key, and puts one that has everything an order may have.
pub(crate) async fn put_example(shop: &Shop) {
    let order = NewOrder {
        id: items::order(),
        user_id: items::anna(),
        items: vec![NewOrderItem { product_id: items::blend(), quantity: 2 }],
        shipping_address: None,
        expected_total: None,
        idempotency_key: Some("first".parse().unwrap()),
        request_id: Some("JKJaXmPLvHcESHA=".parse().unwrap()),
    };
    shop.orders.place(order).await.unwrap();
    let other = Order {
        payment: Some(Payment::RefundDue),
        refunded_amount: 1,
        cancel_reason: Some(CancelReason::Shop),
        pay_by: Some(Timestamp::now()),
        adjustments: vec![Adjustment {
            kind: AdjustmentKind::Shipping,
            label: "Standard delivery".to_owned(),
            amount: 490,
        }],
        shipping_address: Some(address()),
        tracking: Some(tracking("1")),
        request_id: Some("JKJaXmPLvHcESHA=".parse().unwrap()),
        ..Order::new(OrderId::new(), items::anna(), 0, 490, Currency::EUR)
    };
    shop.put(OrderWithItems { order: other, items: Vec::new() }).await;
}

/// An address in which everything is given.
pub(crate) fn address() -> Address {
    Address {
        name: "Anna Beispiel".parse().unwrap(),
        line1: "Marktplatz 1".parse().unwrap(),
        line2: Some("Hinterhaus".parse().unwrap()),
        city: "Wien".parse().unwrap(),
        region: Some("Wien".parse().unwrap()),
        postal_code: Some("1010".parse().unwrap()),
        country: "AT".parse().unwrap(),
        phone: Some("+43 1 234567".parse().unwrap()),
    }
}

pub(crate) fn tracking(number: &str) -> Tracking {
    Tracking { carrier: None, number: number.parse().unwrap(), url: None }
}

const STATUSES: &[OrderStatus] = OrderStatus::ALL;

fn page(limit: u32, after: Option<OrderId>) -> PageRequest<OrderId> {
    PageRequest { limit, after }
}

#[tokio::test]
async fn an_order_is_found_by_its_owner_and_with_access_to_any() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(1890, 5).await;
    let order = shop.place(&anna, &[(&blend, 2)]).await.unwrap();
    let own = shop.orders.find(OrderAccess::OwnedBy(anna.id), order.id).await.unwrap().unwrap();
    assert_eq!(own.order, order);
    assert_eq!(own.items.len(), 1);
    let any = shop.orders.find(OrderAccess::Any, order.id).await.unwrap();
    assert_eq!(any, Some(own));
    assert_eq!(shop.orders.find(OrderAccess::OwnedBy(ben.id), order.id).await.unwrap(), None);
    assert_eq!(shop.orders.find(OrderAccess::Any, OrderId::new()).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_has_only_the_users_own_orders_newest_first_in_pages() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(1890, None).await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.insert(0, shop.place(&anna, &[(&blend, 1)]).await.unwrap());
        shop.place(&ben, &[(&blend, 1)]).await.unwrap();
    }
    let always = CreatedBetween::default();
    let first = shop.orders.list(anna.id, always, page(4, None)).await.unwrap();
    let second = shop.orders.list(anna.id, always, page(4, first.next)).await.unwrap();
    assert_eq!([first.items, second.items].concat(), orders);
    assert_eq!(second.next, None);
    let exact = shop.orders.list(anna.id, always, page(6, None)).await.unwrap();
    assert_eq!(exact.next, None);
}

#[tokio::test]
async fn another_users_cursor_reads_only_ones_own_orders() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(1890, None).await;
    let annas = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let bens = shop.place(&ben, &[(&blend, 1)]).await.unwrap();
    let always = CreatedBetween::default();
    let page = shop.orders.list(anna.id, always, page(10, Some(bens.id))).await.unwrap();
    assert_eq!(page.items, [annas]);
}

#[tokio::test]
async fn a_range_includes_from_and_excludes_to() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, None).await;
    let mut ids = Vec::new();
    for millis in [0x0193_0000_0000_u64, 0x0193_0000_1000, 0x0193_0000_2000] {
        let id: OrderId =
            format!("{:08x}-{:04x}-7000-8000-00000000000a", millis >> 16, millis & 0xffff)
                .parse()
                .unwrap();
        let order = NewOrder { id, ..new_order(&anna, &[(&blend, 1)]) };
        shop.orders.place(order).await.unwrap();
        ids.push(id);
    }
    let at = |index: usize| Some(ids[index].created_at());
    let just_after = |index: usize| Timestamp::from_millis(ids[index].created_at().as_millis() + 1);
    for (from, to, expected) in [
        (None, None, vec![ids[2], ids[1], ids[0]]),
        (at(1), None, vec![ids[2], ids[1]]),
        (just_after(1), None, vec![ids[2]]),
        (None, at(1), vec![ids[0]]),
        (None, just_after(1), vec![ids[1], ids[0]]),
        (at(0), at(2), vec![ids[1], ids[0]]),
        (at(1), at(1), vec![]),
        (at(2), at(0), vec![]),
    ] {
        let range = CreatedBetween { from, to };
        let page = shop.orders.list(anna.id, range, page(10, None)).await.unwrap();
        let found: Vec<OrderId> = page.items.iter().map(|order| order.id).collect();
        assert_eq!(found, expected, "{range:?}");
    }
}

#[tokio::test]
async fn a_range_is_read_page_by_page() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, None).await;
    let mut placed = Vec::new();
    for millis in 0..6_u64 {
        let id = format!("01930000-{millis:04x}-7000-8000-00000000000a").parse().unwrap();
        let order = NewOrder { id, ..new_order(&anna, &[(&blend, 1)]) };
        placed.push(shop.orders.place(order).await.unwrap().value.order);
    }
    let range = CreatedBetween { from: Some(placed[1].created_at), to: Some(placed[5].created_at) };
    let first = shop.orders.list(anna.id, range, page(2, None)).await.unwrap();
    let second = shop.orders.list(anna.id, range, page(2, first.next)).await.unwrap();
    let expected: Vec<_> = placed[1..5].iter().rev().cloned().collect();
    assert_eq!([first.items, second.items].concat(), expected);
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn a_cursor_outside_the_range_reads_what_follows_it_in_the_list() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, None).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(shop.place(&anna, &[(&blend, 1)]).await.unwrap().id);
    }
    let before: OrderId = "01930000-0000-7000-8000-00000000000a".parse().unwrap();
    let after: OrderId = "02930000-0000-7000-8000-00000000000a".parse().unwrap();
    let range = CreatedBetween {
        from: Some(ids[0].created_at()),
        to: Timestamp::from_millis(ids[2].created_at().as_millis() + 1),
    };
    for (cursor, expected) in [(after, vec![ids[2], ids[1], ids[0]]), (before, vec![])] {
        let page = shop.orders.list(anna.id, range, page(10, Some(cursor))).await.unwrap();
        let found: Vec<OrderId> = page.items.iter().map(|order| order.id).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn an_order_of_free_products_is_restocked_too() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let free = shop.product(0, 10).await;
    let order = shop.place(&anna, &[(&free, 4)]).await.unwrap();
    assert_eq!((order.total, order.item_count), (0, 1));
    let access = OrderAccess::OwnedBy(anna.id);
    shop.orders.change_status(access, order.id, becoming(OrderStatus::Cancelled)).await.unwrap();
    assert_eq!(shop.stock(&free).await, Some(10));
}

#[tokio::test]
async fn only_the_shops_status_changes_are_allowed() {
    let allowed = [
        (OrderStatus::Pending, OrderStatus::Paid),
        (OrderStatus::Pending, OrderStatus::Cancelled),
        (OrderStatus::Paid, OrderStatus::Shipped),
        (OrderStatus::Paid, OrderStatus::Cancelled),
        (OrderStatus::Shipped, OrderStatus::Delivered),
        (OrderStatus::Shipped, OrderStatus::Returned),
        (OrderStatus::Delivered, OrderStatus::Returned),
    ];
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, None).await;
    for &from in STATUSES {
        for &to in STATUSES {
            let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
            let path: &[OrderStatus] = match from {
                OrderStatus::Pending => &[],
                OrderStatus::Paid | OrderStatus::Cancelled => &[from],
                OrderStatus::Shipped => &[OrderStatus::Paid, from],
                OrderStatus::Delivered | OrderStatus::Returned => {
                    &[OrderStatus::Paid, OrderStatus::Shipped, from]
                }
            };
            for step in path {
                shop.orders
                    .change_status(OrderAccess::Any, order.id, becoming(*step))
                    .await
                    .unwrap();
            }
            let version = 1 + path.len() as u64;
            let changed = shop.orders.change_status(OrderAccess::Any, order.id, becoming(to)).await;
            if allowed.contains(&(from, to)) {
                let changed = changed.unwrap();
                assert_eq!(changed.order.status, to);
                assert_eq!(changed.order.version, version + 1);
                assert_eq!(changed.items.len(), 1);
            } else if (from, to) == (OrderStatus::Cancelled, OrderStatus::Paid) {
                // The money came too late, and is owed back.
                let order = changed.unwrap().order;
                assert_eq!((order.status, order.payment()), (from, Payment::RefundDue));
            } else if from == to {
                let order = shop.orders.find(OrderAccess::Any, order.id).await.unwrap();
                assert_eq!(Some(changed.unwrap()), order, "nothing changes");
                assert_eq!(order.unwrap().order.version, version);
            } else {
                let Err(Error::InvalidStatusChange { from: found, to: asked }) = changed else {
                    panic!("{from} -> {to} was allowed");
                };
                assert_eq!((found, asked), (from, to));
                let order = shop.orders.find(OrderAccess::Any, order.id).await.unwrap().unwrap();
                assert_eq!((order.order.status, order.order.version), (from, version));
            }
        }
    }
}

#[tokio::test]
async fn a_status_is_changed_at_the_expected_version_only_and_by_the_owner_only() {
    let shop = Shop::open().await;
    let (anna, ben) = (shop.anna().await, shop.register("ben@example.com").await.unwrap());
    let blend = shop.product(1890, 5).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let cancel = |access, expected| {
        shop.orders.change_status(
            access,
            order.id,
            StatusChange { expected, ..becoming(OrderStatus::Cancelled) },
        )
    };
    assert!(matches!(cancel(OrderAccess::OwnedBy(ben.id), None).await, Err(Error::OrderNotFound)));
    assert!(matches!(
        cancel(OrderAccess::OwnedBy(anna.id), Some(2)).await,
        Err(Error::VersionMismatch { current: 1 })
    ));
    assert_eq!(shop.stock(&blend).await, Some(4));
    cancel(OrderAccess::OwnedBy(anna.id), Some(1)).await.unwrap();
    assert_eq!(shop.stock(&blend).await, Some(5));
}

#[tokio::test]
async fn an_owner_may_only_cancel_and_only_while_they_are_a_user() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, 5).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let change =
        |to| shop.orders.change_status(OrderAccess::OwnedBy(anna.id), order.id, becoming(to));
    for to in [OrderStatus::Paid, OrderStatus::Shipped, OrderStatus::Delivered] {
        assert!(matches!(change(to).await, Err(Error::StaffOnly)));
    }
    shop.users.delete(anna.id, None).await.unwrap();
    for &to in STATUSES {
        assert!(matches!(change(to).await, Err(Error::CallerNotFound)));
    }
    let found = shop.orders.find(OrderAccess::Any, order.id).await.unwrap().unwrap();
    assert_eq!((found.order.status, found.order.version), (OrderStatus::Pending, 1));
    assert_eq!(shop.stock(&blend).await, Some(4));
}

#[tokio::test]
async fn a_cancellation_restocks_only_products_that_count_stock_and_creates_none() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let counted = shop.product(100, 10).await;
    let deleted = shop.product(200, 10).await;
    let unlimited = shop.product(300, None).await;
    let no_longer_counted = shop.product(400, 10).await;
    let order = shop
        .place(&anna, &[(&counted, 4), (&deleted, 1), (&unlimited, 1), (&no_longer_counted, 1)])
        .await
        .unwrap();
    shop.products.delete(deleted.id, None).await.unwrap();
    let changes = ProductChanges { stock: Some(None), ..ProductChanges::default() };
    shop.products.update(no_longer_counted.id, changes, None).await.unwrap();

    let access = OrderAccess::OwnedBy(anna.id);
    let cancelled = shop
        .orders
        .change_status(access, order.id, becoming(OrderStatus::Cancelled))
        .await
        .unwrap();

    assert_eq!(cancelled.order.status, OrderStatus::Cancelled);
    assert_eq!(cancelled.items.len(), 4);
    assert_eq!(shop.orders.find(access, order.id).await.unwrap(), Some(cancelled));
    assert_eq!(shop.stock(&counted).await, Some(10));
    assert_eq!(shop.products.find(deleted.id).await.unwrap(), None);
    assert_eq!(shop.stock(&unlimited).await, None);
    assert_eq!(shop.stock(&no_longer_counted).await, None);
}

#[tokio::test]
async fn an_order_names_the_request_that_last_changed_it() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, Some(5)).await;
    let by = |id: &str, to| {
        let request_id = (!id.is_empty()).then(|| id.parse().unwrap());
        StatusChange { request_id, ..becoming(to) }
    };
    let request_id = Some("placing".parse().unwrap());
    let new = NewOrder { request_id, ..new_order(&anna, &[(&blend, 1)]) };
    let order = shop.orders.place(new).await.unwrap().value.order;
    assert_eq!(order.request_id.as_ref().unwrap().as_str(), "placing");

    let steps = [
        (OrderAccess::Any, "paying", OrderStatus::Paid),
        (OrderAccess::OwnedBy(anna.id), "cancelling", OrderStatus::Cancelled),
    ];
    for (access, id, to) in steps {
        let changed = shop.orders.change_status(access, order.id, by(id, to)).await.unwrap();
        assert_eq!(changed.order.request_id.as_ref().unwrap().as_str(), id);
        let read = shop.orders.find(access, order.id).await.unwrap().unwrap();
        assert_eq!(read, changed);
    }

    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    for (id, to) in [("paying", OrderStatus::Paid), ("", OrderStatus::Shipped)] {
        let changed =
            shop.orders.change_status(OrderAccess::Any, order.id, by(id, to)).await.unwrap();
        assert_eq!(changed.order.request_id.map(String::from).unwrap_or_default(), id);
    }
}
