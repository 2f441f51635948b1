//! Reviews: the report in files and in the terminal.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::generate::{Example, Flaw};
use aws_sdk_dynamodb::types::{
    Capacity, GlobalSecondaryIndexDescription as Index, PutRequest, ReturnConsumedCapacity,
    WriteRequest,
};
use serde_json::{Value, json};
use storefront_core::{access_patterns, aws};
use storefront_migrate::{Kind, Reader, Unit};
use storefront_testing::test_table;
use tempfile::TempDir;

use crate::source::{Source, mapping_of, sorted_out};

const INTEGERS: &str = "integer-keys";

/// The report in its three forms.
struct Review {
    text: String,
    json: Value,
    html: String,
    _folder: TempDir,
}

impl Review {
    fn of(source: &Source, example: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        let mapping = mapping.join("migration.toml").display().to_string();
        let (json, html) = (file("review.json"), file("review.html"));
        let output = Command::new(env!("CARGO_BIN_EXE_storefront-migrate"))
            .args(["review", "--mapping", &mapping, "--json", &json, "--html", &html])
            .args(more)
            .env_clear()
            .env("DATABASE_URL", &source.url)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        Self {
            text: String::from_utf8(output.stdout).unwrap(),
            json: serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap(),
            html: fs::read_to_string(&html).unwrap(),
            _folder: folder,
        }
    }

    fn items(&self, name: &str) -> &Value {
        let all = self.json["items"].as_array().unwrap();
        all.iter().find(|items| items["type"] == name).unwrap()
    }

    /// Returns the number of rejects of an entity and a kind.
    fn rejects(&self, entity: &str, kind: &str) -> u64 {
        let all = self.json["rejects"].as_array().unwrap().iter();
        let of_kind = all.filter(|it| it["entity"] == entity && it["kind"] == kind);
        of_kind.map(|it| it["count"].as_u64().unwrap()).sum()
    }
}

async fn units(reader: &mut Reader) -> Vec<Unit> {
    let mut units = Vec::new();
    for kind in Kind::ALL {
        units.extend(sorted_out(reader, kind).await.0);
    }
    units
}

/// Returns a shop with known contents: three users, two products, four orders.
async fn small_shop() -> Source {
    let source = Source::sqlite();
    source.generate(Example::IntegerKeys, 1, 0).await;
    let hash = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    let statements = format!(
        "DELETE FROM customers; DELETE FROM products; DELETE FROM orders; DELETE FROM order_lines; \
         DELETE FROM categories; INSERT INTO categories VALUES (1, 'Coffee'); \
         INSERT INTO customers VALUES \
             (1, 'anna@example.com', 'Anna', 'A', '{hash}', 0, '2026-01-01', '2026-01-01'), \
             (2, ' Anna@Example.com', 'Anna', 'B', '{hash}', 0, '2026-01-02', '2026-01-02'), \
             (3, 'nobody', 'Carla', 'C', '{hash}', 0, '2026-01-03', '2026-01-03'); \
         INSERT INTO products VALUES \
             (10, 1, 'Espresso', 'Strong', 12.3, 5, '2026-01-01', '2026-01-01'), \
             (11, 1, 'Filter', NULL, -1, 5, '2026-01-01', '2026-01-01'); \
         INSERT INTO orders VALUES \
             (100, 1, 'P', 24.6, '2026-02-01', '2026-02-01'), \
             (101, 1, 'P', 12.3, '2026-02-02', '2026-02-02'), \
             (102, 3, 'P', 12.3, '2026-02-03', '2026-02-03'), \
             (103, 1, '?', 12.3, '2026-02-04', '2026-02-04'); \
         INSERT INTO order_lines VALUES \
             (1, 100, 10, 'Espresso', 2, 12.3), (2, 101, 10, 'Espresso', 1, 12.3), \
             (3, 102, 10, 'Espresso', 1, 12.3), (4, 103, 10, 'Espresso', 1, 12.3), \
             (5, 999, 10, 'Espresso', 1, 12.3);"
    );
    source.execute(&statements).await;
    source
}

