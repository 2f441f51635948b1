use std::collections::BTreeMap;

use serde_json::{Value, json};
use storefront_core::OrderStatus;
use storefront_invariants::Deed;

use super::{Client, if_match};

impl Client {
    /// With a key mostly; who is left in the dark tries again with the same one.
    pub(super) async fn place_order(&mut self) {
        let customer = self.customer();
        let key = (self.random.u8(..100) < 70).then(|| format!("key-{}", self.random.u8(..6)));
        let mut items = BTreeMap::new();
        for _ in 0..self.random.usize(1..=3) {
            items.insert(self.product(), self.random.u32(1..=3));
        }
        for _ in 0..3 {
            let body: Vec<Value> = items
                .iter()
                .map(|(id, quantity)| json!({ "productId": id.to_string(), "quantity": quantity }))
                .collect();
            let mut request =
                self.shop.orders.post("/orders").json(json!({ "items": body })).by(customer);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            let deed = Deed::PlaceOrder {
                user_id: customer.user_id,
                key: key.clone(),
                items: items.clone(),
            };
            let answer = self.ask(deed, request).await;
            if answer.status == 201 {
                let id = answer.body["id"].as_str().unwrap().parse().unwrap();
                self.world.orders.lock().unwrap().push((id, customer));
            }
            if answer.status != 503 || self.random.bool() {
                break;
            }
        }
    }

    pub(super) async fn change_status(&mut self) {
        use OrderStatus::{Cancelled, Delivered, Paid, Shipped};
        let orders = self.world.orders.lock().unwrap().clone();
        let Some((id, owner)) = self.random.choice(orders) else { return };
        let to = [Paid, Paid, Shipped, Delivered, Cancelled, Cancelled][self.random.usize(..6)];
        let by = if to == Cancelled && self.random.bool() { owner } else { self.world.admin };
        let path = format!("/orders/{id}");
        let expected = self.expected(self.shop.orders.get(&path).by(by)).await;
        let request = self.shop.orders.patch(&path).json(json!({ "status": to.as_str() })).by(by);
        self.ask(Deed::ChangeStatus { id, to, expected }, if_match(request, expected)).await;
    }
}
