//! The lists of all users' orders that something is to be done with.

use std::collections::BTreeSet;

use storefront_core::{
    CreatedBetween, Currency, Order, OrderAccess, OrderId, OrderStatus, OrderWithItems, Payment,
    Timestamp, UserId, Worklist, schema,
};

use super::{address, page, tracking};
use crate::shop::{Shop, becoming};

/// Puts an order that was placed this many milliseconds after 2025-01-01, with an id that ends like
/// this.
async fn put(shop: &Shop, millis: i64, last: u8, change: impl FnOnce(&mut Order)) -> Order {
    let at = 1_735_689_600_000 + millis;
    let id: OrderId =
        format!("{:08x}-{:04x}-7000-8000-0000000000{last:02x}", at >> 16, at & 0xffff)
            .parse()
            .unwrap();
    let mut order = Order::new(id, UserId::new(), 0, 100, Currency::EUR);
    change(&mut order);
    shop.put(OrderWithItems { order: order.clone(), items: Vec::new() }).await;
    order
}

/// Reads a whole list, page by page.
async fn list(shop: &Shop, list: Worklist, created: CreatedBetween, limit: u32) -> Vec<OrderId> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let read = shop.orders.worklist(list, created, page(limit, after)).await.unwrap();
        assert!(read.items.len() == limit as usize || read.next.is_none());
        ids.extend(read.items.iter().map(|order| order.id));
        after = read.next;
        if after.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn an_order_is_in_the_list_of_what_is_to_be_done_with_it() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(1890, None).await;
    let id = shop.place(&anna, &[(&blend, 1)]).await.unwrap().id;
    let expect = async |wanted: Option<Worklist>| {
        for &name in Worklist::ALL {
            let listed = list(&shop, name, CreatedBetween::default(), 10).await;
            let expected = if wanted == Some(name) { vec![id] } else { vec![] };
            assert_eq!(listed, expected, "{name}, expected in {wanted:?}");
        }
    };
    expect(Some(Worklist::Pending)).await;
    for (to, wanted) in [
        (OrderStatus::Paid, Some(Worklist::Paid)),
        (OrderStatus::Shipped, Some(Worklist::Shipped)),
        (OrderStatus::Delivered, None),
        (OrderStatus::Returned, Some(Worklist::RefundDue)),
    ] {
        shop.orders.change_status(OrderAccess::Any, id, becoming(to)).await.unwrap();
        expect(wanted).await;
    }
}

#[tokio::test]
async fn pages_merge_all_shards_oldest_first_whatever_their_size() {
    let shop = Shop::open().await;
    let mut places = BTreeSet::new();
    let mut random = fastrand::Rng::with_seed(7);
    for n in 0..120 {
        // Some at the same time, and most of them in two of the eight shards.
        let last = if random.u8(..4) > 0 { random.u8(..2) * 8 } else { random.u8(..) };
        places.insert((n / 2, last));
    }
    let mut expected = Vec::new();
    for (millis, last) in places {
        expected.push(put(&shop, millis, last, |_| {}).await.id);
    }
    for limit in [1, 7, 25, 100] {
        let listed = list(&shop, Worklist::Pending, CreatedBetween::default(), limit).await;
        assert_eq!(listed, expected, "{limit}");
    }
}

#[tokio::test]
async fn a_range_includes_from_and_excludes_to_also_after_a_cursor() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for n in 0..5_u8 {
        ids.push(put(&shop, i64::from(n) * 1000, n, |_| {}).await.id);
    }
    let at = |index: usize| Some(ids[index].created_at());
    let after = |index: usize| Timestamp::from_millis(ids[index].created_at().as_millis() + 1);
    for (from, to, expected) in [
        (at(1), at(3), &ids[1..3]),
        (after(1), after(3), &ids[2..4]),
        (at(2), at(2), &[]),
        (at(3), at(1), &[]),
        (None, at(2), &ids[..2]),
        (at(2), None, &ids[2..]),
    ] {
        for limit in [1, 10] {
            let listed = list(&shop, Worklist::Pending, CreatedBetween { from, to }, limit).await;
            assert_eq!(listed, expected, "{from:?} {to:?} {limit}");
        }
    }
    // A cursor outside the range does not lead out of it.
    let range = CreatedBetween { from: at(1), to: at(3) };
    for (cursor, expected) in [(ids[0], &ids[1..3]), (ids[4], &[])] {
        let request = page(10, Some(cursor));
        let listed = shop.orders.worklist(Worklist::Pending, range, request).await.unwrap();
        let listed: Vec<_> = listed.items.iter().map(|order| order.id).collect();
        assert_eq!(listed, expected);
    }
}

#[tokio::test]
async fn a_list_shows_no_address_and_survives_an_order_that_cannot_be_read() {
    let shop = Shop::open().await;
    let whole = put(&shop, 0, 1, |order| {
        order.shipping_address = Some(address());
        order.tracking = Some(tracking("1"));
        order.pay_by = Some(Timestamp::now());
        order.refunded_amount = 5;
        order.status = OrderStatus::Cancelled;
        order.payment = Some(Payment::RefundDue);
    })
    .await;
    let odd = put(&shop, 1, 1, |order| order.payment = Some(Payment::RefundDue)).await;
    let key = schema::Key::order(odd.user_id, odd.id);
    shop.overwrite(key, "status", aws_sdk_dynamodb::types::AttributeValue::S("lost".to_owned()))
        .await;
    let always = CreatedBetween::default();
    let read = shop.orders.worklist(Worklist::RefundDue, always, page(10, None)).await.unwrap();
    let shown = Order { shipping_address: None, tracking: None, ..whole };
    assert_eq!((read.items, read.unreadable, read.next), (vec![shown], 1, None));
}
