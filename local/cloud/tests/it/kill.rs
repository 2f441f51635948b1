//! If the local cloud is killed while it works, everything that it has acknowledged is there after
//! a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

use crate::client::Client;
use crate::process::LocalCloudProcess;

const PRODUCTS: [(&str, u64); 2] =
    [("01930000-0000-7000-8000-000000000101", 2), ("01930000-0000-7000-8000-000000000105", 1)];
const CUSTOMERS: usize = 8;
const ORDERS_BEFORE_THE_END: usize = 30;

/// What the API acknowledged before it was killed.
#[derive(Default)]
struct Acknowledged {
    /// The orders that were answered with 201, by id.
    orders: Mutex<BTreeMap<String, Value>>,
    /// The `eventId`s of the status changes that were answered with 200.
    changes: Mutex<BTreeSet<String>>,
    enough: Notify,
}

#[tokio::test]
async fn everything_acknowledged_before_a_kill_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let process = LocalCloudProcess::start(folder.path()).await;
    let url = process.api_url.clone();
    let ada = Client::logged_in(&url, "ada@example.com").await;
    let admin = Client::logged_in(&url, "admin@example.com").await;
    let stock_before = stock(&ada).await;

    let acknowledged = Arc::new(Acknowledged::default());
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|_| tokio::spawn(order_and_pay(ada.clone(), admin.clone(), Arc::clone(&acknowledged))))
        .collect();
    acknowledged.enough.notified().await;
    let printed = process.kill().await;
    for customer in customers {
        customer.await.unwrap();
    }

    let process = LocalCloudProcess::start(folder.path()).await;
    let ada = ada.at(&process.api_url);
    for (id, order) in &*acknowledged.orders.lock().await {
        let found = ada.get(&format!("/orders/{id}")).await.expect(StatusCode::OK).body;
        for name in ["id", "total", "currency", "createdAt", "items"] {
            assert_eq!(found[name], order[name], "{name} of {id}");
        }
    }

    // Orders that were not acknowledged must be complete or missing.
    let orders = every_order(&ada).await;
    assert!(orders.len() > acknowledged.orders.lock().await.len(), "and the seed's");
    let mut sold = BTreeMap::<String, u64>::new();
    for order in &orders {
        for item in order["items"].as_array().unwrap() {
            *sold.entry(item["productId"].as_str().unwrap().to_owned()).or_default() +=
                item["quantity"].as_u64().unwrap();
        }
    }
    // The seed's order is among the orders, but was already deducted from the stock.
    *sold.get_mut(PRODUCTS[0].0).unwrap() -= 1;
    let stock_after = stock(&ada).await;
    for (product, before) in stock_before {
        assert_eq!(stock_after[&product], before - sold[&product], "stock of {product}");
    }

    let changes = acknowledged.changes.lock().await.clone();
    let already: BTreeSet<_> = changes
        .iter()
        .filter(|id| {
            printed.iter().any(|line| line.contains("OrderStatusChanged") && line.contains(*id))
        })
        .cloned()
        .collect();
    let missing: BTreeSet<_> = changes.difference(&already).cloned().collect();
    println!(
        "{} of {} changes were not delivered when it was killed",
        missing.len(),
        changes.len()
    );
    let is_missing = |event: &Value| missing.contains(event["detail"]["eventId"].as_str().unwrap());
    let delivered = ada.events(missing.len(), is_missing).await;
    let delivered: BTreeSet<_> = delivered
        .iter()
        .map(|event| event["detail"]["eventId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(delivered, missing);
    assert!(!changes.is_empty());
}

#[tokio::test]
async fn a_status_change_that_was_not_published_before_a_kill_is_published_after_it() {
    let folder = tempfile::tempdir().unwrap();
    // The trigger may poll the stream between the change and the kill, but not every time.
    for _ in 0..10 {
        let process = LocalCloudProcess::start(folder.path()).await;
        let ada = Client::logged_in(&process.api_url, "ada@example.com").await;
        let admin = Client::logged_in(&process.api_url, "admin@example.com").await;
        let items = json!({ "items": [{ "productId": PRODUCTS[0].0, "quantity": 1 }] });
        let order = ada.post("/orders", items).await.expect(StatusCode::CREATED).body;
        let path = format!("/orders/{}", order["id"].as_str().unwrap());
        admin.patch(&path, json!({ "status": "paid" })).await.expect(StatusCode::OK);
        let printed = process.kill().await;
        if printed.iter().any(|line| line.contains("OrderStatusChanged")) {
            continue;
        }

        let process = LocalCloudProcess::start(folder.path()).await;
        let is_of_order = |event: &Value| {
            let is_change = event["detail-type"] == "OrderStatusChanged";
            is_change && event["detail"]["orderId"] == order["id"]
        };
        let events = admin.at(&process.api_url).events(1, is_of_order).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["detail"]["status"], "paid");
        return;
    }
    panic!("every change was published before the kill");
}

/// Places and pays orders until the server stops responding.
async fn order_and_pay(ada: Client, admin: Client, acknowledged: Arc<Acknowledged>) {
    let items = PRODUCTS.map(|(id, quantity)| json!({ "productId": id, "quantity": quantity }));
    loop {
        let body = json!({ "items": items });
        let Ok(answer) = ada.send(Method::POST, "/orders", Some(body)).await else { return };
        // Under contention, an order is rejected, but never half written.
        if answer.status != StatusCode::CREATED {
            continue;
        }
        let id = answer.body["id"].as_str().unwrap().to_owned();
        let path = format!("/orders/{id}");
        let count = {
            let mut orders = acknowledged.orders.lock().await;
            orders.insert(id.clone(), answer.body);
            orders.len()
        };
        if count >= ORDERS_BEFORE_THE_END {
            acknowledged.enough.notify_one();
        }
        let body = json!({ "status": "paid" });
        let Ok(answer) = admin.send(Method::PATCH, &path, Some(body)).await else { return };
        if answer.status == StatusCode::OK {
            let event_id = format!("{id}:{}", answer.body["version"]);
            acknowledged.changes.lock().await.insert(event_id);
        }
    }
}

async fn stock(client: &Client) -> BTreeMap<String, u64> {
    let mut stock = BTreeMap::new();
    for (id, _) in PRODUCTS {
        let product = client.get(&format!("/products/{id}")).await.expect(StatusCode::OK);
        stock.insert(id.to_owned(), product.body["stock"].as_u64().unwrap());
    }
    stock
}

async fn every_order(client: &Client) -> Vec<Value> {
    let mut orders = Vec::new();
    let mut path = "/orders?limit=10".to_owned();
    loop {
        let page = client.get(&path).await.expect(StatusCode::OK).body;
        for order in page["items"].as_array().unwrap() {
            let path = format!("/orders/{}", order["id"].as_str().unwrap());
            orders.push(client.get(&path).await.expect(StatusCode::OK).body);
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/orders?limit=10&cursor={cursor}"),
            None => return orders,
        }
    }
}
