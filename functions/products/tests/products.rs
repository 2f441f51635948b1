//! `/products`, called with events of API Gateway, on a real table.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use storefront_core::schema;
use storefront_http::{MetricSink, with_metrics};
use storefront_products::ApiDoc;
use storefront_testing::{Api, CapturedLog, CapturedMetrics, Database, Persona, unreachable_table};
use utoipa::OpenApi as _;

/// A shop with its administrator.
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

    async fn product(&self, name: &str) -> Value {
        let body = json!({ "name": name, "category": "coffee", "price": 1890, "currency": "EUR" });
        self.api.post("/products").by(self.admin).json(body).send().await.expect(201).body
    }
}

fn path(product: &Value) -> String {
    format!("/products/{}", product["id"].as_str().unwrap())
}

/// A product as lists show it.
fn without_stock(product: &Value) -> Value {
    let mut product = product.clone();
    product.as_object_mut().unwrap().remove("stock").unwrap();
    product
}

#[tokio::test]
async fn an_administrator_adds_a_product_that_anyone_reads() {
    let shop = Shop::open().await;
    let body = json!({
        "name": "Espresso blend", "description": "Dark", "category": " Coffee ", "price": 1890,
        "currency": "EUR", "stock": 5,
    });
    let created = shop.api.post("/products").by(shop.admin).json(body).send().await.expect(201);
    assert_eq!(created.header("etag"), Some("\"1.5\""));
    assert_eq!(created.header("location"), Some(path(&created.body).as_str()));
    let mut product = created.body.clone();
    for generated in ["id", "createdAt", "updatedAt"] {
        assert!(product.as_object_mut().unwrap().remove(generated).unwrap().is_string());
    }
    assert_eq!(
        product,
        json!({
            "name": "Espresso blend", "description": "Dark", "category": "coffee", "price": 1890,
            "currency": "EUR", "selling": true, "available": true, "stock": 5, "version": 1,
        })
    );
    let read = shop.api.get(path(&created.body)).send().await.expect(200);
    assert_eq!(read.body, created.body);
    assert_eq!(read.header("etag"), Some("\"1.5\""));
}

#[tokio::test]
async fn absent_fields_of_a_product_are_null() {
    let shop = Shop::open().await;
    let product = shop.product("Tea").await;
    assert_eq!(product["description"], Value::Null);
    assert_eq!(product["stock"], Value::Null);
}

#[tokio::test]
async fn only_administrators_write() {
    let shop = Shop::open().await;
    let product = shop.product("Espresso").await;
    let anna = Persona::user();
    let requests = || {
        [
            shop.api.post("/products").json(json!({})),
            shop.api.patch(path(&product)).json(json!({ "price": 1 })),
            shop.api.delete(path(&product)),
            shop.api.post(path(&product) + "/stock-changes").json(json!({ "change": 1 })),
            shop.api.put(path(&product) + "/stock-spread").json(json!({ "items": 2 })),
        ]
    };
    for request in requests() {
        let _ = request.by(anna).send().await.problem(403, "forbidden");
    }
    for request in requests() {
        let _ = request.send().await.problem(401, "unauthenticated");
    }
    assert_eq!(shop.api.get(path(&product)).send().await.body, product);
}

#[tokio::test]
async fn every_invalid_field_is_named() {
    let shop = Shop::open().await;
    let body = json!({
        "name": " ", "description": "x".repeat(5001), "category": "", "price": 1_000_000_000_001_u64,
        "currency": "euro", "stock": 1_000_000_000_001_u64,
    });
    let answer = shop.api.post("/products").by(shop.admin).json(body).send().await;
    let mut answer = answer.problem(422, "invalid_body");
    answer.body["errors"].as_array_mut().unwrap().sort_by_key(|error| error["pointer"].to_string());
    assert_eq!(
        answer.pointers(),
        ["/category", "/currency", "/description", "/name", "/price", "/stock"]
    );
}

