//! Products' stock, changed with events of API Gateway, on a real table.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use storefront_core::{NewOrder, NewOrderItem, Orders};
use storefront_products::ApiDoc;
use storefront_testing::{Answer, Api, Database, Persona};
use utoipa::OpenApi as _;

struct Shop {
    database: Database,
    api: Api,
    admin: Persona,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::start().await;
        let api = Api::new(storefront_products::app(database.table()), ApiDoc::openapi);
        Self { admin: database.admin().await, database, api }
    }

    /// Adds a product; returns its path.
    async fn product(&self, stock: Option<u64>) -> String {
        let body = json!({
            "name": "Espresso", "category": "coffee", "price": 1890, "currency": "EUR",
            "stock": stock,
        });
        let created = self.api.post("/products").by(self.admin).json(body).send().await.expect(201);
        created.header("location").unwrap().to_owned()
    }

    async fn read(&self, product: &str) -> Answer {
        self.api.get(product).send().await.expect(200)
    }

    async fn change(&self, product: &str, key: Option<&str>, change: i64) -> Answer {
        let path = format!("{product}/stock-changes");
        let request = self.api.post(path).by(self.admin).json(json!({ "change": change }));
        match key {
            Some(key) => request.header("idempotency-key", key).send().await,
            None => request.send().await,
        }
    }

    async fn patch(&self, product: &str, body: Value, if_match: &str) -> Answer {
        let request = self.api.patch(product).by(self.admin).json(body);
        request.header("if-match", if_match).send().await
    }

    async fn spread(&self, product: &str, items: u64) -> Answer {
        let path = format!("{product}/stock-spread");
        self.api.put(path).by(self.admin).json(json!({ "items": items })).send().await
    }

    async fn sell(&self, product: &str, quantity: u32) {
        let customer = self.database.customer().await.user_id;
        let product_id = product.strip_prefix("/products/").unwrap().parse().unwrap();
        let order = NewOrder::new(customer, vec![NewOrderItem { product_id, quantity }]);
        Orders::new(self.database.table()).place(order).await.unwrap();
    }
}

#[tokio::test]
async fn goods_received_are_added_to_what_sales_have_left_once_for_each_key() {
    let shop = Shop::open().await;
    let product = shop.product(Some(100)).await;
    shop.sell(&product, 7).await;
    let first = shop.change(&product, Some("delivery-17"), 50).await.expect(200);
    assert_eq!(first.body["stock"], 143);
    assert_eq!(first.header("etag"), Some("\"1.143\""));
    assert_eq!(first.header("idempotency-replayed"), Some("false"));
    shop.sell(&product, 3).await;
    let again = shop.change(&product, Some("delivery-17"), 50).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body["stock"], 140, "as it is now");
    for other in [
        shop.change(&product, Some("delivery-17"), 51).await,
        shop.change(&shop.product(Some(1)).await, Some("delivery-17"), 50).await,
    ] {
        let _ = other.problem(422, "idempotency_key_reused");
    }
    assert_eq!(shop.change(&product, None, 50).await.expect(200).body["stock"], 190);
    assert_eq!(shop.change(&product, None, 50).await.expect(200).body["stock"], 240);
}

