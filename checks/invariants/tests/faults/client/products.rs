use serde_json::json;
use storefront_core::ProductId;
use storefront_invariants::Deed;

use super::{Client, if_match};

impl Client {
    pub(super) async fn change_product(&mut self) {
        let id = self.product();
        let sets_stock = self.world.kept_by_hand.contains(&id) && self.random.bool();
        let body = if sets_stock {
            json!({ "stock": self.random.u64(50..200) })
        } else {
            json!({ "price": self.random.u64(1..1_000), "name": "Crème à café, één kilo" })
        };
        let expected = self.expected_of_product(id).await;
        let request = self.shop.products.patch(format!("/products/{id}"));
        let request = if_match(request.json(body).by(self.world.admin), expected);
        self.ask(Deed::ChangeProduct { id, sets_stock, expected }, request).await;
    }

    pub(super) async fn create_product(&mut self) {
        let stock = self.random.bool().then(|| self.random.u64(1..20));
        let body = json!({
            "name": "Bönchen ☕", "category": "coffee", "price": 250, "currency": "EUR",
            "stock": stock,
        });
        let request = self.shop.products.post("/products").json(body).by(self.world.admin);
        let answer = self.ask(Deed::CreateProduct { stock }, request).await;
        if answer.status == 201 {
            let id = answer.body["id"].as_str().unwrap().parse().unwrap();
            self.world.products.lock().unwrap().push(id);
        }
    }

    pub(super) async fn delete_product(&mut self) {
        let id = self.product();
        let expected = self.expected_of_product(id).await;
        let request = self.shop.products.delete(format!("/products/{id}")).by(self.world.admin);
        self.ask(Deed::DeleteProduct { id, expected }, if_match(request, expected)).await;
    }

    async fn expected_of_product(&mut self, id: ProductId) -> Option<u64> {
        self.expected(self.shop.products.get(format!("/products/{id}"))).await
    }
}