#[tokio::test]
async fn bodies_of_the_wrong_shape_are_rejected_with_a_pointer() {
    let shop = Shop::open().await;
    let valid = json!({ "name": "n", "category": "c", "price": 1, "currency": "EUR" });
    for (field, value, pointer) in [
        ("price", json!(-1), "/price"),
        ("price", json!(18.9), "/price"),
        ("price", json!("1890"), "/price"),
        ("stock", json!("many"), "/stock"),
        ("name", json!(null), "/name"),
        ("name", json!("null\u{0}byte"), "/name"),
        ("colour", json!("blue"), "/colour"),
    ] {
        let mut body = valid.clone();
        body[field] = value;
        let answer = shop.api.post("/products").by(shop.admin).json(body).send().await;
        let answer = answer.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), [pointer]);
    }
    let missing = json!({ "name": "n", "category": "c", "price": 1 });
    let answer = shop.api.post("/products").by(shop.admin).json(missing).send().await;
    assert_eq!(answer.problem(422, "invalid_body").pointers(), ["/currency"]);
}

#[tokio::test]
async fn prices_are_in_money_and_not_in_gold_or_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("Espresso").await;
    for code in ["XXX", "XAU", "XTS", "USN", "eur"] {
        let body = json!({ "name": "n", "category": "c", "price": 1, "currency": code });
        let answers = [
            shop.api.post("/products").by(shop.admin).json(body).send().await,
            shop.api
                .patch(path(&product))
                .by(shop.admin)
                .json(json!({ "currency": code }))
                .send()
                .await,
        ];
        for answer in answers {
            assert_eq!(answer.problem(422, "invalid_body").pointers(), ["/currency"], "{code}");
        }
    }
    for code in ["JPY", "KWD"] {
        let body = json!({ "name": "n", "category": "c", "price": 1500, "currency": code });
        let created = shop.api.post("/products").by(shop.admin).json(body).send().await.expect(201);
        assert_eq!(created.body["currency"], code);
    }
}

#[tokio::test]
async fn a_product_is_added_once_however_often_it_is_sent_with_one_key() {
    let shop = Shop::open().await;
    let add = |key: &str, name: &str| {
        let body = json!({ "name": name, "category": "coffee", "price": 1890, "currency": "EUR" });
        let request = shop.api.post("/products").by(shop.admin).json(body);
        request.header("idempotency-key", key).send()
    };
    let first = add("k-1", "Espresso").await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = add("k-1", "Espresso").await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some(path(&first.body).as_str()));
    assert_eq!(again.header("etag"), Some("\"1\""));
    assert_eq!(again.body, first.body);
    let _ = add("k-1", "Ristretto").await.problem(422, "idempotency_key_reused");
    let _ = add("k 1", "Espresso").await.problem(400, "invalid_header");
    let listed = shop.api.get("/products?category=coffee").send().await.expect(200).body;
    assert_eq!(listed["items"], json!([without_stock(&first.body)]));

    let _ = shop.api.delete(path(&first.body)).by(shop.admin).send().await.expect(204);
    let _ = add("k-1", "Espresso").await.problem(404, "product_not_found");
}

#[tokio::test]
async fn a_change_keeps_absent_fields_and_null_clears_a_field() {
    let shop = Shop::open().await;
    let product = shop.product("Espresso").await;
    let change =
        async |body: Value| shop.api.patch(path(&product)).by(shop.admin).json(body).send().await;
    let changed = change(json!({ "stock": 7, "description": "Dark" })).await.expect(200);
    assert_eq!(changed.body["stock"], 7);
    assert_eq!(changed.body["description"], "Dark");
    assert_eq!(changed.body["name"], "Espresso");
    assert_eq!(changed.header("etag"), Some("\"2.7\""));
    let changed = change(json!({ "stock": null, "description": null })).await.expect(200);
    assert_eq!(changed.body["stock"], Value::Null);
    assert_eq!(changed.body["description"], Value::Null);
    let rejected = change(json!({ "price": null })).await.problem(422, "invalid_body");
    assert_eq!(rejected.pointers(), ["/price"]);
    let rejected = change(json!({})).await.problem(422, "invalid_body");
    assert_eq!(rejected.pointers(), [""]);
    let rejected = change(json!({ "id": "x" })).await.problem(422, "invalid_body");
    assert_eq!(rejected.pointers(), ["/id"]);
}