#[tokio::test]
async fn the_report_on_a_small_shop_is_right_in_every_field() {
    let source = small_shop().await;
    let review = Review::of(&source, INTEGERS, &["--rate", "10"]);
    let json = &review.json;
    assert_eq!(json["source"], "SQLite");
    for (name, items) in [
        ("User", 1),
        ("UniqueEmail", 1),
        ("Product", 1),
        ("Stock", 1),
        ("Order", 3),
        ("OrderItem", 3),
    ] {
        assert_eq!(review.items(name)["items"], items, "{name}");
    }

    let users = &json["ordersPerUser"];
    assert_eq!((&users["collections"], &users["count"]), (&json!(1), &json!(2)));
    assert_eq!((&users["p50"], &users["max"]), (&json!(2), &json!(2)));
    let one_has_two = json!([
        {"from": 0, "to": 0, "collections": 0},
        {"from": 1, "to": 1, "collections": 0},
        {"from": 2, "to": 3, "collections": 1},
    ]);
    assert_eq!(users["buckets"], one_has_two);
    assert_eq!((&users["top"][0]["key"], &users["top"][0]["share"]), (&json!("1"), &json!(1.0)));
    let categories = &json["productsPerCategory"];
    assert_eq!((&categories["top"][0]["key"], &categories["count"]), (&json!("coffee"), &json!(1)));
    assert_eq!(json["soldPerProduct"]["top"][0]["key"], "10");
    assert_eq!(json["soldPerProduct"]["top"][0]["count"], 3);

    let spots = json["hotSpots"].as_array().unwrap();
    let found: Vec<_> = spots
        .iter()
        .map(|spot| (spot["partition"].as_str().unwrap(), spot["perSecond"].as_f64().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("USER#1", 500.0),
            // 26 orders have 13 KB: four units of 4 KB, each at half the price.
            ("USER#1", 1_500.0),
            // No sale writes to the category.
            ("PRODUCT#10", 500.0),
            ("GSI1 CATEGORY#coffee", 2_000.0),
        ]
    );

    assert_eq!(json["sizeLimit"]["limitBytes"], 409_600);
    assert_eq!(json["sizeLimit"]["itemsNear"], 0);
    assert_eq!(json["itemLimit"], json!({"limit": 48, "ordersOver": 0, "mostItems": 0}));
    let collisions = json!({"users": 1, "examples": [["1", "2"]]});
    assert_eq!(json["emailCollisions"], collisions);
    assert_eq!(json["ordersWithoutUser"], json!({"orders": 1, "examples": ["102"]}));
    assert_eq!(
        json["rejects"],
        json!([
            {"entity": "user", "kind": "invalid value", "column": "email", "count": 1, "examples": ["3"]},
            {"entity": "user", "kind": "shared email", "column": null, "count": 1, "examples": ["2"]},
            {"entity": "product", "kind": "out of range", "column": "price", "count": 1, "examples": ["11"]},
            {"entity": "order", "kind": "unknown value", "column": "status", "count": 1, "examples": ["103"]},
            {"entity": "orderItem", "kind": "orphan", "column": "order_id", "count": 1, "examples": ["999"]},
        ])
    );
    assert_eq!(json["remarks"], json!([]));

    // Ten items of less than a kilobyte; five of them in GSI1, and the three orders in GSI2.
    let load = &json["load"];
    assert_eq!((&load["writeUnits"], &load["indexWriteUnits"]), (&json!(10), &json!(8)));
    assert_eq!((&load["rate"], &load["seconds"]), (&json!(10), &json!(1.8)));
    assert!((load["cost"].as_f64().unwrap() - 18.0 * 0.625 / 1e6).abs() < 1e-12);
    let month = &json["month"];
    let total = &json["total"];
    let stored = total["bytes"].as_u64().unwrap() + 1_000;
    assert_eq!(month["storedBytes"], stored);
    let in_index = total["indexBytes"].as_u64().unwrap() + 800;
    assert_eq!(month["indexStoredBytes"], in_index);
    assert_eq!(json["prices"]["region"], "us-east-1");
    assert_eq!(json.get("queries"), None);
}

