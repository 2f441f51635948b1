//! Moving a table of version 0.1.

mod functions_of_0_1;
mod index;
mod orders;
mod real;
mod shop;
mod texts;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use storefront_core::{
    Error, NewOrder, NewOrderItem, OrderAccess, OrderStatus, Orders, ProductId, StatusChange,
    UserId,
};
use tokio::time::{sleep, timeout};

use crate::PATIENCE;
use functions_of_0_1::{Refused, Sold};
use shop::{DynamoDb, Items, PRODUCTS, Shop, number, of_type, pieces, text};

/// Slow enough to be killed in the middle, and for others to sell beside it.
const SLOWLY: [&str; 6] = ["--max-rcu", "20", "--page-items", "10", "--segments", "2"];

/// Ada, who is in the table.
fn ada() -> UserId {
    "01930000-0000-7000-8000-000000000002".parse().unwrap()
}

/// An e-book: its stock is not counted.
fn unlimited() -> ProductId {
    "01930000-0000-7000-8000-000000000120".parse().unwrap()
}

fn espresso() -> ProductId {
    "01930000-0000-7000-8000-000000000101".parse().unwrap()
}

/// Returns the products' ids, oldest first.
fn products(items: &Items) -> Vec<ProductId> {
    let mut ids: Vec<ProductId> =
        of_type(items, "Product").map(|product| text(product, "id").parse().unwrap()).collect();
    ids.sort();
    ids
}

/// Returns the orders that can be cancelled.
fn open_orders(items: &Items) -> Vec<Sold> {
    let is_open = |status: &str| ["pending", "paid"].contains(&status);
    let open = of_type(items, "Order").filter(|order| is_open(&text(order, "status")));
    open.map(|order| {
        let id = text(order, "id");
        let of_order = of_type(items, "OrderItem").filter(|item| text(item, "orderId") == id);
        let items = of_order.map(|item| {
            let quantity = number(item, "quantity").unwrap().try_into().unwrap();
            (text(item, "productId").parse().unwrap(), quantity)
        });
        let user = text(order, "userId").parse().unwrap();
        Sold { user, id: id.parse().unwrap(), items: items.collect() }
    })
    .collect()
}

#[tokio::test]
async fn every_stock_and_price_is_as_before() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    let dry_run = shop.upgrade(&["--dry-run"]).await;
    assert_eq!(dry_run.code, Some(0), "{dry_run:?}");
    assert!(dry_run.stdout.contains("to move: 21\n"), "{dry_run:?}");
    assert_eq!(shop.items().await, before);
    assert!(shop.state().is_none());

    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(
        answer.stdout.contains("7 users, 21 products and 25 orders among 137 items\nmoved: 21\n"),
        "{answer:?}"
    );
    let after = shop.items().await;
    assert_eq!(after.len(), before.len() + PRODUCTS, "each product has a stock item");
    for (key, item) in &before {
        let mut expected = item.clone();
        if item["_type"]["S"] == "Product" {
            expected["stock"] = json!({ "N": "0" });
            expected["available"] = json!({ "BOOL": number(item, "stock") != Some(0) });
            expected["availableRevision"] = json!({ "N": "1" });
        }
        orders::upgrade(&mut expected);
        assert_eq!(after[key], expected);
    }
    for item in of_type(&before, "Product") {
        let id = text(item, "id").parse().unwrap();
        let found = shop.products().find(id).await.unwrap().unwrap();
        assert_eq!(found.stock, number(item, "stock"), "{}", text(item, "name"));
        assert_eq!(found.product.name.as_str(), text(item, "name"));
        assert_eq!(Some(found.product.price), number(item, "price"));
        assert_eq!(found.product.currency.code(), text(item, "currency"));
        assert_eq!(found.is_available(), number(item, "stock") != Some(0));
    }
    assert_eq!(pieces(&after), pieces(&before));

    let again = shop.upgrade(&[]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stderr.contains("the last run finished at"), "{again:?}");
    assert!(again.stdout.contains("moved: 0\nalready moved: 21\n"), "{again:?}");
    assert!(again.stdout.contains("swept: 0 pieces"), "{again:?}");
    assert_eq!(shop.items().await, after);
}

#[tokio::test]
async fn an_upgrade_that_was_killed_continues_and_has_the_same_result() {
    let uninterrupted = Shop::of_0_1().await;
    assert_eq!(uninterrupted.upgrade(&[]).await.code, Some(0));

    let shop = Shop::of_0_1().await;
    let mut running = shop.upgrade_command(&SLOWLY).spawn().unwrap();
    let moved_some = async {
        while shop.state().is_none_or(|state| state["counts"]["moved"] == 0) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, moved_some).await.expect("it moves products");
    running.kill().await.unwrap();
    let moved = of_type(&shop.items().await, "Stock").count();
    assert!((1..PRODUCTS).contains(&moved), "it was killed in the middle: {moved}");
    assert!(shop.state().unwrap()["finished"].is_null());

    let answer = shop.upgrade(&["--segments", "7"]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stderr.contains("in 2 segments"), "{answer:?}");
    assert!(answer.stdout.contains(" 21 products and 25 orders among 1"), "{answer:?}");
    assert_eq!(shop.items().await, uninterrupted.items().await);
}

