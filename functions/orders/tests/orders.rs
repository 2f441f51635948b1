//! `/orders`, called with events of API Gateway, on a real table.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use storefront_core::{OrderAccess, OrderRules, Orders, Product, ProductId, Products};
use storefront_http::{MetricSink, with_metrics};
use storefront_orders::ApiDoc;
use storefront_testing::{Answer, Api, CapturedMetrics, Database, Persona, new_product};
use utoipa::OpenApi as _;

/// A shop with an administrator, and two customers.
struct Shop {
    database: Database,
    api: Api,
    admin: Persona,
    anna: Persona,
    ben: Persona,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::start().await;
        let api = Api::new(
            storefront_orders::app(database.table(), OrderRules::default()),
            ApiDoc::openapi,
        );
        let (anna, ben) = (database.customer().await, database.customer().await);
        Self { admin: database.admin().await, database, api, anna, ben }
    }

    fn products(&self) -> Products {
        Products::new(self.database.table())
    }

    async fn product(&self, price: u64, stock: Option<u64>) -> Product {
        self.products().create(ProductId::new(), new_product(price, stock)).await.unwrap().product
    }

    async fn stock(&self, product: &Product) -> Option<u64> {
        self.products().find(product.id).await.unwrap().unwrap().stock
    }

    async fn place(&self, persona: Persona, product: &Product, quantity: u64) -> Answer {
        self.api.post("/orders").by(persona).json(one(product, quantity)).send().await
    }

    async fn change(&self, persona: Persona, order: &Value, status: &str) -> Answer {
        let body = json!({ "status": status });
        self.api.patch(path(order)).by(persona).json(body).send().await
    }
}

fn one(product: &Product, quantity: u64) -> Value {
    json!({ "items": [{ "productId": product.id, "quantity": quantity }] })
}

fn path(order: &Value) -> String {
    format!("/orders/{}", order["id"].as_str().unwrap())
}

#[tokio::test]
async fn an_order_has_the_shops_prices_and_not_the_clients() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, Some(5)).await;
    let placed = shop.place(shop.anna, &blend, 2).await.expect(201);
    assert_eq!(placed.header("location"), Some(path(&placed.body).as_str()));
    assert_eq!(placed.header("etag"), Some("\"1\""));
    assert_eq!(placed.header("idempotency-replayed"), None);
    let mut order = placed.body.clone();
    let fields = order.as_object_mut().unwrap();
    for generated in ["id", "number", "createdAt", "updatedAt"] {
        assert!(fields.remove(generated).unwrap().is_string());
    }
    assert_eq!(
        order,
        json!({
            "userId": shop.anna.user_id, "status": "pending", "payment": "unpaid",
            "refundedAmount": 0, "total": 3780, "currency": "EUR", "version": 1,
            "adjustments": [],
            "items": [{
                "productId": blend.id, "name": "Espresso blend", "quantity": 2, "price": 1890,
            }],
        })
    );
    let mut cheaper = one(&blend, 1);
    cheaper["items"][0]["price"] = json!(1);
    let answer = shop.api.post("/orders").by(shop.anna).json(cheaper).send().await;
    assert_eq!(answer.problem(422, "invalid_body").pointers(), ["/items/0/price"]);
}

#[tokio::test]
async fn an_order_is_seen_by_its_owner_and_by_administrators_only() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, None).await;
    let order = shop.place(shop.anna, &blend, 1).await.expect(201).body;
    for persona in [shop.anna, shop.admin] {
        let read = shop.api.get(path(&order)).by(persona).send().await.expect(200);
        assert_eq!(read.body, order);
        assert_eq!(read.header("etag"), Some("\"1\""));
    }
    let _ = shop.api.get(path(&order)).by(shop.ben).send().await.problem(404, "order_not_found");
    let _ = shop.api.get(path(&order)).send().await.problem(401, "unauthenticated");
    for status in ["paid", "cancelled"] {
        let _ = shop.change(shop.ben, &order, status).await.problem(404, "order_not_found");
    }
}

