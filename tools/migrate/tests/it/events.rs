//! What subscribers of the new shop hear of a shop that is moved into it.

use storefront_core::{OrderAccess, OrderStatus, Orders, StatusChange};
use storefront_events::{Event, Record};
use storefront_testing::faults::Plan;

use crate::catch_up::text;
use crate::generate::Example;
use crate::load::Move;

/// Returns the events of all that has been written so far.
fn events(shop: &Move) -> Vec<Event> {
    let records = shop.dynamodb.stream();
    assert!(!records.is_empty());
    let read = |record: &serde_json::Value| {
        let json = serde_json::value::to_raw_value(record).unwrap();
        match Record::read(&json) {
            Record::Change(change) => Some(change.event),
            Record::Ignored => None,
            Record::Unreadable(record) => panic!("{record:?}"),
        }
    };
    records.iter().filter_map(read).collect()
}

#[tokio::test]
async fn a_load_and_a_catch_up_are_no_events_and_the_shops_next_change_is() {
    let shop = Move::of(Example::IntegerKeys, 60, 0).await;
    shop.execute("UPDATE orders SET state = 'N' WHERE id = 4").await;
    shop.load(&[]).await.expect(0);
    assert_eq!(events(&shop), []);

    // A new order, and one whose status and payment change.
    shop.change("orders", 4, "state = 'P'").await;
    shop.execute(
        "INSERT INTO orders SELECT 1000, customer_id, 'P', 0, strftime('%Y-%m-%d %H:%M:%f', 'now'), \
         strftime('%Y-%m-%d %H:%M:%f', 'now') FROM orders WHERE id = 1; \
         INSERT INTO order_lines SELECT 100000, 1000, product_id, 'Gift', 1, 0 FROM order_lines LIMIT 1",
    )
    .await;
    let said = shop.load(&["--catch-up"]).await.expect(0);
    assert!(said.text.contains("2 orders"), "{}", said.text);
    assert_eq!(text(&shop.item("Order", 4), "status"), "paid");
    assert_eq!(text(&shop.item("Order", 1000), "origin"), "migration");
    assert_eq!(events(&shop), []);

    let orders = Orders::new(shop.dynamodb.table(&Plan::none()));
    let ship = async |legacy_id: u32| {
        let id = text(&shop.item("Order", legacy_id), "id").parse().unwrap();
        let to = OrderStatus::Shipped;
        let change = StatusChange::new(to);
        orders.change_status(OrderAccess::Any, id, change).await.unwrap().order
    };
    let shipped = [ship(4).await, ship(1000).await];
    let events = events(&shop);
    assert_eq!(events.len(), shipped.len());
    for (event, order) in events.iter().zip(&shipped) {
        let Event::OrderStatusChanged(changed) = event else { panic!("{event:?}") };
        assert_eq!(changed.order.order_id, order.id);
        assert_eq!(changed.previous_status, OrderStatus::Paid);
        assert_eq!(changed.order.version, 2);
    }

    assert!(!shop.item("Order", 4).contains_key("origin"));
    shop.verify(&[]).await.expect(0);
}
