use storefront_core::schema::WORKLIST_SHARDS;
use storefront_core::{
    CreatedBetween, Error, MAX_ORDER_ITEMS, Order, OrderAccess, OrderRules, OrderStatus,
    OrderWithItems, Orders, PageRequest, Refund, Table, Timestamp, Worklist,
};

use super::{address, page};
use crate::access_patterns::Costs;
use crate::shop::{Shop, becoming, new_order};

pub(crate) async fn measure(costs: &mut Costs) {
    Box::pin(measure_reads(costs)).await;
    Box::pin(measure_placing(costs)).await;
    Box::pin(measure_refusals(costs)).await;
    Box::pin(measure_changes(costs)).await;
}

async fn measure_reads(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let blend = shop.product(100, None).await;
    for _ in 0..10 {
        shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    }
    let request = PageRequest { limit: 5, after: None };
    let page = shop.orders.list(anna.id, CreatedBetween::default(), request);
    let name = "orders of a user, newest first, a page of n, optionally from/to";
    // Six orders of some 300 bytes: less than 4 KB.
    let page = costs.measure(name, 1, page).await.unwrap();
    assert_eq!(page.items.len(), 5);

    let name = "own orders with items, newest first, a page of n";
    let request = PageRequest { limit: 3, after: None };
    let with_items = shop.orders.list_with_items(anna.id, request);
    let with_items = costs.measure_n(name, 3, 4, with_items).await.unwrap();
    assert_eq!(with_items.items.len(), 3);

    let id = page.items[0].id;
    for (name, access) in [
        ("own order with items", OrderAccess::OwnedBy(anna.id)),
        ("any order by id, with items", OrderAccess::Any),
    ] {
        let found = costs.measure(name, 2, shop.orders.find(access, id)).await;
        assert!(found.unwrap().is_some());
    }

    let request = PageRequest { limit: 50, after: None };
    let page = shop.orders.worklist(Worklist::Pending, CreatedBetween::default(), request);
    let name = "orders of all users that something is to be done with, oldest first, a page of n, \
                optionally from/to";
    let page = costs.measure(name, 8, page).await.unwrap();
    assert_eq!(page.items.len(), 10);

    let name = "orders that were not paid in time";
    let shard = page.items[0].id.as_bytes()[15] % WORKLIST_SHARDS;
    costs.measure(name, 1, shop.orders.overdue(shard, Timestamp::now(), None)).await.unwrap();
}

async fn measure_placing(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for n in [1, 10, MAX_ORDER_ITEMS] {
        let products = shop.products(n).await;
        let items: Vec<_> = products.iter().map(|product| (product, 1)).collect();
        let n = u32::try_from(n).unwrap();
        let name = "place an order of n items";
        // Reads: the stock items and the user. Writes: two units for the order, and one for its copy in
        // each index; for each item two, and for its stock item two.
        let place = shop.orders.place(new_order(&anna, &items));
        costs.measure_n(name, n, 2, place).await.unwrap();

        let key = format!("of-{n}");
        let name = "place an order of n items … with an idempotency key";
        // Half a unit to read the record, and half for one of version 0.1; two to write it.
        let placed = costs.measure_n(name, n, 2, shop.place_as(&key, &anna, &items)).await;
        assert!(!placed.unwrap().replayed);
        // The items of a larger order exceed 4 KB, and cost more to read.
        if n <= 10 {
            let name = "place an order of n items … that was placed before with its key";
            let replayed = costs.measure_n(name, n, 3, shop.place_as(&key, &anna, &items)).await;
            assert!(replayed.unwrap().replayed);
        }
    }
}

async fn measure_refusals(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let sold_out = shop.product(100, 0).await;
    for (n, name, requests) in [
        (1, "refuse an order of a sold-out product", 2),
        (15, "refuse an order of a sold-out product … spread over n + 1 items", 6),
    ] {
        let place = shop.orders.place(new_order(&anna, &[(&sold_out, 1)]));
        let refused = costs.measure_n(name, n, requests, place).await;
        assert!(matches!(refused, Err(Error::OutOfStock(_))), "{refused:?}");
        shop.products.spread_stock(sold_out.id, 16).await.unwrap();
    }
}

