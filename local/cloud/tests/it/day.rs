//! A day in the shop, through the front door.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, TABLE_NAME};
use storefront_core::schema::Key;

use crate::client::{Client, in_memory};
use crate::expiry::dynamodb;

/// The seed has three pieces of it, at 3490 cents.
const GEISHA: &str = "01930000-0000-7000-8000-000000000106";

struct Day {
    cloud: LocalCloud,
    staff: Client,
}

impl Day {
    async fn begin() -> Self {
        let cloud = LocalCloud::start(in_memory()).await.unwrap();
        let url = cloud.api_url().to_owned();
        let (id, _) = register(&url, "sam@example.com").await;
        let admin = Client::logged_in(&url, "admin@example.com").await;
        let role = Some(json!({ "role": "staff" }));
        let hired = admin.send(Method::PUT, &format!("/users/{id}/role"), role).await.unwrap();
        assert_eq!(hired.expect(StatusCode::OK).body["role"], "staff");
        Self { staff: log_in(&url, "sam@example.com").await, cloud }
    }

    async fn customer(&self, email: &str) -> Client {
        register(self.cloud.api_url(), email).await.1
    }

    /// Staff change an order's status.
    async fn change(&self, order: &Value, body: Value) -> Value {
        self.staff.patch(&path(order), body).await.expect(StatusCode::OK).body
    }

    /// The ids of the orders in one of staff's lists.
    async fn listed(&self, query: &str) -> Vec<String> {
        let page = self.staff.get(&format!("/orders?{query}")).await.expect(StatusCode::OK).body;
        let items = page["items"].as_array().unwrap();
        items.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn stock(&self) -> Value {
        let product = self.staff.get(&format!("/products/{GEISHA}")).await;
        product.expect(StatusCode::OK).body["stock"].clone()
    }

    /// Lets the time for paying an order pass.
    async fn let_time_pass(&self, order: &Value) {
        let [user, id] = ["userId", "id"].map(|name| order[name].as_str().unwrap());
        let Key { pk, sk } = Key::order(user.parse().unwrap(), id.parse().unwrap());
        let update = json!({
            "TableName": TABLE_NAME,
            "Key": { "PK": { "S": pk }, "SK": { "S": sk } },
            "UpdateExpression": "SET payBy = :past",
            "ConditionExpression": "attribute_exists(payBy)",
            "ExpressionAttributeValues": { ":past": { "S": "2026-01-01T00:00:00.000Z" } },
        });
        dynamodb(&self.cloud, "UpdateItem", update).await;
    }

    /// Runs the expiry, and returns how many orders it cancelled. The schedule may have been faster.
    async fn expire(&self) {
        let run = "/_local/schedules/order-expiry/run";
        let answer = self.staff.post(run, json!({})).await.expect(StatusCode::OK).body;
        assert_eq!((&answer["failed"], &answer["more"]), (&json!(0), &json!(false)), "{answer}");
    }

    /// Waits for an order's events, and expects one for each version, in order: its type, and what
    /// it says of the status and the payment.
    async fn expect_events(&self, order: &Value, expected: &[(&str, &str, &str)]) {
        let id = &order["id"];
        let events = self.staff.events(expected.len(), |event| event["detail"]["orderId"] == *id);
        let events = events.await;
        let found: Vec<_> = events
            .iter()
            .map(|event| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                let detail = &event["detail"];
                (text(&event["detail-type"]), text(&detail["status"]), text(&detail["payment"]))
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|&(kind, status, payment)| {
                (format!("Order{kind}"), status.to_owned(), payment.to_owned())
            })
            .collect();
        assert_eq!(found, expected, "{id}");
        let versions: Vec<_> =
            events.iter().map(|event| event["detail"]["version"].as_u64().unwrap()).collect();
        assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>(), "{id}");
    }
}

async fn register(url: &str, email: &str) -> (String, Client) {
    let new = json!({ "email": email, "password": "storefront-demo", "name": "Somebody" });
    let user = Client::anonymous(url).post("/users", new).await.expect(StatusCode::CREATED).body;
    (user["id"].as_str().unwrap().to_owned(), log_in(url, email).await)
}

async fn log_in(url: &str, email: &str) -> Client {
    Client::logged_in(url, email).await
}

async fn place(customer: &Client, quantity: u32) -> Value {
    let body = json!({
        "items": [{ "productId": GEISHA, "quantity": quantity }],
        "shippingAddress": {
            "name": "Somebody", "line1": "Marktplatz 1", "city": "Wien", "country": "AT",
        },
    });
    customer.post("/orders", body).await.expect(StatusCode::CREATED).body
}

fn path(order: &Value) -> String {
    format!("/orders/{}", order["id"].as_str().unwrap())
}

