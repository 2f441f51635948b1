mod availability;
mod costs;
mod stock;

use storefront_core::schema::ItemType;
use storefront_core::{
    Currency, Error, NewProduct, PageRequest, ProductChanges, ProductId, UserId,
};

use crate::items;
use storefront_testing::new_product;

use crate::shop::{Shop, category};

pub(crate) use costs::measure;

/// Adds a product with all its attributes.
pub(crate) async fn put_example(shop: &Shop) {
    let description = Some("Dark".parse().unwrap());
    let product = NewProduct { description, ..new_product(1890, Some(5)) };
    shop.products.create(items::blend(), product).await.unwrap();
}

fn page(limit: u32, after: Option<ProductId>) -> PageRequest<ProductId> {
    PageRequest { limit, after }
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_nothing_else() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, 5).await;
    let changes = ProductChanges {
        description: Some(Some("Dark".parse().unwrap())),
        price: Some(1990),
        currency: Some(Currency::USD),
        stock: Some(None),
        ..ProductChanges::default()
    };
    let changed = shop.products.update(blend.id, changes, None).await.unwrap();
    assert_eq!(changed.stock, None);
    let product = changed.product;
    assert_eq!(product.name, blend.name);
    assert_eq!(product.description.unwrap().as_str(), "Dark");
    assert_eq!((product.price, product.currency), (1990, Currency::USD));
    assert_eq!((product.selling, product.version), (true, 2));
    let changes = ProductChanges {
        description: Some(None),
        stock: Some(Some(3)),
        ..ProductChanges::default()
    };
    let changed = shop.products.update(blend.id, changes, Some(2)).await.unwrap();
    assert_eq!((changed.product.description, changed.stock), (None, Some(3)));
}

#[tokio::test]
async fn a_change_of_category_moves_the_product() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, 5).await;
    let changes = ProductChanges { category: Some(category(" Tea ")), ..ProductChanges::default() };
    let moved = shop.products.update(blend.id, changes, None).await.unwrap();
    let coffee = shop.products.list(&category("coffee"), page(10, None)).await.unwrap();
    assert!(coffee.items.is_empty());
    let tea = shop.products.list(&category("tea"), page(10, None)).await.unwrap();
    assert_eq!(tea.items, [moved.product]);
}

#[tokio::test]
async fn a_wrong_version_and_a_missing_product_are_rejected() {
    let shop = Shop::open().await;
    let blend = shop.product(1890, 5).await;
    let cheaper = || ProductChanges { price: Some(1), ..ProductChanges::default() };
    assert!(matches!(
        shop.products.update(blend.id, cheaper(), Some(2)).await,
        Err(Error::VersionMismatch { current: 1 })
    ));
    assert!(matches!(
        shop.products.delete(blend.id, Some(2)).await,
        Err(Error::VersionMismatch { current: 1 })
    ));
    shop.products.delete(blend.id, Some(1)).await.unwrap();
    assert!(matches!(shop.products.delete(blend.id, None).await, Err(Error::ProductNotFound)));
    assert!(matches!(
        shop.products.update(blend.id, cheaper(), None).await,
        Err(Error::ProductNotFound)
    ));
    assert_eq!(shop.products.find(blend.id).await.unwrap(), None);
}

#[tokio::test]
async fn pages_hold_every_product_of_the_category_once_and_the_last_has_no_next() {
    let shop = Shop::open().await;
    let mut coffees = Vec::new();
    for price in 0..6 {
        coffees.push(shop.product(price, None).await);
    }
    let tea = NewProduct { category: category("tea"), ..new_product(1, None) };
    shop.products.create(ProductId::new(), tea).await.unwrap();
    let coffee = category("coffee");
    let first = shop.products.list(&coffee, page(3, None)).await.unwrap();
    let second = shop.products.list(&coffee, page(3, first.next)).await.unwrap();
    assert_eq!([first.items, second.items].concat(), coffees);
    assert_eq!(second.next, None, "a full last page has no next page");
}

#[tokio::test]
async fn a_page_beyond_one_megabyte_is_not_cut() {
    let shop = Shop::open().await;
    for price in 0..100 {
        let long = NewProduct {
            // 20 KB each: the page is 2 MB, two answers of DynamoDB.
            description: Some("🍵".repeat(5000).parse().unwrap()),
            ..new_product(price, None)
        };
        shop.products.create(ProductId::new(), long).await.unwrap();
    }
    let all = shop.products.list(&category("coffee"), page(100, None)).await.unwrap();
    assert_eq!(all.items.len(), 100);
    assert_eq!(all.next, None);
}

#[tokio::test]
async fn a_product_is_added_once_for_each_key_and_user() {
    let shop = Shop::open().await;
    let (anna, ben) = (UserId::new(), UserId::new());
    let add = async |user, key: &str, price| {
        let (id, key) = (ProductId::new(), key.parse().unwrap());
        shop.products.create_once(id, new_product(price, Some(5)), user, key).await
    };
    let first = add(anna, "k", 100).await.unwrap();
    assert!(!first.replayed);
    let renamed =
        ProductChanges { name: Some("Dark".parse().unwrap()), ..ProductChanges::default() };
    let renamed = shop.products.update(first.value.product.id, renamed, None).await.unwrap();
    let again = add(anna, "k", 100).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, renamed, "as it is now");

    let other = add(anna, "k", 200).await;
    assert!(matches!(other, Err(Error::IdempotencyKeyReused)), "{other:?}");
    for (user, key) in [(anna, "l"), (ben, "k")] {
        assert!(!add(user, key, 100).await.unwrap().replayed);
    }
    shop.products.delete(first.value.product.id, None).await.unwrap();
    let gone = add(anna, "k", 100).await;
    assert!(matches!(gone, Err(Error::ProductNotFound)), "{gone:?}");
    assert_eq!(shop.count(ItemType::Product).await, 2);
}

#[tokio::test]
async fn a_key_stands_for_one_request_whatever_it_asks_for() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let key = || "k".parse().unwrap();
    let blend = shop.products.create_once(ProductId::new(), new_product(100, None), anna.id, key());
    let blend = blend.await.unwrap().value.product;
    let order = shop.place_as("k", &anna, &[(&blend, 1)]).await;
    assert!(matches!(order, Err(Error::IdempotencyKeyReused)), "{order:?}");
    shop.place_as("l", &anna, &[(&blend, 1)]).await.unwrap();
    let (id, new, key) = (ProductId::new(), new_product(100, None), "l".parse().unwrap());
    let added = shop.products.create_once(id, new, anna.id, key).await;
    assert!(matches!(added, Err(Error::IdempotencyKeyReused)), "{added:?}");
}