#[tokio::test]
async fn invalid_items_are_named() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, None).await;
    let place = async |body: Value| {
        shop.api.post("/orders").by(shop.anna).json(body).send().await.problem(422, "invalid_body")
    };
    let body = json!({ "items": [
        { "productId": blend.id, "quantity": 0 },
        { "productId": "x", "quantity": 1000 },
    ] });
    let answer = place(body).await;
    let mut pointers = answer.pointers();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/items/0/quantity", "/items/1/productId", "/items/1/quantity"]);
    assert_eq!(place(json!({ "items": [] })).await.pointers(), ["/items"]);
    assert_eq!(place(json!({})).await.pointers(), ["/items"]);
    assert_eq!(place(json!([[]])).await.pointers(), [""], "an array is not an order");
    let array = json!({ "items": [[blend.id, 1]] });
    assert_eq!(place(array).await.pointers(), ["/items/0"], "an array is not an order item");
    let twice = json!({ "items": [
        { "productId": blend.id, "quantity": 999 }, { "productId": blend.id, "quantity": 1 },
    ] });
    assert_eq!(place(twice).await.pointers(), ["/items"]);
}

#[tokio::test]
async fn products_that_cannot_be_sold_are_named() {
    let shop = Shop::open().await;
    let few = shop.product(100, Some(2)).await;
    let answer = shop.place(shop.anna, &few, 3).await.problem(409, "out_of_stock");
    assert_eq!(
        answer.body["products"],
        json!([{ "productId": few.id, "requested": 3, "available": 2 }])
    );
    shop.products().delete(few.id, None).await.unwrap();
    let answer = shop.place(shop.anna, &few, 1).await.problem(422, "unknown_products");
    assert_eq!(answer.body["products"], json!([{ "productId": few.id }]));
}

#[tokio::test]
async fn forty_nine_products_are_too_many() {
    let shop = Shop::open().await;
    let items: Vec<Value> =
        (0..49).map(|_| json!({ "productId": ProductId::new(), "quantity": 1 })).collect();
    let body = json!({ "items": items });
    let answer = shop.api.post("/orders").by(shop.anna).json(body).send().await;
    let _ = answer.problem(422, "too_many_items");
}

#[tokio::test]
async fn the_same_key_gives_the_same_order() {
    let shop = Shop::open().await;
    let blend = shop.product(100, Some(10)).await;
    let place = |key: &'static str, quantity| {
        let request = shop.api.post("/orders").by(shop.anna).json(one(&blend, quantity));
        request.header("idempotency-key", key).send()
    };
    let first = place("k-1", 2).await.expect(201);
    let again = place("k-1", 2).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.body, first.body);
    let _ = place("k-1", 3).await.problem(422, "idempotency_key_reused");
    assert_eq!(shop.stock(&blend).await, Some(8));
    for bad in ["", "with space", "naïve"] {
        let answer = place(bad, 1).await.problem(400, "invalid_header");
        assert_eq!(answer.pointers(), ["Idempotency-Key"], "{bad}");
    }
}

#[tokio::test]
async fn an_administrator_takes_an_order_from_pending_to_delivered() {
    let shop = Shop::open().await;
    let blend = shop.product(100, Some(10)).await;
    let order = shop.place(shop.anna, &blend, 1).await.expect(201).body;
    for (status, version) in [("paid", 2), ("shipped", 3), ("delivered", 4)] {
        let changed = shop.change(shop.admin, &order, status).await.expect(200);
        assert_eq!(changed.body["status"], status);
        assert_eq!(changed.body["version"], version);
        assert_eq!(changed.body["items"], order["items"]);
        assert_eq!(changed.header("etag"), Some(format!("\"{version}\"").as_str()));
        // A payment may well be reported twice.
        let again = shop.change(shop.admin, &order, status).await.expect(200);
        assert_eq!(again.body, changed.body);
    }
    for status in ["pending", "paid", "cancelled"] {
        let _ = shop.change(shop.admin, &order, status).await.problem(409, "invalid_status_change");
    }
    let answer = shop.change(shop.admin, &order, "lost").await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/status"]);
}

