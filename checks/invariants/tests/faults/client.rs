mod orders;
mod products;
mod users;

use std::sync::Arc;
use std::time::Duration;

use storefront_core::ProductId;
use storefront_invariants::{Deed, Moment, Shop};
use storefront_testing::{Answer, Persona, Request};
use tokio::time::{Instant, sleep};

use crate::schedule::World;

/// Asks for one thing after another, each time for what its random numbers say.
pub(crate) struct Client {
    shop: Shop,
    world: Arc<World>,
    random: fastrand::Rng,
    /// How long an answer may take, where the clock is not the machine's.
    longest_answer: Option<Duration>,
}

impl Client {
    pub(crate) fn new(shop: Shop, world: Arc<World>, random: fastrand::Rng) -> Self {
        Self { shop, world, random, longest_answer: None }
    }

    /// Complains of answers that take longer.
    pub(crate) fn with_longest_answer(self, longest: Duration) -> Self {
        Self { longest_answer: Some(longest), ..self }
    }

    pub(crate) async fn run(mut self, requests: usize) {
        for _ in 0..requests {
            sleep(Duration::from_millis(self.random.u64(..40))).await;
            if self.world.has_passwords && self.random.u8(..100) < 25 {
                Box::pin(self.use_a_password()).await;
            } else {
                Box::pin(self.act()).await;
            }
        }
    }

    async fn act(&mut self) {
        match self.random.u8(..100) {
            0..36 => Box::pin(self.place_order()).await,
            36..56 => Box::pin(self.change_status()).await,
            56..66 => Box::pin(self.change_product()).await,
            66..71 => Box::pin(self.create_product()).await,
            71..73 => Box::pin(self.delete_product()).await,
            73..79 => Box::pin(self.change_user()).await,
            79..83 => Box::pin(self.assign_role()).await,
            83..86 => Box::pin(self.delete_user()).await,
            _ => Box::pin(self.read()).await,
        }
    }

    /// What hashes a password takes its time, however simulated the clock is.
    async fn use_a_password(&mut self) {
        match self.random.u8(..100) {
            0..40 => Box::pin(self.change_oneself()).await,
            40..80 => Box::pin(self.log_in()).await,
            _ => Box::pin(self.register()).await,
        }
    }

    async fn read(&mut self) {
        let customer = self.customer();
        let id = self.product();
        let order = self.random.choice(self.world.orders.lock().unwrap().clone());
        let request = match (self.random.u8(..6), order) {
            (0, _) => self.shop.orders.get("/orders?limit=3").by(customer),
            (1, _) => self.shop.products.get("/products?category=coffee&limit=2"),
            (2, _) => self.shop.products.get(format!("/products/{id}")),
            (3, _) => {
                let email = self.wanted_email();
                self.shop.users.get(format!("/users?email={email}")).by(self.world.admin)
            }
            (4, Some((id, owner))) => self.shop.orders.get(format!("/orders/{id}")).by(owner),
            _ => self.shop.users.get("/users/me").by(customer),
        };
        self.ask(Deed::Read, request).await;
    }

    /// The version to expect in half of the cases: what is read, or now and then the first.
    async fn expected(&mut self, read: Request) -> Option<u64> {
        match self.random.u8(..8) {
            0 => Some(1),
            1..4 => self.ask(Deed::Read, read).await.body["version"].as_u64(),
            _ => None,
        }
    }

    async fn ask(&self, deed: Deed, request: Request) -> Answer {
        let (asked, started) = (self.world.ledger.now(), Instant::now());
        let answer = request.send().await;
        self.check(deed, asked, &answer, started);
        answer
    }

    fn check(&self, deed: Deed, asked: Moment, answer: &Answer, started: Instant) {
        let took = started.elapsed();
        if self.longest_answer.is_some_and(|longest| took > longest) {
            self.complain(format!("{deed:?} was answered {} after {took:?}", answer.status));
        }
        self.world.ledger.note(deed, asked, answer);
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
}

fn if_match(request: Request, version: Option<u64>) -> Request {
    match version {
        Some(version) => request.header("if-match", &format!("\"{version}\"")),
        None => request,
    }
}