#[tokio::test]
async fn what_functions_of_0_1_do_after_the_move_is_swept_up() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    assert_eq!(shop.upgrade(&[]).await.code, Some(0));

    for product in [espresso(), unlimited()] {
        let refused = shop.dynamodb.place_as_0_1(ada(), product, 1).await;
        assert_eq!(
            refused.unwrap_err(),
            Refused::OutOfStock,
            "0.1 sells nothing of what has moved"
        );
    }
    let cancelled = open_orders(&before);
    for order in &cancelled {
        assert!(shop.dynamodb.cancel_as_0_1(order).await);
    }
    shop.dynamodb.set_price_as_0_1(espresso(), 1990).await;
    let left =
        of_type(&shop.items().await, "Product").filter_map(|p| number(p, "stock")).sum::<u64>();
    assert!(left > 0, "0.1 puts pieces back into products");

    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stdout.contains(&format!("swept: {left} pieces")), "{answer:?}");
    assert!(answer.stdout.contains("copies renewed: 1\n"), "{answer:?}");
    let after = shop.items().await;
    assert_eq!(pieces(&after), pieces(&before));
    assert!(of_type(&after, "Product").all(|product| number(product, "stock") == Some(0)));
    let found = shop.products().find(unlimited()).await.unwrap().unwrap();
    assert_eq!(found.stock, None, "what is not counted stays so");
    let order = place(&shop.orders(), espresso(), 2).await.unwrap();
    let order = shop.orders().find(OrderAccess::Any, order.id).await.unwrap().unwrap();
    assert_eq!(order.order.total, 2 * 1990);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_of_0_1_and_0_2_sell_beside_it_and_no_piece_is_lost_or_sold_twice() {
    let shop = Shop::of_0_1().await;
    let before = shop.items().await;
    let all = products(&before);
    let open = Arc::new(Mutex::new(open_orders(&before)));
    let stop = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let [old_stop, new_stop] = &stop;
    // What 0.2 sells, it moves itself. The command has to meet some products that only 0.1 sells.
    let half = all.iter().copied().step_by(2).collect();
    let old = Seller::new(&shop, all, &open, old_stop);
    let new = Seller::new(&shop, half, &open, new_stop);
    let (old, new) = (tokio::spawn(old.sell_as_0_1()), tokio::spawn(new.sell_as_0_2()));

    let first = shop.upgrade(&SLOWLY).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    old_stop.store(true, Ordering::Relaxed);
    let sold_by_0_1 = old.await.unwrap();
    let last = shop.upgrade(&SLOWLY).await;
    assert_eq!(last.code, Some(0), "{last:?}");
    new_stop.store(true, Ordering::Relaxed);
    let sold_by_0_2 = new.await.unwrap();

    for sales in [&sold_by_0_1, &sold_by_0_2] {
        assert!(sales.placed > 0 && sales.cancelled > 0, "{sold_by_0_1:?} {sold_by_0_2:?}");
    }
    let after = shop.items().await;
    assert!(of_type(&after, "Product").all(|product| number(product, "stock") == Some(0)));
    assert_eq!(of_type(&after, "Stock").count(), PRODUCTS);
    assert_eq!(pieces(&after), pieces(&before));
    orders::expect_lists(&shop, &after).await;

    let again = shop.upgrade(&[]).await;
    assert!(again.stdout.contains("moved: 0\nalready moved: 21\nswept: 0 "), "{again:?}");
    assert_eq!(shop.items().await, after);
}

#[tokio::test]
async fn a_product_that_cannot_be_read_is_listed_and_the_rest_is_moved() {
    let shop = Shop::of_0_1().await;
    let product = |id: &str, price: &str| {
        json!({
            "PK": { "S": format!("PRODUCT#{id}") }, "SK": { "S": "METADATA" },
            "_type": { "S": "Product" }, "id": { "S": id }, "name": { "S": "Odd" },
            "price": { "N": price }, "currency": { "S": "EUR" }, "stock": { "N": "1" },
        })
    };
    let odd = ProductId::new().to_string();
    shop.put(product(&odd, "-1")).await;
    shop.put(product("7", "100")).await;
    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stdout.contains("\nmoved: 21\n"), "{answer:?}");
    for line in [&*format!("  PRODUCT#{odd} METADATA: "), "  PRODUCT#7 METADATA: "] {
        assert!(answer.stdout.contains(line), "{answer:?}");
    }
    assert!(answer.stderr.contains("2 users, products and orders stay as they are"), "{answer:?}");
}

