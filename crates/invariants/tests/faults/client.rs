use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use storefront_core::{OrderStatus, ProductId};
use storefront_invariants::{Deed, Shop};
use storefront_testing::{Answer, Persona, Request};
use tokio::time::{Instant, sleep};

use crate::schedule::{STEADY, World};

/// A function is cut off after 10 seconds, and then its client gets no problem at all.
const LONGEST_ANSWER: Duration = Duration::from_millis(9_500);

/// Asks for one thing after another, each time for what its random numbers say.
pub(crate) struct Client {
    shop: Shop,
    world: Arc<World>,
    random: fastrand::Rng,
}

impl Client {
    pub(crate) fn new(shop: Shop, world: Arc<World>, random: fastrand::Rng) -> Self {
        Self { shop, world, random }
    }

    pub(crate) async fn run(mut self, requests: usize) {
        for _ in 0..requests {
            sleep(Duration::from_millis(self.random.u64(..40))).await;
            match self.random.u8(..100) {
                0..35 => Box::pin(self.place_order()).await,
                35..55 => Box::pin(self.change_status()).await,
                55..65 => Box::pin(self.change_product()).await,
                65..70 => Box::pin(self.create_product()).await,
                70..72 => Box::pin(self.delete_product()).await,
                72..80 => Box::pin(self.change_user()).await,
                80..83 => Box::pin(self.delete_user()).await,
                83..85 => Box::pin(self.register()).await,
                85..87 => Box::pin(self.log_in()).await,
                _ => Box::pin(self.read()).await,
            }
        }
    }

    /// With a key mostly; who is left in the dark tries again with the same one.
    async fn place_order(&mut self) {
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

    async fn change_status(&mut self) {
        use OrderStatus::{Cancelled, Delivered, Paid, Shipped};
        let orders = self.world.orders.lock().unwrap().clone();
        let Some((id, owner)) = self.random.choice(orders) else { return };
        let to = [Paid, Paid, Shipped, Delivered, Cancelled, Cancelled][self.random.usize(..6)];
        let by = if to == Cancelled && self.random.bool() { owner } else { self.world.admin };
        let request = self.shop.orders.patch(format!("/orders/{id}"));
        let request = request.json(json!({ "status": to.as_str() })).by(by);
        self.ask(Deed::ChangeStatus { id, to }, request).await;
    }

    async fn change_product(&mut self) {
        let id = self.product();
        let sets_stock = self.world.kept_by_hand.contains(&id) && self.random.bool();
        let body = if sets_stock {
            json!({ "stock": self.random.u64(50..200) })
        } else {
            json!({ "price": self.random.u64(1..1_000) })
        };
        let mut request = self.shop.products.patch(format!("/products/{id}"));
        let mut expected = None;
        if self.random.bool() {
            let read = self.shop.products.get(format!("/products/{id}"));
            let answer = self.ask(Deed::Read, read).await;
            expected = answer.body["version"].as_u64();
            if let Some(version) = expected {
                request = request.header("if-match", &format!("\"{version}\""));
            }
        }
        let request = request.json(body).by(self.world.admin);
        self.ask(Deed::ChangeProduct { id, sets_stock, expected }, request).await;
    }

    async fn create_product(&mut self) {
        let stock = self.random.bool().then(|| self.random.u64(1..20));
        let body = json!({
            "name": "Blend", "category": "coffee", "price": 250, "currency": "EUR", "stock": stock,
        });
        let request = self.shop.products.post("/products").json(body).by(self.world.admin);
        let answer = self.ask(Deed::CreateProduct { stock }, request).await;
        if answer.status == 201 {
            let id = answer.body["id"].as_str().unwrap().parse().unwrap();
            self.world.products.lock().unwrap().push(id);
        }
    }

    async fn delete_product(&mut self) {
        let id = self.product();
        let request = self.shop.products.delete(format!("/products/{id}")).by(self.world.admin);
        self.ask(Deed::DeleteProduct { id }, request).await;
    }

    /// The name, or an email that others want as well.
    async fn change_user(&mut self) {
        let id = self.customer().user_id;
        let body = if self.random.bool() {
            json!({ "name": "Anna King" })
        } else {
            json!({ "email": self.wanted_email() })
        };
        let request = self.shop.users.patch(format!("/users/{id}")).json(body).by(self.world.admin);
        self.ask(Deed::ChangeUser { id, expected: None }, request).await;
    }

    async fn delete_user(&mut self) {
        // One customer is spared, so that there is always something to do.
        let id = self.world.customers[self.random.usize(1..self.world.customers.len())].user_id;
        let request = self.shop.users.delete(format!("/users/{id}")).by(self.world.admin);
        self.ask(Deed::DeleteUser { id }, request).await;
    }

    async fn register(&mut self) {
        let email = self.wanted_email();
        let started = Instant::now();
        let answer = self.shop.register(&email).await;
        self.check(&Deed::Register { email }, &answer, started);
    }

    async fn log_in(&mut self) {
        let started = Instant::now();
        let answer = self.shop.log_in(STEADY).await;
        if ![201, 503].contains(&answer.status) {
            self.complain(format!("the right password was answered {}", answer.body));
        }
        self.check(&Deed::LogIn { email: STEADY.to_owned() }, &answer, started);
    }

    async fn read(&mut self) {
        let customer = self.customer();
        let id = self.product();
        let request = match self.random.u8(..4) {
            0 => self.shop.orders.get("/orders?limit=3").by(customer),
            1 => self.shop.products.get("/products?category=coffee&limit=2"),
            2 => self.shop.products.get(format!("/products/{id}")),
            _ => self.shop.users.get("/users/me").by(customer),
        };
        self.ask(Deed::Read, request).await;
    }

    async fn ask(&self, deed: Deed, request: Request) -> Answer {
        let started = Instant::now();
        let answer = request.send().await;
        self.check(&deed, &answer, started);
        answer
    }

    fn check(&self, deed: &Deed, answer: &Answer, started: Instant) {
        let took = started.elapsed();
        if took > LONGEST_ANSWER {
            self.complain(format!("{deed:?} was answered {} after {took:?}", answer.status));
        }
        self.world.ledger.note(deed.clone(), answer);
    }

    fn complain(&self, complaint: String) {
        self.world.complaints.lock().unwrap().push(complaint);
    }

    fn customer(&mut self) -> Persona {
        self.world.customers[self.random.usize(..self.world.customers.len())]
    }

    fn product(&mut self) -> ProductId {
        let products = self.world.products.lock().unwrap();
        products[self.random.usize(..products.len())]
    }

    fn wanted_email(&mut self) -> String {
        format!("wanted-{}@example.com", self.random.u8(..4))
    }
}