#[tokio::test]
async fn a_customer_may_only_cancel() {
    let shop = Shop::open().await;
    let blend = shop.product(100, Some(10)).await;
    let order = shop.place(shop.anna, &blend, 4).await.expect(201).body;
    let _ = shop.change(shop.anna, &order, "paid").await.problem(403, "forbidden");
    let _ = shop.change(shop.admin, &order, "paid").await.expect(200);
    let cancelled = shop.change(shop.anna, &order, "cancelled").await.expect(200);
    assert_eq!(cancelled.body["status"], "cancelled");
    assert_eq!(shop.stock(&blend).await, Some(10));
    let again = shop.change(shop.anna, &order, "cancelled").await.expect(200);
    assert_eq!(again.body, cancelled.body);
    assert_eq!(shop.stock(&blend).await, Some(10), "it is put back once");
}

#[tokio::test]
async fn if_match_guards_a_status_change() {
    let shop = Shop::open().await;
    let blend = shop.product(100, None).await;
    let order = shop.place(shop.anna, &blend, 1).await.expect(201).body;
    let pay = |tag: &'static str| {
        let request = shop.api.patch(path(&order)).by(shop.admin).json(json!({ "status": "paid" }));
        request.header("if-match", tag).send()
    };
    let _ = pay("\"2\"").await.problem(412, "version_mismatch");
    let _ = pay("W/\"1\"").await.problem(412, "version_mismatch");
    let _ = pay("\"1\"").await.expect(200);
}

#[tokio::test]
async fn orders_are_listed_newest_first_and_by_date() {
    let shop = Shop::open().await;
    let blend = shop.product(100, None).await;
    let mut orders = Vec::new();
    for quantity in 1..=3 {
        let mut order = shop.place(shop.anna, &blend, quantity).await.expect(201).body;
        for only_alone in ["items", "adjustments"] {
            order.as_object_mut().unwrap().remove(only_alone);
        }
        orders.insert(0, order);
    }
    let list = async |persona: Persona, query: &str| {
        shop.api.get(format!("/orders{query}")).by(persona).send().await
    };
    let page = list(shop.anna, "?limit=2").await.expect(200).body;
    assert_eq!(page["items"], json!(orders[..2]));
    let next = format!("?limit=2&cursor={}", page["nextCursor"].as_str().unwrap());
    let page = list(shop.anna, &next).await.expect(200).body;
    assert_eq!(page, json!({ "items": orders[2..] }));

    let of_anna = format!("?userId={}", shop.anna.user_id);
    assert_eq!(list(shop.admin, &of_anna).await.expect(200).body["items"], json!(orders));
    assert_eq!(list(shop.anna, &of_anna).await.expect(200).body["items"], json!(orders));
    assert_eq!(list(shop.ben, "").await.expect(200).body, json!({ "items": [] }));
    let _ = list(shop.ben, &of_anna).await.problem(403, "forbidden");

    let all = list(shop.anna, "?from=2020-01-01T00:00:00Z&to=2999-01-01T00:00:00%2B01:00").await;
    assert_eq!(all.expect(200).body["items"], json!(orders));
    let none = list(shop.anna, "?to=2020-01-01T00:00:00Z").await.expect(200);
    assert_eq!(none.body, json!({ "items": [] }));
    for (query, parameter) in [
        ("?from=yesterday", "from"),
        ("?to=2026-11-22", "to"),
        ("?userId=x", "userId"),
        ("?limit=1000", "limit"),
        ("?status=lost", "status"),
    ] {
        let answer = list(shop.anna, query).await.problem(400, "invalid_query");
        assert_eq!(answer.pointers(), [parameter]);
    }
}

#[tokio::test]
async fn an_order_keeps_the_id_of_the_request_that_changed_it_and_clients_do_not_see_it() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, None).await;
    let order = shop.place(shop.anna, &blend, 1).await.expect(201).body;
    let id = order["id"].as_str().unwrap().parse().unwrap();
    let stored = async || {
        let found = Orders::new(shop.database.table()).find(OrderAccess::Any, id).await;
        found.unwrap().unwrap().order.request_id.unwrap().to_string()
    };
    assert_eq!(stored().await, "JKJaXmPLvHcESHA=");
    let paid = shop.change(shop.admin, &order, "paid").await.expect(200).body;
    assert_eq!(stored().await, "JKJaXmPLvHcESHA=");
    let cancelled = shop.change(shop.anna, &order, "cancelled").await.expect(200).body;
    assert_eq!(stored().await, "JKJaXmPLvHcESHA=");
    for body in [order, paid, cancelled] {
        assert!(body.get("requestId").is_none(), "{body}");
    }
}