async fn measure_changes(costs: &mut Costs) {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let limited = Orders::new(Table::new(shop.client.clone(), &shop.table_name));
    let limited = limited.with_rules(OrderRules { pending_minutes: Some(1), max_open: Some(10) });
    for n in [1, 3] {
        let products = shop.products(n).await;
        let items: Vec<_> = products.iter().map(|product| (product, 1)).collect();
        let n = u32::try_from(n).unwrap();

        let order = shop.place(&anna, &items).await.unwrap();
        let mut change = async |to, name| {
            let change = shop.orders.change_status(OrderAccess::Any, order.id, becoming(to));
            costs.measure_n(name, n, 3, change).await.unwrap();
        };
        // The order at two units, its copy in GSI1, and in GSI2 one that is removed and one that is added.
        change(OrderStatus::Paid, "change an order's status").await;
        change(OrderStatus::Shipped, "change an order's status").await;
        let name = "change an order's status … when nothing is left to do with it";
        change(OrderStatus::Delivered, name).await;
        let returned = becoming(OrderStatus::Returned);
        shop.orders.change_status(OrderAccess::Any, order.id, returned).await.unwrap();
        let refund = Refund {
            amount: order.total,
            booked_by: anna.id,
            idempotency_key: format!("refund-{n}").parse().unwrap(),
            request_id: None,
        };
        // As before, and the record at two units.
        costs.measure("book a refund", 3, shop.orders.refund(order.id, refund)).await.unwrap();

        let order = shop.place(&anna, &items).await.unwrap();
        let to = becoming(OrderStatus::Cancelled);
        let cancel = shop.orders.change_status(OrderAccess::Any, order.id, to);
        // The order and the stock items at two units each, and the order's copies in the indexes.
        costs.measure_n("cancel an order of n items", n, 3, cancel).await.unwrap();

        let order = shop.place(&anna, &items).await.unwrap();
        let (owner, to) = (OrderAccess::OwnedBy(anna.id), becoming(OrderStatus::Cancelled));
        let cancel = shop.orders.change_status(owner, order.id, to);
        let name = "cancel an order of n items … as its owner";
        // The owner's role is read with strong consistency.
        costs.measure_n(name, n, 4, cancel).await.unwrap();

        let place = limited.place(new_order(&anna, &items));
        let name = "place an order of n items … if a user's open orders are capped";
        let order = costs.measure_n(name, n, 3, place).await.unwrap().value.order;
        let name = "cancel an overdue order of n items";
        let expire = limited.expire(anna.id, order.id, order.pay_by.unwrap());
        assert!(costs.measure_n(name, n, 3, expire).await.unwrap());
    }
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for _ in 0..2 {
        let blend = shop.product(100, None).await;
        shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    }
    let name = "let n pending orders of a deleted user expire";
    let pending = shop.orders.let_expire(anna.id, Timestamp::now());
    assert_eq!(costs.measure_n(name, 2, 3, pending).await.unwrap(), 2);

    let page = shop.orders.list(anna.id, CreatedBetween::default(), page(10, None)).await.unwrap();
    for order in page.items {
        let order = Order { shipping_address: Some(address()), ..order };
        shop.put(OrderWithItems { order, items: Vec::new() }).await;
    }
    shop.users.delete(anna.id, None).await.unwrap();
    let name = "remove the addresses from n orders of a deleted user";
    // The order at two units, and its copy in GSI1. GSI2 has no addresses.
    let erased = costs.measure_n(name, 2, 4, shop.orders.erase(anna.id)).await.unwrap();
    assert_eq!(erased.unwrap().addresses, 2);
}
