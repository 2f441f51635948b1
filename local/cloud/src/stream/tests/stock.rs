//! What the template's filter passes to the consumer that keeps products' availability.

use storefront_core::{
    NewOrder, NewOrderItem, Orders, ProductChanges, ProductId, Products, Role, Table, UserId, aws,
};
use storefront_testing::{Persona, new_product};

use super::super::*;
use super::support::*;

/// A shop, and the consumer's view of its stream.
struct Shop {
    products: Products,
    orders: Orders,
    user: UserId,
    product: ProductId,
    source: Source,
    _setup: Setup,
}

impl Shop {
    async fn open() -> Self {
        let setup = Setup::new().await;
        let url = setup.table.endpoint_url().to_owned();
        let client = aws::dynamodb(&aws::patient_emulator_config(), Some(url));
        let table = Table::new(client, setup.table.table_name());
        let user = Persona::registered(&table, Role::User).await;
        let mapping = mapping_of("AvailabilityFunction");
        Self {
            products: Products::new(table.clone()),
            orders: Orders::new(table),
            user: user.user_id,
            product: ProductId::new(),
            source: Source::new(setup.shard(), Filter::new(&mapping.filters).unwrap()),
            _setup: setup,
        }
    }

    async fn sell(&self, quantity: u32) {
        let items = vec![NewOrderItem { product_id: self.product, quantity }];
        let order = NewOrder {
            idempotency_key: Some(quantity.to_string().parse().unwrap()),
            ..NewOrder::new(self.user, items)
        };
        self.orders.place(order).await.unwrap();
    }

    async fn change(&self, changes: ProductChanges) {
        self.products.update(self.product, changes, None).await.unwrap();
    }

    async fn rename(&self, name: &str) {
        self.change(ProductChanges { name: Some(name.parse().unwrap()), ..Default::default() })
            .await;
    }

    async fn set_stock(&self, stock: Option<u64>) {
        self.change(ProductChanges { stock: Some(stock), ..Default::default() }).await;
    }

    /// Returns the events whose records have passed since the last call.
    fn passed(&mut self) -> Vec<String> {
        let records = self.source.read().unwrap().into_iter();
        let name = |record: Record| record.event["eventName"].as_str().unwrap().to_owned();
        records.map(name).collect()
    }
}

#[tokio::test]
async fn the_filter_passes_what_can_change_availability_and_nothing_else() {
    let mut shop = Shop::open().await;
    let none = [""; 0];
    assert_eq!(shop.passed(), none, "a user");
    let new = new_product(1890, Some(5));
    shop.products.create(shop.product, new).await.unwrap();
    assert_eq!(shop.passed(), ["INSERT"], "of the stock item and not of the product");

    shop.sell(1).await;
    assert_eq!(shop.passed(), none, "four are left");
    shop.products.refresh_availability(shop.product).await.unwrap();
    assert_eq!(shop.passed(), none, "a refresh does not cause another one");
    shop.rename("Ristretto").await;
    assert_eq!(shop.passed(), none, "a new name, with pieces");

    shop.sell(4).await;
    assert_eq!(shop.passed(), ["MODIFY"], "sold out");
    shop.rename("Lungo").await;
    assert_eq!(shop.passed(), none, "a new name, without pieces");
    shop.products.change_stock(shop.product, 3, None).await.unwrap();
    assert_eq!(shop.passed(), ["MODIFY"], "new pieces");

    shop.set_stock(None).await;
    assert_eq!(shop.passed(), ["MODIFY"], "three, and then not counted");
    shop.rename("Doppio").await;
    shop.sell(2).await;
    assert_eq!(shop.passed(), none, "a new name and a sale, not counted");
    shop.set_stock(Some(0)).await;
    assert_eq!(shop.passed(), ["MODIFY"], "counted, and there are none");
    shop.set_stock(None).await;
    assert_eq!(shop.passed(), ["MODIFY"], "none, and then not counted");
    shop.set_stock(Some(2)).await;
    assert_eq!(shop.passed(), ["MODIFY"], "counted, and there are two");

    shop.products.spread_stock(shop.product, 3).await.unwrap();
    assert_eq!(shop.passed(), ["INSERT", "INSERT"], "of further stock items");
    shop.products.delete(shop.product, None).await.unwrap();
    assert_eq!(shop.passed(), ["REMOVE", "REMOVE", "REMOVE"]);
}
