//! What the upgrade does with orders: it puts them on staff's lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storefront_core::schema::WorklistKey;
use storefront_core::{
    CreatedBetween, NewOrder, NewOrderItem, OrderId, OrderNumber, OrderRules, PageRequest, UserId,
    Worklist,
};
use storefront_events::Record;

use super::functions_of_0_1::Sold;
use super::shop::{Items, Shop, of_type, text};
use super::{ada, espresso};

/// Returns the list that an order belongs on, by its status and where its money is.
fn list_of(order: &Value) -> Option<Worklist> {
    match (&*text(order, "status"), &*text(order, "payment")) {
        (_, "refund_due") => Some(Worklist::RefundDue),
        ("pending", _) => Some(Worklist::Pending),
        ("paid", _) => Some(Worklist::Paid),
        ("shipped", _) => Some(Worklist::Shipped),
        _ => None,
    }
}

/// Makes an order of 0.1 what it is after the upgrade; leaves other items as they are.
pub(super) fn upgrade(item: &mut Value) {
    if item["_type"]["S"] != "Order" {
        return;
    }
    let paid = !["pending", "cancelled"].contains(&&*text(item, "status"));
    let id: OrderId = text(item, "id").parse().unwrap();
    item["payment"] = json!({ "S": if paid { "paid" } else { "unpaid" } });
    item["number"] = json!({ "S": OrderNumber::from(id).as_str() });
    if let Some(list) = list_of(item) {
        let key = WorklistKey::order(list, id);
        item["GSI2PK"] = json!({ "S": key.pk });
        item["GSI2SK"] = json!({ "S": key.sk });
    }
}

/// Expects each order to be on its list, and on no other.
pub(super) async fn expect_lists(shop: &Shop, items: &Items) {
    let mut expected: BTreeMap<_, Vec<OrderId>> = BTreeMap::new();
    for order in of_type(items, "Order") {
        if let Some(list) = list_of(order) {
            expected.entry(list).or_default().push(text(order, "id").parse().unwrap());
        }
    }
    for &list in Worklist::ALL {
        let mut expected = expected.remove(&list).unwrap_or_default();
        expected.sort();
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let request = PageRequest { limit: 100, after };
            let page = shop.orders().worklist(list, CreatedBetween::default(), request).await;
            let page = page.unwrap();
            assert_eq!(page.unreadable, 0);
            listed.extend(page.items.into_iter().map(|order| order.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, expected, "{list}");
    }
}

/// Returns the orders in this status.
fn in_status(items: &Items, status: &str) -> Vec<(UserId, OrderId)> {
    let orders = of_type(items, "Order").filter(|order| text(order, "status") == status);
    orders
        .map(|order| (text(order, "userId").parse().unwrap(), text(order, "id").parse().unwrap()))
        .collect()
}

fn order(items: &Items, id: OrderId) -> &Value {
    of_type(items, "Order").find(|order| text(order, "id") == id.to_string()).unwrap()
}

/// Expects that what the upgrade did to orders is no change to subscribers.
fn expect_no_events(before: &Items, after: &Items) {
    for (key, old) in before.iter().filter(|(_, item)| item["_type"]["S"] == "Order") {
        let new = &after[key];
        for kept in ["status", "version", "updatedAt", "requestId"] {
            assert_eq!(old.get(kept), new.get(kept), "{kept}");
        }
        let record = json!({ "eventName": "MODIFY", "dynamodb": {
            "Keys": { "PK": old["PK"], "SK": old["SK"] }, "SequenceNumber": "1",
            "OldImage": old, "NewImage": new,
        }});
        let record = serde_json::value::to_raw_value(&record).unwrap();
        let read = Record::read(&record);
        assert!(matches!(read, Record::Ignored), "{read:?}");
    }
}

#[tokio::test]
async fn staff_see_the_orders_of_0_1_that_something_is_to_be_done_with() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    for status in ["pending", "paid", "shipped", "delivered", "cancelled"] {
        assert!(!in_status(&before, status).is_empty(), "{status}");
    }
    let dry_run = shop.upgrade(&["--dry-run"]).await;
    assert!(dry_run.stdout.contains("\nto put on lists: 16 orders\n"), "{dry_run:?}");
    assert_eq!(shop.items().await, before);

    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let counts = "completed: 25 orders, with payment and number\nput on lists: 16 orders\n\
                  corrected: 0 orders that 0.1 has changed\n";
    assert!(answer.stdout.contains(counts), "{answer:?}");
    let after = shop.items().await;
    expect_lists(&shop, &after).await;
    expect_no_events(&before, &after);
    assert!(of_type(&after, "Order").all(|order| order.get("payBy").is_none()), "none expires");

    let again = shop.upgrade(&[]).await;
    let counts = "completed: 0 orders, with payment and number\nput on lists: 0 orders\n\
                  corrected: 0 orders that 0.1 has changed\n";
    assert!(again.stdout.contains(counts), "{again:?}");
    assert!(!again.stdout.contains("Run this again"), "{again:?}");
    assert_eq!(shop.items().await, after);
}