#[tokio::test]
async fn if_match_guards_changes_and_deletions() {
    let shop = Shop::open().await;
    let product = shop.product("Espresso").await;
    let patch = |tag: &'static str| {
        let body = json!({ "price": 1 });
        shop.api.patch(path(&product)).by(shop.admin).json(body).header("if-match", tag).send()
    };
    let delete = |tag: &'static str| {
        shop.api.delete(path(&product)).by(shop.admin).header("if-match", tag).send()
    };
    let _ = patch("\"2\"").await.problem(412, "version_mismatch");
    let _ = patch("1").await.problem(400, "invalid_header");
    let _ = patch("\"1\"").await.expect(200);
    let _ = delete("\"1\"").await.problem(412, "version_mismatch");
    let deleted = delete("\"2\"").await.expect(204);
    assert_eq!(deleted.body, Value::Null);
    let _ = delete("*").await.problem(404, "product_not_found");
    let _ = shop.api.get(path(&product)).send().await.problem(404, "product_not_found");
}

#[tokio::test]
async fn a_category_is_listed_in_pages() {
    let shop = Shop::open().await;
    let mut expected = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        expected.push(without_stock(&shop.product(name).await));
    }
    let mut found = Vec::new();
    let mut next = String::new();
    for length in [2, 2, 1] {
        let query = format!("/products?category=COFFEE&limit=2{next}");
        let page = shop.api.get(query).send().await.expect(200).body;
        let items = page["items"].as_array().unwrap();
        assert_eq!(items.len(), length);
        found.extend(items.clone());
        next =
            page["nextCursor"].as_str().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    }
    assert_eq!(found, expected);
    assert_eq!(next, "", "the last page has no next one");
    let tea = shop.api.get("/products?category=tea").send().await.expect(200);
    assert_eq!(tea.body, json!({ "items": [] }));
}

