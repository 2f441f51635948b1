//! Verifies tables in which the stock of products has changed.

use storefront_core::Products;
use storefront_testing::faults::Plan;

use crate::catch_up::{loaded, text};

#[tokio::test]
async fn a_stock_that_changed_in_the_source_is_a_difference_even_if_the_product_was_sold() {
    let shop = loaded().await;
    let products = Products::new(shop.dynamodb.table(&Plan::none()));
    for legacy_id in [3, 4] {
        let id = text(&shop.item("Product", legacy_id), "id").parse().unwrap();
        products.change_stock(id, -1, None).await.unwrap();
    }
    shop.execute("UPDATE products SET stock_count = stock_count - 1 WHERE id = 4").await;
    let said = shop.verify(&[]).await.expect(4);
    let expected = "product 4 Stock differs: legacyQuantity".to_owned();
    assert_eq!(shop.differences(), [expected].into(), "{}", said.text);
}

#[tokio::test]
async fn a_spread_product_has_the_sum_of_its_stock_items() {
    let shop = loaded().await;
    let products = Products::new(shop.dynamodb.table(&Plan::none()));
    let id = text(&shop.item("Product", 3), "id").parse().unwrap();
    products.spread_stock(id, 3).await.unwrap();
    for mode in [&[][..], &["--strict"]] {
        let said = shop.verify(mode).await.expect(0);
        let spread = "spread over several stock items, with the source's stock in all: 1 products";
        assert!(said.text.contains(spread), "{}", said.text);
    }

    products.change_stock(id, -1, None).await.unwrap();
    let said = shop.verify(&[]).await.expect(0);
    let changed = "changed by the shop since: 0 users, 1 products, 0 orders";
    assert!(said.text.contains(changed), "{}", said.text);
    shop.verify(&["--strict"]).await.expect(4);
    assert_eq!(shop.differences(), ["product 3 Stock differs: quantity".to_owned()].into());

    let partition = format!("{}#STOCK#02", text(&shop.item("Stock", 3), "PK"));
    let item = shop.items().remove(&format!("{partition} METADATA#STOCK")).unwrap();
    shop.delete(&item).await;
    shop.verify(&[]).await.expect(4);
    assert_eq!(shop.differences(), ["product 3 Stock missing".to_owned()].into());
}