#[tokio::test]
async fn a_stock_never_falls_below_zero_and_the_answer_says_what_is_left() {
    let shop = Shop::open().await;
    for items in [1, 4] {
        let product = shop.product(Some(10)).await;
        let _ = shop.spread(&product, items).await.expect(200);
        let refused = shop.change(&product, Some("loss"), -11).await.problem(409, "out_of_stock");
        let id = product.strip_prefix("/products/").unwrap();
        assert_eq!(
            refused.body["products"],
            json!([{ "productId": id, "requested": 11, "available": 10 }])
        );
        let key = format!("loss-{items}");
        let taken = shop.change(&product, Some(&key), -10).await.expect(200);
        assert_eq!((&taken.body["stock"], &taken.body["available"]), (&json!(0), &json!(false)));
        // The very change that took the last pieces, sent again.
        let again = shop.change(&product, Some(&key), -10).await.expect(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }
}

#[tokio::test]
async fn a_change_that_makes_no_sense_is_refused_and_changes_nothing() {
    let shop = Shop::open().await;
    let unlimited = shop.product(None).await;
    let _ = shop.change(&unlimited, None, 5).await.problem(409, "stock_not_counted");
    let product = shop.product(Some(10)).await;
    for change in [json!(0), json!(1_000_000_000_001_i64), json!(-1_000_000_000_001_i64)] {
        let path = format!("{product}/stock-changes");
        let request = shop.api.post(path).by(shop.admin).json(json!({ "change": change }));
        let answer = request.send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/change"]);
    }
    let answer = shop.change(&product, None, 1_000_000_000_000).await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/change"]);
    let gone = "/products/01930000-0000-7000-8000-000000000001";
    let _ = shop.change(gone, None, 5).await.problem(404, "product_not_found");
    let _ = shop.spread(gone, 5).await.problem(404, "product_not_found");
    for items in [0, 65, 1000] {
        let answer = shop.spread(&product, items).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/items"]);
        assert!(!answer.body.to_string().contains("u8"), "{}", answer.body);
    }
    assert_eq!(shop.read(&product).await.body["stock"], 10);
}

#[tokio::test]
async fn sales_are_no_reason_to_refuse_an_edit_and_another_edit_is() {
    let shop = Shop::open().await;
    let product = shop.product(Some(10)).await;
    let loaded = shop.read(&product).await;
    assert_eq!(loaded.header("etag"), Some("\"1.10\""));
    shop.sell(&product, 1).await;
    let sold = shop.read(&product).await;
    assert_eq!(sold.header("etag"), Some("\"1.9\""), "another representation");
    assert_eq!(
        (&sold.body["version"], &sold.body["updatedAt"]),
        (&json!(1), &loaded.body["updatedAt"])
    );
    let renamed =
        shop.patch(&product, json!({ "name": "Ristretto" }), "\"1.10\"").await.expect(200);
    assert_eq!(renamed.header("etag"), Some("\"2.9\""));
    for outdated in ["\"1.10\"", "\"1.9\"", "\"1\"", "\"02.9\"", "W/\"2.9\""] {
        let refused = shop.patch(&product, json!({ "name": "Lungo" }), outdated).await;
        let _ = refused.problem(412, "version_mismatch");
    }
    let _ = shop.patch(&product, json!({ "name": "Lungo" }), "\"2\"").await.expect(200);
}

#[tokio::test]
async fn a_product_that_is_taken_off_sale_is_not_available_and_keeps_its_stock() {
    let shop = Shop::open().await;
    let product = shop.product(Some(10)).await;
    let off = shop.patch(&product, json!({ "selling": false }), "*").await.expect(200);
    assert_eq!(
        (&off.body["selling"], &off.body["available"], &off.body["stock"]),
        (&json!(false), &json!(false), &json!(10))
    );
    let listed = shop.api.get("/products?category=coffee").send().await.expect(200).body;
    assert_eq!(listed["items"][0]["available"], json!(false));
    assert_eq!(listed["items"][0].get("stock"), None);
    let on = shop.patch(&product, json!({ "selling": true }), "*").await.expect(200);
    assert_eq!(on.body["available"], json!(true));
}

#[tokio::test]
async fn a_product_can_be_added_before_its_sale_starts() {
    let shop = Shop::open().await;
    let body = json!({
        "name": "Espresso", "category": "coffee", "price": 1890, "currency": "EUR", "stock": 10,
        "selling": false,
    });
    let added = shop.api.post("/products").by(shop.admin).json(body).send().await.expect(201);
    let product = added.header("location").unwrap();
    let seen = shop.read(product).await.body;
    assert_eq!((&seen["selling"], &seen["available"]), (&json!(false), &json!(false)));
    let started = shop.patch(product, json!({ "selling": true }), "*").await.expect(200);
    assert_eq!(
        (&started.body["selling"], &started.body["available"], &started.body["stock"]),
        (&json!(true), &json!(true), &json!(10))
    );
}

#[tokio::test]
async fn a_product_can_be_spread_and_gathered_again_without_losing_a_piece() {
    let shop = Shop::open().await;
    for stock in [None, Some(0), Some(100)] {
        let product = shop.product(stock).await;
        for items in [16, 64, 3, 3, 1] {
            let spread = shop.spread(&product, items).await.expect(200);
            assert_eq!(spread.body, json!({ "items": items }));
            assert_eq!(shop.read(&product).await.body["stock"], json!(stock));
            // All items get the new price and the stock.
            for change in [json!({ "price": items }), json!({ "stock": stock })] {
                let changed = shop.patch(&product, change, "*").await.expect(200);
                assert_eq!(changed.body["stock"], json!(stock));
            }
            if stock != Some(0) {
                shop.sell(&product, 5).await;
            }
            if stock == Some(100) {
                let _ = shop.change(&product, None, 5).await.expect(200);
            }
        }
        let _ = shop.api.delete(&product).by(shop.admin).send().await.expect(204);
        let partition = format!("PRODUCT#{}", &product["/products/".len()..]);
        let mut left = shop.database.items().await.into_iter();
        assert!(!left.any(|item| item["PK"].as_s().unwrap().starts_with(&partition)));
    }
}
