use storefront_core::{PageRequest, ProductChanges, ProductId, UserId};

use crate::access_patterns::Costs;
use storefront_testing::new_product;

use crate::shop::{Shop, category};

pub(crate) async fn measure(costs: &mut Costs) {
    let shop = Shop::open().await;
    Box::pin(measure_adding(costs, &shop)).await;
    Box::pin(measure_reads(costs, &shop)).await;
    Box::pin(measure_changes(costs, &shop)).await;
    Box::pin(measure_stock(costs, &shop)).await;
}

async fn measure_adding(costs: &mut Costs, shop: &Shop) {
    let add = shop.products.create(ProductId::new(), new_product(100, None));
    // The product and its stock item at two units each, and the product's copy in GSI1.
    let added = costs.measure("add a product", 1, add).await.unwrap();
    let delete = shop.products.delete(added.product.id, None);
    costs.measure("delete a product", 2, delete).await.unwrap();

    let (user, key) = (UserId::new(), "first".parse().unwrap());
    let add = shop.products.create_once(ProductId::new(), new_product(100, None), user, key);
    let name = "add a product … with an idempotency key";
    let added = costs.measure(name, 1, add).await.unwrap();
    shop.products.delete(added.value.product.id, None).await.unwrap();
}

async fn measure_reads(costs: &mut Costs, shop: &Shop) {
    let blend = shop.product(100, 10).await;
    let name = "product by id, with its stock";
    let found = costs.measure(name, 1, shop.products.find(blend.id)).await;
    assert!(found.unwrap().is_some());
    let name = "product by id, with its stock … that does not exist";
    let found = costs.measure(name, 2, shop.products.find(ProductId::new())).await;
    assert!(found.unwrap().is_none());
    shop.products.spread_stock(blend.id, 16).await.unwrap();
    let name = "product by id, with its stock … spread over n + 1 items";
    let found = costs.measure_n(name, 15, 2, shop.products.find(blend.id)).await;
    assert_eq!(found.unwrap().unwrap().stock, Some(10));

    shop.products(9).await;
    let coffee = category("coffee");
    let mut after = None;
    // The first page and the last.
    for _ in 0..2 {
        let page = shop.products.list(&coffee, PageRequest { limit: 5, after });
        let page = costs.measure("products of a category, a page of n", 1, page).await.unwrap();
        assert_eq!(page.items.len(), 5);
        after = page.next;
    }
    assert!(after.is_none());
}

async fn measure_changes(costs: &mut Costs, shop: &Shop) {
    let blend = shop.product(100, 10).await;
    for (name, requests, changes) in [
        (
            "change a product's description or category",
            2,
            ProductChanges { description: Some(None), ..ProductChanges::default() },
        ),
        (
            "change a product's name, price, currency or selling",
            2,
            ProductChanges { price: Some(1), ..ProductChanges::default() },
        ),
        (
            "set a product's stock",
            3,
            ProductChanges { stock: Some(Some(7)), ..ProductChanges::default() },
        ),
    ] {
        let change = shop.products.update(blend.id, changes, None);
        costs.measure(name, requests, change).await.unwrap();
    }
}

async fn measure_stock(costs: &mut Costs, shop: &Shop) {
    let blend = shop.product(100, 10).await;
    let change = shop.products.change_stock(blend.id, 50, None);
    costs.measure("change a product's stock", 3, change).await.unwrap();
    let sender = Some((UserId::new(), "first".parse().unwrap()));
    let change = shop.products.change_stock(blend.id, 50, sender);
    let name = "change a product's stock … with an idempotency key";
    costs.measure(name, 3, change).await.unwrap();

    let refresh = shop.products.refresh_availability(blend.id);
    costs.measure("refresh a product's availability", 3, refresh).await.unwrap();

    let spread = shop.products.spread_stock(blend.id, 16);
    let name = "spread a product's stock over n more items";
    costs.measure_n(name, 15, 2, spread).await.unwrap();

    let refresh = shop.products.refresh_availability(blend.id);
    let name = "refresh a product's availability … spread over n + 1 items";
    costs.measure_n(name, 15, 4, refresh).await.unwrap();
}
