//! What staff do with orders, called with events of API Gateway, on a real table.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use serde_json::{Value, json};
use storefront_core::{OrderRules, Product, ProductId, Products};
use storefront_orders::ApiDoc;
use storefront_testing::{Answer, Api, Database, Persona, new_product};
use utoipa::OpenApi as _;

struct Shop {
    /// Runs until it is dropped.
    _database: Database,
    api: Api,
    staff: Persona,
    anna: Persona,
    blend: Product,
}

impl Shop {
    async fn open() -> Self {
        Self::with_rules(OrderRules::default()).await
    }

    async fn with_rules(rules: OrderRules) -> Self {
        let database = Database::start().await;
        let new = new_product(1890, Some(100));
        let products = Products::new(database.table());
        let blend = products.create(ProductId::new(), new).await.unwrap().product;
        let api = Api::new(storefront_orders::app(database.table(), rules), ApiDoc::openapi);
        let (staff, anna) = (database.staff().await, database.customer().await);
        Self { _database: database, api, staff, anna, blend }
    }

    fn order(&self) -> Value {
        json!({ "items": [{ "productId": self.blend.id, "quantity": 1 }] })
    }

    async fn place(&self, body: Value) -> Answer {
        self.api.post("/orders").by(self.anna).json(body).send().await
    }

    async fn change(&self, by: Persona, order: &Value, body: Value) -> Answer {
        self.api.patch(path(order)).by(by).json(body).send().await
    }

    async fn refund(&self, by: Persona, order: &Value, amount: Value, key: &str) -> Answer {
        let post = self.api.post(format!("{}/refunds", path(order))).by(by);
        post.header("idempotency-key", key).json(json!({ "amount": amount })).send().await
    }

    async fn list(&self, by: Persona, query: &str) -> Answer {
        self.api.get(format!("/orders?{query}")).by(by).send().await
    }
}

