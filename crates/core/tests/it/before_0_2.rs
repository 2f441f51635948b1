//! Products and orders of version 0.1, and what its functions do between a read and a write of today's.
//! `tools/ops/tests` moves a whole table.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use storefront_core::before_0_2::{self, OrderUpgrade, Upgrade};
use storefront_core::schema::{GSI2PK, GSI2SK, Key};
use storefront_core::{
    Currency, Order, OrderAccess, OrderId, OrderStatus, OrderWithItems, Payment, Product, Table,
    UserId,
};

use crate::shop::Shop;

const TRANSACTION: &str = "TransactWriteItems";
const PRICE: u64 = 100;

const MOVED: Upgrade = Upgrade { moved: true, swept: 0, copy_renewed: false };

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Adds a product as version 0.1 wrote it.
async fn product_of_0_1(shop: &Shop, stock: Option<u64>) -> Product {
    let product = shop.product(PRICE, None).await;
    let (table, id) = (&shop.table_name, product.id);
    let delete = shop.client.delete_item().table_name(table);
    delete.set_key(Some(Key::stock(id, 0).into())).send().await.unwrap();
    let update = shop.client.update_item().table_name(table);
    let update = update.set_key(Some(Key::product(id).into()));
    let update = update.update_expression("REMOVE selling, available, availableRevision, stock");
    update.send().await.unwrap();
    if let Some(stock) = stock {
        shop.overwrite(Key::product(id), "stock", number(stock)).await;
    }
    product
}

async fn upgrade(shop: &Shop, product: &Product) -> Upgrade {
    let table = Table::new(shop.client.clone(), &shop.table_name);
    let upgrade = before_0_2::upgrade(&table, product.id).await.unwrap().unwrap();
    let needed = before_0_2::needed_by(&table, product.id).await.unwrap().unwrap();
    assert_eq!(needed, Upgrade::default(), "all of it is done");
    upgrade
}

/// Returns what is left in the product itself.
async fn left(shop: &Shop, product: &Product) -> AttributeValue {
    shop.raw(Key::product(product.id)).await.unwrap()["stock"].clone()
}

/// An update of the product that the transaction is about, whatever its position.
fn of_product(transaction: &Value, update: &str, value: u64) -> Value {
    let actions = transaction["TransactItems"].as_array().unwrap();
    let of_product = actions.iter().find_map(|action| {
        let action = action.get("Update").or_else(|| action.get("ConditionCheck"))?;
        (action["Key"]["SK"]["S"] == "METADATA").then_some(action)
    });
    json!({ "TransactItems": [{ "Update": {
        "TableName": of_product.unwrap()["TableName"], "Key": of_product.unwrap()["Key"],
        "UpdateExpression": update,
        "ExpressionAttributeValues": { ":value": { "N": value.to_string() } },
    }}]})
}

fn sale(transaction: &Value) -> Value {
    of_product(transaction, "SET stock = stock - :value", 2)
}

fn cancellation(transaction: &Value) -> Value {
    of_product(transaction, "SET stock = stock + :value", 2)
}

fn price_change(transaction: &Value) -> Value {
    of_product(transaction, "SET price = :value", 175)
}

#[tokio::test(start_paused = true)]
async fn what_0_1_sells_between_the_read_and_the_move_is_not_sold_again() {
    let (shop, plan) = Shop::with_faults();
    let product = product_of_0_1(&shop, Some(10)).await;
    plan.precede_next(TRANSACTION, |transaction| sale(&transaction));
    assert_eq!(upgrade(&shop, &product).await, MOVED);
    assert_eq!(plan.remaining(), 0);
    assert_eq!(shop.stock(&product).await, Some(8));
    assert_eq!(left(&shop, &product).await, number(0));
}