#[tokio::test]
async fn orders_that_functions_of_0_1_change_after_the_move_are_put_right() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    // An order of 0.2, which 0.1 marks as paid.
    let rules = OrderRules { pending_minutes: Some(60), max_open: None };
    let new = NewOrder::new(ada(), vec![NewOrderItem { product_id: espresso(), quantity: 1 }]);
    let held = shop.orders().with_rules(rules).place(new).await.unwrap().value.order.id;
    assert_eq!(shop.upgrade(&[]).await.code, Some(0));

    let [pending, paid, shipped] =
        ["pending", "paid", "shipped"].map(|status| in_status(&before, status));
    let cancel = |(user, id)| Sold { user, id, items: Vec::new() };
    for (user, id, status) in [
        (ada(), held, "paid"),
        (pending[0].0, pending[0].1, "paid"),
        (paid[0].0, paid[0].1, "shipped"),
        (shipped[0].0, shipped[0].1, "delivered"),
    ] {
        shop.dynamodb.set_status_as_0_1(user, id, status).await;
    }
    assert!(shop.dynamodb.cancel_as_0_1(&cancel(pending[1])).await);
    assert!(shop.dynamodb.cancel_as_0_1(&cancel(paid[1])).await);
    // What 0.2 reads of them is right already.
    let access = storefront_core::OrderAccess::Any;
    let read = shop.orders().find(access, paid[1].1).await.unwrap().unwrap().order;
    assert_eq!(read.payment(), storefront_core::Payment::RefundDue);

    let changed = shop.items().await;
    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stdout.contains("\ncorrected: 6 orders that 0.1 has changed\n"), "{answer:?}");
    let after = shop.items().await;
    expect_lists(&shop, &after).await;
    expect_no_events(&changed, &after);
    for (id, payment) in [
        (held, "paid"),
        (pending[0].1, "paid"),
        (pending[1].1, "unpaid"),
        (paid[0].1, "paid"),
        (paid[1].1, "refund_due"),
        (shipped[0].1, "paid"),
    ] {
        assert_eq!(text(order(&after, id), "payment"), payment);
    }
    assert!(order(&after, held).get("payBy").is_none(), "it has been paid");
    assert!(order(&after, shipped[0].1).get("GSI2PK").is_none(), "nothing is to be done with it");

    let again = shop.upgrade(&[]).await;
    assert!(again.stdout.contains("\ncorrected: 0 orders"), "{again:?}");
    assert_eq!(shop.items().await, after);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_named_and_the_others_are_listed() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    let (_, id) = in_status(&before, "paid")[0];
    let mut unreadable = order(&before, id).clone();
    unreadable["total"] = json!({ "N": "-1" });
    shop.put(unreadable.clone()).await;
    let mut misplaced = order(&before, in_status(&before, "paid")[1].1).clone();
    misplaced["PK"] = json!({ "S": format!("USER#{}", UserId::new()) });
    shop.put(misplaced.clone()).await;

    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("21 products and 26 orders among 138 items\n"), "{answer:?}");
    assert!(answer.stdout.contains("\nput on lists: 15 orders\n"), "{answer:?}");
    for item in [&unreadable, &misplaced] {
        let line = format!("\n  {} {}: ", text(item, "PK"), text(item, "SK"));
        assert!(answer.stdout.contains(&line), "{answer:?}");
    }
    assert!(answer.stderr.contains("2 users, products and orders stay as they are"), "{answer:?}");
    let after = shop.items().await;
    for item in [unreadable, misplaced] {
        assert_eq!(after[&(text(&item, "PK"), text(&item, "SK"))], item);
    }
}