fn path(order: &Value) -> String {
    format!("/orders/{}", order["id"].as_str().unwrap())
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|order| order["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_order_goes_out_with_tracking_comes_back_and_is_paid_back_in_parts() {
    let shop = Shop::open().await;
    let mut order = shop.order();
    order["shippingAddress"] = json!({
        "name": "Anna Beispiel", "line1": "Marktplatz 1", "postalCode": "1010", "city": "Wien",
        "country": "AT",
    });
    let order = shop.place(order.clone()).await.expect(201).body;
    assert_eq!(order["shippingAddress"]["country"], "AT");
    assert_eq!((&order["payment"], &order["refundedAmount"]), (&json!("unpaid"), &json!(0)));
    let _ = shop.change(shop.staff, &order, json!({ "status": "paid" })).await.expect(200);
    let listed = shop.list(shop.staff, "status=paid").await.expect(200).body;
    assert_eq!(ids(&listed), [order["id"].as_str().unwrap()]);
    let shown = &listed["items"][0];
    assert!(shown.get("shippingAddress").is_none() && shown.get("items").is_none(), "{shown}");

    let tracking = json!({ "number": "3S1", "url": "https://parcels.example/3S1" });
    let ship = json!({ "status": "shipped", "tracking": tracking });
    let shipped = shop.change(shop.staff, &order, ship.clone()).await.expect(200).body;
    assert_eq!(shipped["tracking"], tracking);
    let again = shop.change(shop.staff, &order, ship).await.expect(200).body;
    assert_eq!(again, shipped);
    let other = json!({ "status": "shipped", "tracking": { "number": "3S2" } });
    let _ = shop.change(shop.staff, &order, other).await.problem(409, "invalid_status_change");
    let _ = shop.change(shop.staff, &order, json!({ "status": "delivered" })).await.expect(200);
    let back = shop.change(shop.staff, &order, json!({ "status": "returned" })).await.expect(200);
    assert_eq!(back.body["payment"], "refund_due");

    let listed = shop.list(shop.staff, "payment=refund_due").await.expect(200).body;
    assert_eq!(ids(&listed), [order["id"].as_str().unwrap()]);
    let first = shop.refund(shop.staff, &order, json!(890), "r1").await.expect(200);
    assert_eq!(first.body["payment"], "refund_due");
    assert_eq!(first.header("idempotency-replayed"), Some("false"));
    let again = shop.refund(shop.staff, &order, json!(890), "r1").await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    let rest = shop.refund(shop.staff, &order, json!(1000), "r2").await.expect(200);
    assert_eq!(rest.body["payment"], "refunded");
    assert_eq!((&rest.body["refundedAmount"], rest.header("etag")), (&json!(1890), Some("\"7\"")));
    assert_eq!(ids(&shop.list(shop.staff, "payment=refund_due").await.expect(200).body).len(), 0);
}

#[tokio::test]
async fn what_cannot_be_refunded_is_refused() {
    let shop = Shop::open().await;
    let order = shop.place(shop.order()).await.expect(201).body;
    let _ = shop.refund(shop.staff, &order, json!(1), "a").await.problem(409, "not_paid");
    let _ = shop.change(shop.staff, &order, json!({ "status": "paid" })).await.expect(200);
    let too_large = shop.refund(shop.staff, &order, json!(1891), "b").await;
    assert!(
        too_large.problem(409, "refund_too_large").body["detail"]
            .as_str()
            .unwrap()
            .contains("1890")
    );
    for amount in [json!(0), json!(-1), json!(1.5), json!("1"), json!(null), json!(1e20)] {
        let refused = shop.refund(shop.staff, &order, amount.clone(), "c").await;
        assert_eq!(refused.problem(422, "invalid_body").pointers(), ["/amount"], "{amount}");
    }
    let _ = shop.refund(shop.anna, &order, json!(1), "d").await.problem(403, "forbidden");
    let without_key = shop.api.post(format!("{}/refunds", path(&order))).by(shop.staff);
    let refused = without_key.json(json!({ "amount": 1 })).send().await;
    let _ = refused.problem(400, "invalid_header");
    let _ = shop.refund(shop.staff, &order, json!(1), "e").await.expect(200);
    let reused = shop.refund(shop.staff, &order, json!(2), "e").await;
    let _ = reused.problem(422, "idempotency_key_reused");
    let unknown = json!({ "id": storefront_core::OrderId::new() });
    let _ = shop.refund(shop.staff, &unknown, json!(1), "f").await.problem(404, "order_not_found");
}

#[tokio::test]
async fn lists_of_all_users_are_for_staff_and_have_what_is_to_be_done() {
    let shop = Shop::open().await;
    let first = shop.place(shop.order()).await.expect(201).body;
    let second = shop.place(shop.order()).await.expect(201).body;
    let all = [&first, &second].map(|order| order["id"].as_str().unwrap());
    let page = shop.list(shop.staff, "status=pending&limit=1").await.expect(200).body;
    assert_eq!(ids(&page), all[..1], "oldest first");
    let cursor = page["nextCursor"].as_str().unwrap();
    let page = shop.list(shop.staff, &format!("status=pending&cursor={cursor}")).await.expect(200);
    assert_eq!(ids(&page.body), all[1..]);
    let to = first["createdAt"].as_str().unwrap();
    let page = shop.list(shop.staff, &format!("status=pending&to={to}")).await.expect(200).body;
    assert_eq!(ids(&page).len(), 0);

    for query in ["status=pending", "payment=refund_due", "status=delivered"] {
        let _ = shop.list(shop.anna, query).await.problem(403, "forbidden");
    }
    for query in ["status=delivered", "status=cancelled", "status=returned", "payment=paid"] {
        let answer = shop.list(shop.staff, query).await.problem(422, "not_listed");
        assert!(answer.body["detail"].as_str().unwrap().contains("status=paid"), "{query}");
    }
    let user = shop.anna.user_id;
    for query in [
        format!("status=pending&userId={user}"),
        "status=pending&payment=refund_due".to_owned(),
        "status=lost".to_owned(),
        "payment=".to_owned(),
    ] {
        let _ = shop.list(shop.staff, &query).await.problem(400, "invalid_query");
    }
    let of_anna = shop.list(shop.staff, &format!("userId={user}")).await.expect(200).body;
    assert_eq!(ids(&of_anna), [all[1], all[0]], "newest first");
}

#[tokio::test]
async fn addresses_and_tracking_are_checked_field_by_field() {
    let shop = Shop::open().await;
    let whole = json!({
        "name": "Anna", "line1": "Marktplatz 1", "line2": "Hinterhaus", "city": "Wien",
        "region": "Wien", "postalCode": "1010", "country": "AT", "phone": "+43 1 234567",
    });
    let mut order = shop.order();
    order["shippingAddress"] = whole.clone();
    let placed = shop.place(order.clone()).await.expect(201).body;
    assert_eq!(placed["shippingAddress"], whole);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a\r\nBcc: b")),
        ("line1", json!(" ")),
        ("line2", json!("a\u{2028}b")),
        ("city", json!("x".repeat(101))),
        ("postalCode", json!("1".repeat(33))),
        ("country", json!("Austria")),
        ("country", json!("XX")),
        ("phone", json!("\u{7}")),
    ] {
        let mut odd = order.clone();
        odd["shippingAddress"][field] = value;
        let refused = shop.place(odd).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), [format!("/shippingAddress/{field}")]);
    }
    for odd in [json!([]), json!("Wien"), json!({})] {
        let mut body = order.clone();
        body["shippingAddress"] = odd;
        let _ = shop.place(body).await.problem(422, "invalid_body");
    }
    let _ = shop.change(shop.staff, &placed, json!({ "status": "paid" })).await.expect(200);
    for url in ["javascript:alert(1)", "https://", "https://a b", "parcels.example"] {
        let body = json!({ "status": "shipped", "tracking": { "number": "1", "url": url } });
        let refused = shop.change(shop.staff, &placed, body).await.problem(422, "invalid_body");
        assert_eq!(refused.pointers(), ["/tracking/url"], "{url}");
    }
    let body = json!({ "status": "cancelled", "tracking": { "number": "1" } });
    let refused = shop.change(shop.staff, &placed, body).await.problem(422, "invalid_body");
    assert_eq!(refused.pointers(), ["/tracking"]);
}

#[tokio::test]
async fn a_customer_with_too_many_open_orders_pays_first() {
    let rules = OrderRules { max_open: Some(2), pending_minutes: Some(60) };
    let shop = Shop::with_rules(rules).await;
    let first = shop.place(shop.order()).await.expect(201).body;
    assert!(first["payBy"].is_string());
    let _ = shop.place(shop.order()).await.expect(201);
    let refused = shop.place(shop.order()).await.problem(409, "too_many_open_orders");
    assert!(refused.body["detail"].as_str().unwrap().contains('2'));
    let paid = shop.change(shop.staff, &first, json!({ "status": "paid" })).await.expect(200);
    assert!(paid.body.get("payBy").is_none());
    let _ = shop.place(shop.order()).await.expect(201);
}