#[tokio::test]
async fn the_stock_of_a_product_that_0_1_has_deleted_is_deleted_too() {
    let shop = Shop::of_0_1().await;
    assert_eq!(shop.upgrade(&[]).await.code, Some(0));
    shop.products().spread_stock(espresso(), 3).await.unwrap();
    let before = shop.items().await;
    let key =
        json!({ "PK": { "S": format!("PRODUCT#{}", espresso()) }, "SK": { "S": "METADATA" } });
    let delete = json!({ "TableName": shop.dynamodb.table, "Key": key });
    shop.dynamodb.request("DeleteItem", delete).await.unwrap();

    let dry_run = shop.upgrade(&["--dry-run"]).await;
    assert!(dry_run.stdout.contains("to delete: the stock of 1 products"), "{dry_run:?}");
    assert_eq!(of_type(&shop.items().await, "Stock").count(), PRODUCTS + 2);
    let answer = shop.upgrade(&["--page-items", "1"]).await;
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stdout.contains("\ndeleted: the stock of 1 products"), "{answer:?}");
    let after = shop.items().await;
    assert_eq!(after.len(), before.len() - 4, "the product and its three stock items");
    let refused = place(&shop.orders(), espresso(), 1).await;
    assert!(matches!(refused, Err(Error::UnknownProducts(_))), "{refused:?}");
    let again = shop.upgrade(&[]).await;
    assert!(again.stdout.contains("deleted: the stock of 0 products"), "{again:?}");
}

#[tokio::test]
async fn the_state_of_another_table_is_refused() {
    let shop = Shop::of_0_1().await;
    assert_eq!(shop.upgrade(&[]).await.code, Some(0));
    let mut state = shop.state().unwrap();
    state["of"] = json!({ "arn": null, "name": "elsewhere", "id": null });
    std::fs::write(shop.state_file(), state.to_string()).unwrap();
    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("the table elsewhere"), "{answer:?}");
    assert!(answer.stderr.contains("--state"), "{answer:?}");
}

#[tokio::test]
async fn a_missing_table_is_named_at_once() {
    let mut shop = Shop::of_0_1().await;
    "elsewhere".clone_into(&mut shop.dynamodb.table);
    let answer = shop.upgrade(&[]).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("the table elsewhere"), "{answer:?}");
    assert!(answer.stderr.contains("ResourceNotFoundException"), "{answer:?}");
}

/// Orders products one after the other, and cancels what it or another has sold.
struct Seller {
    dynamodb: DynamoDb,
    orders: Orders,
    products: Vec<ProductId>,
    open: Arc<Mutex<Vec<Sold>>>,
    stop: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Sales {
    placed: usize,
    refused: usize,
    cancelled: usize,
}

impl Seller {
    fn new(
        shop: &Shop,
        products: Vec<ProductId>,
        open: &Arc<Mutex<Vec<Sold>>>,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let (open, stop) = (Arc::clone(open), Arc::clone(stop));
        Self { dynamodb: shop.dynamodb.clone(), orders: shop.orders(), products, open, stop }
    }

    async fn sell_as_0_1(self) -> Sales {
        let mut sales = Sales::default();
        for (turn, product) in self.turns() {
            match self.dynamodb.place_as_0_1(ada(), product, 1 + turn % 3).await {
                Ok(sold) => self.placed(sold, &mut sales),
                Err(_) => sales.refused += 1,
            }
            if let Some(sold) = self.every_third(turn) {
                sales.cancelled += usize::from(self.dynamodb.cancel_as_0_1(&sold).await);
            }
            sleep(BREATH).await;
        }
        sales
    }

    async fn sell_as_0_2(self) -> Sales {
        let mut sales = Sales::default();
        for (turn, product) in self.turns() {
            match place(&self.orders, product, 1 + turn % 3).await {
                Ok(sold) => self.placed(sold, &mut sales),
                Err(Error::OutOfStock(_) | Error::Contention) => sales.refused += 1,
                Err(error) => panic!("{error:?}"),
            }
            if let Some(sold) = self.every_third(turn) {
                let to = OrderStatus::Cancelled;
                let change = StatusChange::new(to);
                self.orders.change_status(OrderAccess::Any, sold.id, change).await.unwrap();
                sales.cancelled += 1;
            }
            sleep(BREATH).await;
        }
        sales
    }

    /// The products in turn, until it has to stop.
    fn turns(&self) -> impl Iterator<Item = (u32, ProductId)> {
        let turns = (0..).zip(self.products.iter().copied().cycle());
        turns.take_while(|_| !self.stop.load(Ordering::Relaxed))
    }

    fn placed(&self, sold: Sold, sales: &mut Sales) {
        sales.placed += 1;
        self.open.lock().unwrap().push(sold);
    }

    /// Returns the oldest order, to cancel it, in every third turn. Either version may have placed it.
    fn every_third(&self, turn: u32) -> Option<Sold> {
        let mut open = self.open.lock().unwrap();
        (turn.is_multiple_of(3) && !open.is_empty()).then(|| open.remove(0))
    }
}

/// Between two orders of a seller, so that the table does not grow faster than it is read.
const BREATH: Duration = Duration::from_millis(20);

async fn place(orders: &Orders, product_id: ProductId, quantity: u32) -> Result<Sold, Error> {
    let new = NewOrder::new(ada(), vec![NewOrderItem { product_id, quantity }]);
    let id = orders.place(new).await?.value.order.id;
    Ok(Sold { user: ada(), id, items: vec![(product_id, quantity)] })
}
