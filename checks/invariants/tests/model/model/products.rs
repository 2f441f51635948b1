use serde_json::{Value, json};
use storefront_core::ProductId;

use super::{Model, Product, Seen, invalid_body, mismatch, misses};
use crate::script::{Fields, category, name};

impl Model {
    pub(super) fn create_product(&mut self, fields: Fields, came: &Seen) -> Seen {
        let id = came.new_id(&self.known.products);
        let product = Product {
            name: name(fields.name.unwrap_or_default()),
            category: category(fields.category.unwrap_or_default()).1,
            price: fields.price.unwrap_or_default(),
            currency: fields.currency.unwrap_or("EUR"),
            stock: fields.stock.flatten(),
            version: 1,
        };
        let seen = Seen::new(201, product.body(id), 1).at(format!("/products/{id}"));
        self.products.insert(id, product);
        self.known.products.push(id);
        seen
    }

    pub(super) fn show_product(&self, id: ProductId) -> Seen {
        match self.products.get(&id) {
            Some(product) => Seen::new(200, product.body(id), product.version),
            None => no_product(),
        }
    }

    pub(super) fn change_product(
        &mut self,
        id: ProductId,
        fields: Fields,
        expected: Option<u64>,
    ) -> Seen {
        if fields.is_empty() {
            return invalid_body();
        }
        let Some(product) = self.products.get_mut(&id) else { return no_product() };
        if misses(expected, product.version) {
            return mismatch();
        }
        if let Some(number) = fields.name {
            product.name = name(number);
        }
        if let Some(number) = fields.category {
            product.category = category(number).1;
        }
        product.price = fields.price.unwrap_or(product.price);
        product.currency = fields.currency.unwrap_or(product.currency);
        product.stock = fields.stock.unwrap_or(product.stock);
        product.version += 1;
        Seen::new(200, product.body(id), product.version)
    }

    pub(super) fn delete_product(&mut self, id: ProductId, expected: Option<u64>) -> Seen {
        let Some(product) = self.products.get(&id) else { return no_product() };
        if misses(expected, product.version) {
            return mismatch();
        }
        self.products.remove(&id);
        Seen::without_version(204, Value::Null)
    }

    /// Oldest first.
    pub(super) fn list_products(&self, number: u8, limit: usize, only_first: bool) -> Seen {
        let of_category =
            self.products.iter().filter(|(_, product)| product.category == category(number).1);
        let items: Vec<_> = of_category.map(|(id, product)| product.body(*id)).collect();
        Seen::pages(&items, limit, only_first)
    }
}

impl Product {
    fn body(&self, id: ProductId) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "description": null,
            "category": self.category,
            "price": self.price,
            "currency": self.currency,
            "stock": self.stock,
            "version": self.version,
            "createdAt": id.created_at(),
        })
    }
}

impl Fields {
    fn is_empty(self) -> bool {
        self.name.is_none()
            && self.category.is_none()
            && self.price.is_none()
            && self.currency.is_none()
            && self.stock.is_none()
    }
}

fn no_product() -> Seen {
    Seen::problem(404, "product_not_found")
}
