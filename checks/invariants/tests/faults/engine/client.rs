use std::sync::Arc;
use std::time::Duration;

use storefront_core::ProductId;
use storefront_invariants::Shop;
use storefront_testing::{Answer, Persona, Request};
use tokio::time::{Instant, sleep};

use super::history::Moment;
use super::schedule::Scenario;
use crate::entities::Operation;

/// Sends one random request after another. Each entity's file has the requests that it can send.
pub(crate) struct Client {
    pub(crate) shop: Shop,
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) random: fastrand::Rng,
    /// The last one that it got of a session of its own, unless that is over.
    pub(crate) refresh_token: Option<String>,
    /// How long an answer may take, if the clock is simulated.
    longest_answer: Option<Duration>,
}

impl Client {
    pub(crate) fn new(shop: Shop, scenario: Arc<Scenario>, random: fastrand::Rng) -> Self {
        Self { shop, scenario, random, refresh_token: None, longest_answer: None }
    }

    /// Counts an answer that takes longer as a violation.
    pub(crate) fn with_longest_answer(self, longest: Duration) -> Self {
        Self { longest_answer: Some(longest), ..self }
    }

    pub(crate) async fn run(mut self, requests: usize) {
        for _ in 0..requests {
            sleep(Duration::from_millis(self.random.u64(..40))).await;
            if self.scenario.uses_passwords && self.random.u8(..100) < 25 {
                Box::pin(self.act_with_password()).await;
            } else {
                Box::pin(self.act()).await;
            }
        }
    }

    pub(crate) async fn send(&self, operation: impl Into<Operation>, request: Request) -> Answer {
        let (sent_at, started) = (self.scenario.history.now(), Instant::now());
        let answer = request.send().await;
        self.record(operation, sent_at, started, &answer);
        answer
    }

    pub(crate) fn record(
        &self,
        operation: impl Into<Operation>,
        sent_at: Moment,
        started: Instant,
        answer: &Answer,
    ) {
        let (operation, took) = (operation.into(), started.elapsed());
        if self.longest_answer.is_some_and(|longest| took > longest) {
            self.report(format!("{operation:?} was answered {} after {took:?}", answer.status));
        }
        self.scenario.history.record(operation, sent_at, answer);
    }

    /// Reports a violation that the history does not show.
    pub(crate) fn report(&self, violation: String) {
        self.scenario.violations.lock().unwrap().push(violation);
    }

    /// The version to expect: in half of the cases none, else the current one or now and then the
    /// first.
    pub(crate) async fn expected_version(&mut self, read: Request) -> Option<u64> {
        match self.random.u8(..8) {
            0 => Some(1),
            1..4 => self.send(Operation::Read, read).await.body["version"].as_u64(),
            _ => None,
        }
    }

    pub(crate) fn customer(&mut self) -> Persona {
        self.scenario.customers[self.random.usize(..self.scenario.customers.len())]
    }

    pub(crate) fn product(&mut self) -> ProductId {
        let products = self.scenario.products.lock().unwrap();
        products[self.random.usize(..products.len())]
    }
}

pub(crate) fn with_if_match(request: Request, version: Option<u64>) -> Request {
    match version {
        Some(version) => request.header("if-match", &format!("\"{version}\"")),
        None => request,
    }
}