#[tokio::test(start_paused = true)]
async fn a_price_that_0_1_changes_between_the_read_and_the_move_is_the_one_that_is_paid() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    for stock in [Some(10), None] {
        let product = product_of_0_1(&shop, stock).await;
        plan.precede_next(TRANSACTION, |transaction| price_change(&transaction));
        assert_eq!(upgrade(&shop, &product).await, MOVED);
        assert_eq!(shop.place(&anna, &[(&product, 2)]).await.unwrap().total, 2 * 175);
    }
    assert_eq!(plan.remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_0_1_puts_back_during_a_sweep_is_swept_too() {
    let (shop, plan) = Shop::with_faults();
    let product = product_of_0_1(&shop, Some(10)).await;
    assert_eq!(upgrade(&shop, &product).await, MOVED);
    shop.products.spread_stock(product.id, 4).await.unwrap();
    shop.overwrite(Key::product(product.id), "stock", number(3)).await;
    plan.precede_next(TRANSACTION, |transaction| cancellation(&transaction));
    assert_eq!(upgrade(&shop, &product).await, Upgrade { swept: 5, ..Upgrade::default() });
    assert_eq!(plan.remaining(), 0);
    assert_eq!(shop.stock(&product).await, Some(15));
    assert_eq!(left(&shop, &product).await, number(0));
}

#[tokio::test(start_paused = true)]
async fn a_price_that_0_1_changes_after_the_move_reaches_all_stock_items() {
    let (shop, plan) = Shop::with_faults();
    let product = product_of_0_1(&shop, Some(10)).await;
    assert_eq!(upgrade(&shop, &product).await, MOVED);
    shop.products.spread_stock(product.id, 4).await.unwrap();
    shop.overwrite(Key::product(product.id), "price", number(150)).await;
    plan.precede_next(TRANSACTION, |transaction| price_change(&transaction));
    let renewed = Upgrade { copy_renewed: true, ..Upgrade::default() };
    assert_eq!(upgrade(&shop, &product).await, renewed);
    assert_eq!(plan.remaining(), 0);
    for item in 0..4 {
        let item = shop.raw(Key::stock(product.id, item)).await.unwrap();
        assert_eq!(item["price"], number(175));
    }
}

/// Adds an order as version 0.1 wrote it, and returns its key.
async fn order_of_0_1(shop: &Shop) -> Key {
    let anna = shop.anna().await;
    let blend = shop.product(PRICE, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let key = Key::order(anna.id, order.id);
    for name in ["number", "payment", GSI2PK, GSI2SK] {
        shop.remove(key.clone(), name).await;
    }
    key
}

/// The change of a status by 0.1, right before this transaction.
fn status_change(transaction: &Value, status: &str, version: u64) -> Value {
    let update = &transaction["TransactItems"][0]["Update"];
    json!({ "TransactItems": [{ "Update": {
        "TableName": update["TableName"], "Key": update["Key"],
        "UpdateExpression": "SET #status = :status, version = :version",
        "ExpressionAttributeNames": { "#status": "status" },
        "ExpressionAttributeValues": {
            ":status": { "S": status }, ":version": { "N": version.to_string() } },
    }}]})
}

#[tokio::test(start_paused = true)]
async fn an_order_that_0_1_changes_meanwhile_goes_to_the_list_of_its_new_status() {
    let paid: fn(Value) -> Value = |transaction| status_change(&transaction, "paid", 2);
    let cancelled: fn(Value) -> Value = |transaction| status_change(&transaction, "cancelled", 2);
    for (status, by, list) in [("paid", paid, Some("STATUS#paid#")), ("cancelled", cancelled, None)]
    {
        let (shop, plan) = Shop::with_faults();
        let table = Table::new(shop.client.clone(), &shop.table_name);
        let key = order_of_0_1(&shop).await;
        let read = shop.raw(key.clone()).await.unwrap();
        plan.precede_next(TRANSACTION, by);
        let done = before_0_2::upgrade_order(&table, read).await.unwrap();
        assert_eq!(plan.remaining(), 0);
        let listed = list.is_some();
        assert_eq!(done, OrderUpgrade { completed: true, listed, corrected: false });
        let item = shop.raw(key).await.unwrap();
        let partition = item.get(GSI2PK).map(|key| key.as_s().unwrap().as_str());
        assert_eq!(partition.map(|key| &key[..key.len() - 1]), list);
        assert_eq!(
            (&item["version"], item["status"].as_s().unwrap().as_str()),
            (&number(2), status)
        );
        let needed = before_0_2::needed_by_order(&item).unwrap();
        assert_eq!(needed, OrderUpgrade::default(), "all of it is done");
    }
}

#[tokio::test]
async fn what_0_2_does_next_goes_by_the_payment_that_the_status_of_0_1_implies() {
    let shop = Shop::open().await;
    for (stored, status, payment) in [
        (Payment::Unpaid, OrderStatus::Paid, Payment::Paid),
        (Payment::Unpaid, OrderStatus::Shipped, Payment::Paid),
        (Payment::Paid, OrderStatus::Cancelled, Payment::RefundDue),
        (Payment::Unpaid, OrderStatus::Cancelled, Payment::Unpaid),
        (Payment::Refunded, OrderStatus::Cancelled, Payment::Refunded),
    ] {
        let order = Order {
            payment: Some(stored),
            status,
            ..Order::new(OrderId::new(), UserId::new(), 0, 100, Currency::EUR)
        };
        let id = order.id;
        shop.put(OrderWithItems { order, items: Vec::new() }).await;
        let found = shop.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order;
        assert_eq!(found.payment(), payment, "{stored} {status}");
    }
}
