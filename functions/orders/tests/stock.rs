//! What orders take from the stock and what cancellations put back, with events of API Gateway, on a
//! real table.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use storefront_core::{OrderRules, Product, ProductChanges, ProductId, Products, schema};
use storefront_orders::ApiDoc;
use storefront_testing::{Answer, Api, Database, Persona, new_product};
use utoipa::OpenApi as _;

struct Shop {
    database: Database,
    products: Products,
    api: Api,
    anna: Persona,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::start().await;
        let api = Api::new(
            storefront_orders::app(database.table(), OrderRules::default()),
            ApiDoc::openapi,
        );
        let products = Products::new(database.table());
        Self { anna: database.customer().await, products, database, api }
    }

    async fn product(&self, stock: Option<u64>) -> Product {
        self.products.create(ProductId::new(), new_product(1890, stock)).await.unwrap().product
    }

    async fn stock(&self, product: &Product) -> Option<u64> {
        self.products.find(product.id).await.unwrap().unwrap().stock
    }

    async fn set_stock(&self, product: &Product, stock: Option<u64>) {
        let changes = ProductChanges { stock: Some(stock), ..ProductChanges::default() };
        self.products.update(product.id, changes, None).await.unwrap();
    }

    async fn place(&self, product: &Product, quantity: u64) -> Answer {
        let items = json!([{ "productId": product.id, "quantity": quantity }]);
        self.api.post("/orders").by(self.anna).json(json!({ "items": items })).send().await
    }

    async fn cancel(&self, order: &Value) {
        let path = format!("/orders/{}", order["id"].as_str().unwrap());
        let request = self.api.patch(path).by(self.anna).json(json!({ "status": "cancelled" }));
        let _ = request.send().await.expect(200);
    }

    /// Makes a product one of version 0.1: its stock is an attribute, and it has no stock item.
    async fn as_of_0_1(&self, product: &Product, stock: Option<u64>) {
        self.products.delete(product.id, None).await.unwrap();
        let mut item: schema::Item = schema::Key::product(product.id).into();
        item.extend(
            serde_dynamo::to_item::<_, schema::Item>(json!({
                "_type": "Product", "GSI1PK": "CATEGORY#coffee",
                "GSI1SK": format!("PRODUCT#{}", product.id), "id": product.id, "name": product.name,
                "category": "coffee", "price": product.price, "currency": "EUR", "version": 3,
                "createdAt": product.created_at, "updatedAt": product.updated_at,
            }))
            .unwrap(),
        );
        if let Some(stock) = stock {
            let stock = serde_dynamo::to_attribute_value(stock).unwrap();
            item.insert("stock".to_owned(), stock);
        }
        self.database.put(item).await;
    }

    /// Returns the `stock` of a product's own item.
    async fn stock_of_0_1(&self, product: &Product) -> Option<u64> {
        let key: schema::Item = schema::Key::product(product.id).into();
        let items = self.database.items().await.into_iter();
        let mut items = items.filter(|item| key.iter().all(|(name, value)| &item[name] == value));
        items.next().unwrap().get("stock").map(|stock| stock.as_n().unwrap().parse().unwrap())
    }
}

#[tokio::test]
async fn what_was_not_taken_is_not_put_back() {
    let shop = Shop::open().await;
    let product = shop.product(None).await;
    let order = shop.place(&product, 999).await.expect(201).body;
    shop.set_stock(&product, Some(10)).await;
    shop.cancel(&order).await;
    assert_eq!(shop.stock(&product).await, Some(10));
    let _ = shop.place(&product, 900).await.problem(409, "out_of_stock");
}