#[tokio::test]
async fn sizes_and_units_are_what_dynamodb_counts() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let source = Source::sqlite();
        source.generate(example, 60, 0).await;
        // Texts that need several write units, with characters of several bytes.
        let long = match example {
            Example::IntegerKeys => {
                "UPDATE products SET description = replace(hex(zeroblob(750)), '00', 'ä€')"
            }
            Example::UuidKeys => {
                "UPDATE products SET body = replace(hex(zeroblob(750)), '00', 'ä€')"
            }
        };
        source.execute(long).await;
        let name = if example == Example::IntegerKeys { INTEGERS } else { "uuid-keys" };
        let review = Review::of(&source, name, &[]);

        let mut reader = source.reader(mapping_of(example)).await;
        let dynamodb = test_table().await;
        let endpoint_url = Some(dynamodb.endpoint_url().to_owned());
        let client = aws::dynamodb(&aws::patient_emulator_config(), endpoint_url);
        let items: Vec<_> =
            units(&mut reader).await.iter().flat_map(|unit| unit.to_items().unwrap()).collect();
        let (mut table, mut index) = (0.0, 0.0);
        for batch in items.chunks(25) {
            let writes = batch.iter().map(|item| {
                let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
                WriteRequest::builder().put_request(put).build()
            });
            let written = client
                .batch_write_item()
                .request_items(dynamodb.table_name(), writes.collect())
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .send()
                .await
                .unwrap();
            for consumed in written.consumed_capacity() {
                table += consumed.table().unwrap().capacity_units().unwrap();
                let indexes = consumed.global_secondary_indexes().unwrap().values();
                index += indexes.filter_map(Capacity::capacity_units).sum::<f64>();
            }
        }
        assert_eq!(review.json["load"]["writeUnits"].as_f64(), Some(table));
        assert_eq!(review.json["load"]["indexWriteUnits"].as_f64(), Some(index));
        // Each product needs several units.
        let product = &review.items("Product");
        assert!(product["writeUnits"].as_u64() > product["items"].as_u64().map(|items| 3 * items));

        let found = client.describe_table().table_name(dynamodb.table_name()).send().await.unwrap();
        let found = found.table.unwrap();
        assert_eq!(review.json["total"]["items"].as_i64(), found.item_count);
        assert_eq!(review.json["total"]["bytes"].as_i64(), found.table_size_bytes);
        let indexes = found.global_secondary_indexes.unwrap();
        let sum = |of: fn(&Index) -> Option<i64>| indexes.iter().map(of).sum::<Option<i64>>();
        assert_eq!(review.json["total"]["indexItems"].as_i64(), sum(|index| index.item_count));
        assert_eq!(
            review.json["total"]["indexBytes"].as_i64(),
            sum(|index| index.index_size_bytes)
        );
    }
}