#[tokio::test]
async fn the_parameter_of_an_invalid_query_is_named() {
    let shop = Shop::open().await;
    for (query, parameter) in [
        ("", "category"),
        ("?category=", "category"),
        ("?category=coffee&limit=0", "limit"),
        ("?category=coffee&limit=101", "limit"),
        ("?category=coffee&limit=many", "limit"),
        ("?category=coffee&sort=price", "sort"),
    ] {
        let answer = shop.api.get(format!("/products{query}")).send().await;
        let answer = answer.problem(400, "invalid_query");
        assert_eq!(answer.pointers(), [parameter], "{query}");
    }
    for cursor in ["x", "!!!", "AAAAAAAAAAAAAAAAAAAAAA", "e30"] {
        let query = format!("/products?category=coffee&cursor={cursor}");
        let _ = shop.api.get(query).send().await.problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn an_invalid_or_unknown_id_is_404() {
    let shop = Shop::open().await;
    for id in
        ["x", "01930000-0000-7000-8000-000000000001", "9b2f6f0e-5f0a-4c3f-9d7e-0a4a3c1d2e3f", "%00"]
    {
        let answer = shop.api.get(format!("/products/{id}")).send().await;
        let _ = answer.problem(404, "product_not_found");
    }
}

#[tokio::test]
async fn an_unreachable_database_is_a_503_that_says_when_to_try_again() {
    let api = Api::new(storefront_products::app(unreachable_table()), ApiDoc::openapi);
    let answer = api.get("/products?category=coffee").send().await.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert!(!answer.body.to_string().contains("127.0.0.1"));
}

#[tokio::test]
async fn a_product_that_cannot_be_read_is_left_out_of_the_list_logged_and_counted() {
    let shop = Shop::open().await;
    let (odd, other) = (shop.product("Odd").await, shop.product("Other").await);
    let (pk, id) = (format!("PRODUCT#{}", odd["id"].as_str().unwrap()), odd["id"].clone());
    let items = shop.database.items().await;
    let is_it = |item: &schema::Item| item["PK"].as_s() == Ok(&pk) && item.contains_key("version");
    let mut item = items.into_iter().find(is_it).unwrap();
    item.insert("price".to_owned(), item["name"].clone());
    shop.database.put(item).await;

    let metrics = CapturedMetrics::default();
    let sink = MetricSink::new("storefront", metrics.clone());
    let app = with_metrics(storefront_products::app(shop.database.table()), sink);
    let api = Api::new(app, ApiDoc::openapi);
    metrics.take();
    let log = CapturedLog::start();

    let page = api.get("/products?category=coffee&limit=2").send().await.expect(200).body;
    let other = without_stock(&other);
    assert_eq!(page["items"], json!([other]));
    assert_eq!(page["nextCursor"], Value::Null);
    let [line] = &log.lines("an item of a list cannot be read and was left out")[..] else {
        panic!("one line: {}", log.text())
    };
    assert_eq!((&line["item.pk"], &line["item.sk"]), (&json!(pk), &json!("METADATA")));
    assert_eq!(line["level"], "ERROR");
    assert!(line["error"].as_str().unwrap().contains("Expected num"), "{line}");
    let counted: Vec<_> =
        metrics.take().iter().filter_map(|line| line["UnreadableItems"].as_f64()).collect();
    assert_eq!(counted, [1.0]);

    let first = api.get("/products?category=coffee&limit=1").send().await.expect(200).body;
    assert_eq!(first["items"], json!([]));
    let path =
        format!("/products?category=coffee&cursor={}", first["nextCursor"].as_str().unwrap());
    let second = api.get(path).send().await.expect(200).body;
    assert_eq!(second["items"], json!([other]));

    let path = format!("/products/{}", id.as_str().unwrap());
    let _ = api.get(path).send().await.problem(500, "internal");
}

#[tokio::test]
async fn a_category_is_one_list_whichever_way_it_is_written() {
    let shop = Shop::open().await;
    let add = async |category: &str| {
        let body = json!({ "name": "n", "category": category, "price": 1, "currency": "EUR" });
        shop.api.post("/products").by(shop.admin).json(body).send().await
    };
    for category in ["Caf\u{E9}", "Cafe\u{301}", " CAFE\u{301} "] {
        assert_eq!(add(category).await.expect(201).body["category"], "café");
    }
    for category in ["Straße", "STRASSE"] {
        let _ = add(category).await.expect(201);
    }
    for category in ["caf\u{200B}é", "a\u{202E}b", "a\nb"] {
        let answer = add(category).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/category"], "{category:?}");
    }
    for (query, count) in [("cafe%CC%81", 3), ("CAF%C3%89", 3), ("strasse", 2), ("stra%C3%9Fe", 2)]
    {
        let listed = shop.api.get(format!("/products?category={query}")).send().await.expect(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), count, "{query}");
    }
    let answer = shop.api.get("/products?category=caf%E2%80%8B%C3%A9").send().await;
    let _ = answer.problem(400, "invalid_query");
}

#[tokio::test]
async fn a_products_texts_show_what_they_say() {
    let shop = Shop::open().await;
    let product = shop.product("Cre\u{300}me").await;
    assert_eq!(product["name"], "Crème");
    for name in ["a\nb", "\u{200B}", "a\u{202E}b"] {
        let change = shop.api.patch(path(&product)).by(shop.admin).json(json!({ "name": name }));
        let answer = change.send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/name"], "{name:?}");
    }
    let change = json!({ "description": "Cre\u{300}me\n\tbrûlée" });
    let answer =
        shop.api.patch(path(&product)).by(shop.admin).json(change).send().await.expect(200);
    assert_eq!(answer.body["description"], "Crème\n\tbrûlée");
}