#[tokio::test]
async fn a_placed_order_is_counted_and_its_replay_is_not() {
    let shop = Shop::open().await;
    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let api = Api::new(
        with_metrics(storefront_orders::app(shop.database.table(), OrderRules::default()), sink),
        ApiDoc::openapi,
    );
    let _ = api.get("/nowhere").send().await.problem(404, "route_not_found");
    metrics.take();
    let blend = shop.product(1890, Some(5)).await;
    let place = || {
        let request = api.post("/orders").by(shop.anna).json(one(&blend, 2));
        request.header("idempotency-key", "k-1").send()
    };

    let _ = place().await.expect(201);
    let directive = |dimensions: &[&str], metrics: Value| {
        json!({ "CloudWatchMetrics": [{
            "Namespace": "storefront", "Dimensions": [dimensions], "Metrics": metrics,
        }] })
    };
    assert_eq!(
        metrics.take(),
        [
            json!({
                "_aws": directive(&["Route"], json!([
                    { "Name": "ConsumedReadUnits", "Unit": "Count" },
                    { "Name": "ConsumedWriteUnits", "Unit": "Count" },
                ])),
                "ConsumedReadUnits": 2,
                "ConsumedWriteUnits": 10,
                "Route": "POST /orders",
                "function": "orders",
                "request_id": "JKJaXmPLvHcESHA=",
            }),
            json!({
                "_aws": directive(&["Currency"], json!([{ "Name": "OrderValue" }])),
                "Currency": "EUR",
                "OrderValue": 3780,
                "function": "orders",
                "request_id": "JKJaXmPLvHcESHA=",
            }),
            json!({
                "_aws": directive(&[], json!([{ "Name": "OrdersPlaced", "Unit": "Count" }])),
                "OrdersPlaced": 1,
                "function": "orders",
                "request_id": "JKJaXmPLvHcESHA=",
            }),
        ]
    );

    let _ = place().await.expect(200);
    assert_eq!(
        metrics.take(),
        [json!({
            "_aws": directive(&["Route"], json!([{ "Name": "ConsumedReadUnits", "Unit": "Count" }])),
            "ConsumedReadUnits": 3,
            "Route": "POST /orders",
            "function": "orders",
            "request_id": "JKJaXmPLvHcESHA=",
        })]
    );
}

#[tokio::test]
async fn nothing_is_ordered_at_another_total_than_the_customer_has_seen() {
    let shop = Shop::open().await;
    let blend = shop.product(189_000, Some(5)).await;
    let order = |expected_total: Value| {
        let mut body = one(&blend, 2);
        body["expectedTotal"] = expected_total;
        shop.api.post("/orders").by(shop.anna).json(body).send()
    };

    let answer = order(json!(3_780)).await.problem(409, "total_changed");
    assert_eq!((&answer.body["total"], &answer.body["currency"]), (&json!(378_000), &json!("EUR")));
    let products = json!([{ "productId": blend.id, "requested": 2, "price": 189_000 }]);
    assert_eq!(answer.body["products"], products);
    assert_eq!(shop.stock(&blend).await, Some(5));

    for odd in
        [json!(null), json!(-1), json!("3780"), json!(37.8), json!(9_007_199_254_740_992_u64)]
    {
        let answer = order(odd).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/expectedTotal"]);
    }
    assert_eq!(order(json!(378_000)).await.expect(201).body["total"], 378_000);
}

#[tokio::test]
async fn a_total_above_2_to_the_53_is_refused() {
    let shop = Shop::open().await;
    let mut items = Vec::new();
    for _ in 0..10 {
        let product = shop.product(1_000_000_000_000, None).await;
        items.push(json!({ "productId": product.id, "quantity": 999 }));
    }
    let answer =
        shop.api.post("/orders").by(shop.anna).json(json!({ "items": items })).send().await;
    let _ = answer.problem(422, "total_too_large");
}