#[tokio::test]
async fn every_broken_row_is_counted() {
    let source = Source::sqlite();
    let written = source.generate(Example::IntegerKeys, 2_000, 60).await;
    let flaw = |flaw: Flaw| written.flaws.get(&flaw).copied().unwrap_or(0);
    let review = Review::of(&source, INTEGERS, &[]);
    for (entity, kind, flaws) in [
        ("user", "invalid value", vec![Flaw::InvalidEmail]),
        ("product", "out of range", vec![Flaw::NegativePrice, Flaw::NegativeStock]),
        ("order", "unknown value", vec![Flaw::UnknownStatus]),
        ("order", "orphan", vec![Flaw::NoSuchCustomer]),
        ("order", "no items", vec![Flaw::NoLines]),
        ("order", "too many items", vec![Flaw::TooManyLines]),
        ("order", "out of range", vec![Flaw::NoQuantity]),
        ("order", "other total", vec![Flaw::OtherTotal]),
    ] {
        let expected: u64 = flaws.into_iter().map(flaw).sum();
        assert!(expected > 0);
        assert_eq!(review.rejects(entity, kind), expected, "{entity}: {kind}");
    }
    assert!(review.rejects("orderItem", "orphan") >= flaw(Flaw::OrderGone));
    assert_eq!(review.json["itemLimit"]["ordersOver"], flaw(Flaw::TooManyLines));
    assert_eq!(review.json["itemLimit"]["mostItems"], 60);
    let remarks = review.json["remarks"].as_array().unwrap();
    let remark =
        |kind: &str| remarks.iter().find(|it| it["kind"] == kind).unwrap()["count"].as_u64();
    assert_eq!(remark("needs a new password"), Some(flaw(Flaw::OtherPassword)));
    assert_eq!(remark("has a deleted product"), Some(flaw(Flaw::ProductGone)));
    // Some of the users they collide with have an invalid email, or collide themselves.
    let colliding = review.json["emailCollisions"]["users"].as_u64().unwrap();
    assert!(colliding > 0 && colliding <= flaw(Flaw::CollidingEmail), "{colliding}");

    let uuids = Source::sqlite();
    let written = uuids.generate(Example::UuidKeys, 2_000, 60).await;
    let review = Review::of(&uuids, "uuid-keys", &[]);
    let mixed = written.flaws[&Flaw::MixedCurrencies];
    assert_eq!(review.rejects("order", "mixed currencies"), mixed);
}

#[tokio::test]
async fn the_report_has_no_personal_data_except_keys() {
    let source = Source::sqlite();
    source.generate(Example::IntegerKeys, 500, 100).await;
    let Review { text, json, html, .. } = Review::of(&source, INTEGERS, &[]);
    for report in [text, json.to_string(), html] {
        for personal in ["@shop", "@SHOP", "at example", "$2y$", "$argon2", "Okafor", "Farid"] {
            assert!(!report.contains(personal), "{personal}");
        }
    }
}

#[tokio::test]
async fn the_page_is_self_contained() {
    let source = small_shop().await;
    let html = Review::of(&source, INTEGERS, &[]).html;
    assert!(html.starts_with("<!doctype html>") && html.contains("<span class=\"bar\""));
    for reference in ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "<iframe"] {
        assert!(!html.contains(reference), "{reference}");
    }
    for title in ["Orders per user", "Hot partitions", "What loading costs"] {
        assert!(html.contains(&format!("<h2>{title}</h2>")), "{title}");
    }
}

