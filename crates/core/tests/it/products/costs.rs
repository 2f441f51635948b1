use storefront_core::{PageRequest, ProductChanges, ProductId, UserId};

use crate::access_patterns::Costs;
use crate::shop::{Shop, category, new_product};

pub(crate) async fn measure(costs: &mut Costs) {
    let shop = Shop::open().await;
    let add = shop.products.create(ProductId::new(), new_product(100, None));
    // The item at two units, and its copy in GSI1.
    let product = costs.measure("add, delete a product", 1, add).await.unwrap();
    let delete = shop.products.delete(product.id, None);
    costs.measure("add, delete a product", 1, delete).await.unwrap();

    let (user, key) = (UserId::new(), "first".parse().unwrap());
    let add = shop.products.create_once(ProductId::new(), new_product(100, None), user, key);
    let name = "add, delete a product … with an idempotency key";
    let added = costs.measure(name, 1, add).await.unwrap();
    shop.products.delete(added.product.id, None).await.unwrap();

    let blend = shop.product(100, 10).await;
    let found = costs.measure("product by id", 1, shop.products.find(blend.id)).await;
    assert!(found.unwrap().is_some());
    let missing = shop.products.find(ProductId::new());
    let found = costs.measure("product by id … that does not exist", 2, missing).await;
    assert!(found.unwrap().is_none());

    let changes = ProductChanges { price: Some(1), ..ProductChanges::default() };
    let change = shop.products.update(blend.id, changes, None);
    costs.measure("change a product", 2, change).await.unwrap();

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