fn id(order: &Value) -> String {
    order["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_of_each_order_is_one_event_and_no_piece_and_no_cent_is_lost() {
    let day = Day::begin().await;
    let (ada, ben) =
        (day.customer("ada.2@example.com").await, day.customer("ben@example.com").await);

    // The first is shipped, comes back, and is paid back in two parts.
    let first = place(&ada, 1).await;
    assert_eq!(first["payment"], "unpaid");
    assert!(day.listed("status=pending").await.contains(&id(&first)));
    day.change(&first, json!({ "status": "paid" })).await;
    assert_eq!(day.listed("status=paid").await, [id(&first)]);
    let shipped = json!({ "status": "shipped", "tracking": { "number": "3SABC123456789" } });
    day.change(&first, shipped).await;
    assert_eq!(day.listed("status=shipped").await, [id(&first)]);
    let seen = ada.get(&path(&first)).await.expect(StatusCode::OK).body;
    assert_eq!(seen["tracking"]["number"], "3SABC123456789");
    day.change(&first, json!({ "status": "delivered" })).await;
    let back = day.change(&first, json!({ "status": "returned" })).await;
    assert_eq!(back["payment"], "refund_due");
    assert_eq!(day.listed("payment=refund_due").await, [id(&first)]);
    for (amount, key, payment) in [(3000, "1", "refund_due"), (490, "2", "refunded")] {
        let refund = json!({ "amount": amount });
        let refunded = day.staff.post_once(&format!("{}/refunds", path(&first)), key, refund).await;
        assert_eq!(refunded.expect(StatusCode::OK).body["payment"], payment);
    }
    assert_eq!(day.stock().await, 2, "nobody has looked at what came back");

    // The second takes the last pieces and is not paid, so that they are sold to somebody else.
    let second = place(&ben, 2).await;
    let body = json!({ "items": [{ "productId": GEISHA, "quantity": 1 }] });
    let sold_out = ada.post("/orders", body).await.expect(StatusCode::CONFLICT).body;
    assert_eq!(sold_out["code"], "out_of_stock");
    day.let_time_pass(&second).await;
    day.expire().await;
    let expired = ben.get(&path(&second)).await.expect(StatusCode::OK).body;
    assert_eq!(
        (&expired["status"], &expired["cancelReason"]),
        (&json!("cancelled"), &json!("expired"))
    );
    let third = place(&ada, 1).await;

    // The second is paid after all, too late: the money is owed back, and is paid back.
    for _ in 0..2 {
        let late = day.change(&second, json!({ "status": "paid" })).await;
        assert_eq!(
            (&late["status"], &late["payment"]),
            (&json!("cancelled"), &json!("refund_due"))
        );
    }
    let refund = json!({ "amount": 6980 });
    let refunded = day.staff.post_once(&format!("{}/refunds", path(&second)), "3", refund).await;
    assert_eq!(refunded.expect(StatusCode::OK).body["payment"], "refunded");

    // The customer of the fourth deletes the account, and nobody waits for the payment.
    let lea = day.customer("lea@example.com").await;
    let fourth = place(&lea, 1).await;
    assert_eq!(day.stock().await, 0);
    let left = lea
        .send(Method::DELETE, "/users/me", Some(json!({ "currentPassword": "storefront-demo" })))
        .await
        .unwrap();
    left.expect(StatusCode::NO_CONTENT);
    day.expire().await;
    let cancelled = day.staff.get(&path(&fourth)).await.expect(StatusCode::OK).body;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(day.stock().await, 1);
    assert!(!day.listed("status=pending").await.contains(&id(&fourth)));
    assert!(day.listed("status=pending").await.contains(&id(&third)));

    day.expect_events(
        &first,
        &[
            ("Placed", "pending", "unpaid"),
            ("StatusChanged", "paid", "paid"),
            ("StatusChanged", "shipped", "paid"),
            ("StatusChanged", "delivered", "paid"),
            ("StatusChanged", "returned", "refund_due"),
            ("PaymentChanged", "returned", "refund_due"),
            ("PaymentChanged", "returned", "refunded"),
        ],
    )
    .await;
    day.expect_events(
        &second,
        &[
            ("Placed", "pending", "unpaid"),
            ("StatusChanged", "cancelled", "unpaid"),
            ("PaymentChanged", "cancelled", "refund_due"),
            ("PaymentChanged", "cancelled", "refunded"),
        ],
    )
    .await;
    day.expect_events(&third, &[("Placed", "pending", "unpaid")]).await;
    day.expect_events(
        &fourth,
        &[("Placed", "pending", "unpaid"), ("StatusChanged", "cancelled", "unpaid")],
    )
    .await;
    day.cloud.shutdown().await;
}