#[tokio::test]
async fn the_terminal_shows_the_same_figures() {
    let source = small_shop().await;
    let text = Review::of(&source, INTEGERS, &["--rate", "10"]).text;
    for expected in [
        "Read from SQLite: 10 items would be written, 5 rows would be rejected.",
        "WHAT WOULD BE IN THE TABLE",
        "ORDERS PER USER",
        "|           1 |      2 |  2.0 |   2 |   2 |   2 |       2 |",
        "| 1    |      2 | 100.0 % |",
        "| an order has at most 48 items",
        "| no order has more",
        "1 users have an older user's: 2 has that of 1",
        "1 orders belong to rejected users: 102",
        "| user       | invalid value | email    | 3",
        "| order item | orphan        | order_id | 999",
        "10 write units, and 8 for the indexes: 0.0000 USD; 2 s at 10 units a second",
        "us-east-1's list prices of 2026-",
        "PUT /products/{id}/stock-spread",
        "Without requests: to include them, pass today's statements with --queries",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

const EXPORT: &str = "\
query,calls,total_exec_time,rows,stats_since,read_at
SELECT * FROM customers WHERE id = $1,3000000,100.0,3000000,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
INSERT INTO orders (id) VALUES ($1),1000000,50.0,1000000,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
INSERT INTO order_lines (id) VALUES ($1),2000000,50.0,2000000,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
SELECT * FROM orders WHERE state = $1,12,9000.5,4000,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
SELECT * FROM products WHERE title LIKE $1,700,10.0,50,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
SELECT * FROM products WHERE category_id = $1 LIMIT 25,1000000,10.0,25000000,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
VACUUM FULL what is this,1,1.0,0,2026-11-01 00:00:00+00,2026-11-16 00:00:00+00
";

#[tokio::test]
async fn queries_are_matched_to_patterns_and_cost_what_the_patterns_cost() {
    let source = small_shop().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), EXPORT).unwrap();
    let review = Review::of(&source, INTEGERS, &["--queries", file.path().to_str().unwrap()]);
    let queries = &review.json["queries"];
    assert_eq!(queries["format"], "pgStatStatements");
    assert_eq!(queries["seconds"], 15.0 * 86_400.0);
    let patterns = queries["patterns"].as_array().unwrap();
    let expected = access_patterns::all().filter(|pattern| pattern.case.is_none());
    assert!(patterns.iter().map(|it| it["pattern"].as_str()).eq(expected.map(|it| Some(it.name))));
    let calls = |name: &str| {
        patterns.iter().find(|it| it["pattern"] == name).unwrap()["calls"].as_u64().unwrap()
    };
    assert_eq!(calls("user by id"), 3_000_000);
    assert_eq!(calls("place an order of n items"), 3_000_000);
    assert_eq!(calls("products of a category, a page of n"), 1_000_000);
    assert_eq!(calls("product by id, with its stock"), 0);

    let without = queries["withoutPattern"].as_array().unwrap();
    let found: Vec<_> =
        without.iter().map(|it| (it["why"][0].as_str().unwrap(), &it["calls"])).collect();
    assert_eq!(found, [("products by title", &json!(700)), ("orders by state", &json!(12))]);
    assert_eq!(without[1]["milliseconds"], 9000.5);
    assert_eq!(queries["unparsed"][0]["sql"], "VACUUM FULL what is this");

    // Twice the requests of 15 days. A user costs 0.5 read units; an order 0.5 and 4 write units,
    // each of its items 0.5 and 4; a page of 26 products with 9 KB 1.5.
    let month = &queries["month"];
    let near = |found: &Value, expected: f64| {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() < expected * 1e-9, "{found}, not {expected}");
    };
    near(&month["readUnits"], 2e6 * (1.5 + 0.5 + 1.0 + 1.5));
    near(&month["writeUnits"], 2e6 * (4.0 + 8.0));
    near(&month["cost"], 9.0 * 0.125 + 24.0 * 0.625);
    near(&month["uncertainCost"], 3.0 * 0.125);
    assert!(review.text.contains("STATEMENTS WITHOUT AN ACCESS PATTERN"));
    assert!(review.html.contains("orders by state"));
}

#[tokio::test]
async fn other_prices_are_used_and_an_invalid_file_is_named() {
    let source = small_shop().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let prices = Path::new(env!("CARGO_MANIFEST_DIR")).join("prices.toml");
    let prices = fs::read_to_string(prices).unwrap();
    let dearer = prices.replace("write_units_per_million = 0.625", "write_units_per_million = 1e6");
    fs::write(file.path(), &dearer).unwrap();
    let path = file.path().to_str().unwrap();
    let review = Review::of(&source, INTEGERS, &["--prices", path]);
    assert_eq!(review.json["load"]["cost"], 18.0);

    fs::write(file.path(), prices.replace("import_per_gb", "import")).unwrap();
    let mapping =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/integer-keys/migration.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_storefront-migrate"))
        .args(["review", "--mapping", mapping.to_str().unwrap(), "--prices", path])
        .env("DATABASE_URL", &source.url)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("is not a price list") && said.contains("import"), "{said}");
}