#[tokio::test]
async fn what_was_taken_is_put_back_as_far_as_there_is_a_stock() {
    let shop = Shop::open().await;
    let product = shop.product(Some(10)).await;
    let order = shop.place(&product, 4).await.expect(201).body;
    shop.set_stock(&product, None).await;
    let unlimited = shop.place(&product, 999).await.expect(201).body;
    shop.set_stock(&product, Some(3)).await;
    shop.cancel(&order).await;
    shop.cancel(&unlimited).await;
    assert_eq!(shop.stock(&product).await, Some(7));

    let order = shop.place(&product, 7).await.expect(201).body;
    shop.set_stock(&product, None).await;
    shop.cancel(&order).await;
    assert_eq!(shop.stock(&product).await, None);
    let order = shop.place(&product, 7).await.expect(201).body;
    shop.products.delete(product.id, None).await.unwrap();
    shop.cancel(&order).await;
    assert!(shop.products.find(product.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_cancellation_finds_its_way_whatever_the_product_was_spread_over_since() {
    let shop = Shop::open().await;
    for (before, after) in [(1, 16), (16, 1), (16, 4), (4, 64)] {
        let product = shop.product(Some(100)).await;
        shop.products.spread_stock(product.id, before).await.unwrap();
        let mut orders = Vec::new();
        for _ in 0..10 {
            orders.push(shop.place(&product, 3).await.expect(201).body);
        }
        shop.products.spread_stock(product.id, after).await.unwrap();
        assert_eq!(shop.stock(&product).await, Some(70));
        for order in orders {
            shop.cancel(&order).await;
        }
        assert_eq!(shop.stock(&product).await, Some(100), "{before} {after}");
    }
}

#[tokio::test]
async fn the_last_pieces_of_a_spread_product_are_sold_and_not_one_more() {
    let shop = Shop::open().await;
    let product = shop.product(Some(100)).await;
    shop.products.spread_stock(product.id, 64).await.unwrap();
    // Most items have one piece and some have two: they are gathered for each of these orders.
    for _ in 0..14 {
        let _ = shop.place(&product, 7).await.expect(201);
    }
    let refused = shop.place(&product, 3).await.problem(409, "out_of_stock").body;
    assert_eq!(
        refused["products"],
        json!([{ "productId": product.id, "requested": 3, "available": 2 }])
    );
    let _ = shop.place(&product, 1).await.expect(201);
    let _ = shop.place(&product, 1).await.expect(201);
    let _ = shop.place(&product, 1).await.problem(409, "out_of_stock");
    assert_eq!(shop.stock(&product).await, Some(0));
}

#[tokio::test]
async fn a_product_that_is_not_for_sale_is_not_sold_whatever_its_stock() {
    let shop = Shop::open().await;
    for stock in [None, Some(10)] {
        let product = shop.product(stock).await;
        shop.products.spread_stock(product.id, 3).await.unwrap();
        let selling =
            |selling| ProductChanges { selling: Some(selling), ..ProductChanges::default() };
        shop.products.update(product.id, selling(false), None).await.unwrap();
        let refused = shop.place(&product, 1).await.problem(409, "not_for_sale").body;
        assert_eq!(refused["products"], json!([{ "productId": product.id }]));
        shop.products.update(product.id, selling(true), None).await.unwrap();
        let _ = shop.place(&product, 1).await.expect(201);
    }
}

#[tokio::test]
async fn a_stock_item_that_lags_behind_a_price_is_repaired_and_not_sold_at_the_old_price() {
    let shop = Shop::open().await;
    let product = shop.product(Some(100)).await;
    shop.products.spread_stock(product.id, 4).await.unwrap();
    let lagging: Vec<schema::Item> = shop
        .database
        .items()
        .await
        .into_iter()
        .filter(|item| schema::number_of_stock_item(item).is_some_and(|number| number > 0))
        .collect();
    assert_eq!(lagging.len(), 3);
    let changes = ProductChanges { price: Some(2000), ..ProductChanges::default() };
    shop.products.update(product.id, changes, None).await.unwrap();
    for item in lagging {
        shop.database.put(item).await;
    }
    for _ in 0..20 {
        let order = shop.place(&product, 5).await.expect(201).body;
        assert_eq!(order["total"], 10_000);
    }
    assert_eq!(shop.stock(&product).await, Some(0));
}

#[tokio::test]
async fn a_product_of_version_0_1_is_sold_from_its_stock_and_0_1_sells_it_no_more() {
    let shop = Shop::open().await;
    let (counted, unlimited) = (shop.product(None).await, shop.product(None).await);
    shop.as_of_0_1(&counted, Some(5)).await;
    shop.as_of_0_1(&unlimited, None).await;
    let order = shop.place(&counted, 2).await.expect(201).body;
    let _ = shop.place(&counted, 4).await.problem(409, "out_of_stock");
    let _ = shop.place(&unlimited, 999).await.expect(201);
    assert_eq!((shop.stock(&counted).await, shop.stock(&unlimited).await), (Some(3), None));
    for product in [&counted, &unlimited] {
        assert_eq!(shop.stock_of_0_1(product).await, Some(0));
        assert_eq!(shop.products.find(product.id).await.unwrap().unwrap().product.version, 3);
    }
    shop.cancel(&order).await;
    assert_eq!(shop.stock(&counted).await, Some(5));
}

#[tokio::test]
async fn functions_of_0_1_refuse_a_product_that_0_2_has_added() {
    let shop = Shop::open().await;
    for stock in [None, Some(10)] {
        let product = shop.product(stock).await;
        assert_eq!(shop.stock_of_0_1(&product).await, Some(0), "0.1 takes none for unlimited");
        assert_eq!(shop.stock(&product).await, stock);
    }
}

#[tokio::test]
async fn an_order_of_version_0_1_is_put_back_if_its_product_is_counted() {
    let shop = Shop::open().await;
    let (counted, unlimited) = (shop.product(Some(10)).await, shop.product(None).await);
    for (product, expected) in [(&counted, Some(10)), (&unlimited, None)] {
        let order = shop.place(product, 4).await.expect(201).body;
        let items = shop.database.items().await.into_iter();
        let mut items = items.filter(|item| item.contains_key("taken"));
        let mut item = items
            .find(|item| item["productId"].as_s().ok() == Some(&product.id.to_string()))
            .unwrap();
        item.remove("taken");
        item.remove("takenFrom");
        shop.database.put(item).await;
        let stock = shop.stock(product).await;
        shop.as_of_0_1(product, stock).await;
        shop.cancel(&order).await;
        assert_eq!(shop.stock(product).await, expected);
    }
}
