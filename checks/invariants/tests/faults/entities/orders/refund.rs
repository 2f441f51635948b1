//! Booking refunds: a ledger of what clients were told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use storefront_core::{OrderId, UserId};

use super::OrderOperation;
use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::history::{Exchange, Outcome};
use crate::entities::Operation;

/// A request to book a refund, and its answer.
#[derive(Clone, Copy)]
struct Refund<'a> {
    id: OrderId,
    amount: u64,
    booked_by: UserId,
    key: &'a str,
    exchange: &'a Exchange,
}

impl Client {
    /// Books a part of what was paid, or all that is left of it. If the outcome is unknown, tries again
    /// with the same key.
    pub(in crate::entities) async fn refund(&mut self) {
        let Some((id, _)) = self.order() else { return };
        let by = self.worker();
        let path = format!("/orders/{id}");
        let read = self.shop.orders.get(&path).by(self.scenario.admin);
        let order = self.send(Operation::Read, read).await.body;
        let left = order["total"].as_u64().unwrap_or(100)
            - order["refundedAmount"].as_u64().unwrap_or_default();
        let number = self.random.u64(..3);
        let amount = match self.random.u8(..8) {
            // Another amount than the key mostly stands for.
            0 => left + 1,
            1..4 => left.max(1),
            _ => 30 + 20 * number,
        };
        let key = match self.random.u8(..4) {
            0 => format!("refund-{id}-{number}"),
            _ => format!("refund-{id}-{number}-{amount}"),
        };
        for _ in 0..3 {
            let request = self.shop.orders.post(format!("{path}/refunds")).by(by);
            let request = request.json(json!({ "amount": amount })).header("idempotency-key", &key);
            let (booked_by, key) = (by.user_id, key.clone());
            let operation = OrderOperation::Refund { id, amount, booked_by, key };
            let answer = self.send(operation, request).await;
            if answer.status != 503 {
                break;
            }
        }
    }
}

impl Checker<'_> {
    /// What was paid back for an order is the sum of the refunds of its keys, each booked once.
    pub(super) fn check_refunds(&self, violations: &mut Vec<String>) {
        self.check_keys_of_refunds(violations);
        for order in self.after.orders.values() {
            let mut sums = BTreeSet::from([0]);
            let booked = self.after.keys_of_refunds.iter().filter(|(_, id)| **id == order.id);
            for ((user, key), _) in booked {
                let amounts = self.amounts(*user, key);
                sums = sums
                    .iter()
                    .flat_map(|sum| amounts.iter().map(move |amount| sum + amount))
                    .collect();
            }
            let (id, refunded) = (order.id, order.refunded_amount);
            if !sums.contains(&refunded) {
                violations
                    .push(format!("order {id} was paid back {refunded}, not one of {sums:?}"));
            }
        }
    }

    /// What the refund with this key may have been: what was acknowledged, or else any that was sent.
    fn amounts(&self, booked_by: UserId, key: &str) -> BTreeSet<u64> {
        let with_outcome = |outcome| -> BTreeSet<u64> {
            let of_key = self.refunds().filter(|refund| {
                (refund.booked_by, refund.key) == (booked_by, key)
                    && refund.exchange.outcome() == outcome
            });
            of_key.map(|refund| refund.amount).collect()
        };
        let acknowledged = with_outcome(Outcome::Acknowledged);
        if acknowledged.is_empty() { with_outcome(Outcome::Unknown) } else { acknowledged }
    }

    /// A key books one refund, once, and leaves a record.
    fn check_keys_of_refunds(&self, violations: &mut Vec<String>) {
        let mut answers: BTreeMap<(UserId, &str), Vec<Refund<'_>>> = BTreeMap::new();
        for refund in self.refunds() {
            if refund.exchange.outcome() == Outcome::Acknowledged {
                answers.entry((refund.booked_by, refund.key)).or_default().push(refund);
            }
        }
        for ((user, key), answers) in answers {
            let replayed = Some("true");
            let is_replayed = |refund: &&Refund<'_>| {
                refund.exchange.answer.header("idempotency-replayed") == replayed
            };
            let booked = answers.len() - answers.iter().filter(is_replayed).count();
            let refunds: BTreeSet<_> =
                answers.iter().map(|refund| (refund.id, refund.amount)).collect();
            let recorded = self.after.keys_of_refunds.get(&(user, key.to_owned()));
            if booked > 1 || refunds.len() > 1 || recorded != refunds.first().map(|(id, _)| id) {
                violations.push(format!(
                    "key {key} booked {booked} of the refunds {refunds:?}; recorded is {recorded:?}"
                ));
            }
            for Refund { amount, exchange, .. } in answers {
                let body = &exchange.answer.body;
                if body["refundedAmount"].as_u64() < Some(amount) {
                    violations.push(format!("a refund of {amount} was answered {body}"));
                }
            }
        }
        for ((user, key), id) in &self.after.keys_of_refunds {
            let was_asked_for = self.refunds().any(|refund| {
                (refund.booked_by, refund.key, refund.id) == (*user, key, *id)
                    && refund.exchange.outcome() != Outcome::Rejected
            });
            if !was_asked_for {
                violations.push(format!("key {key} refunded order {id}, and was refused"));
            }
        }
    }

    fn refunds(&self) -> impl Iterator<Item = Refund<'_>> {
        self.exchanges.iter().filter_map(|exchange| match &exchange.operation {
            Operation::Order(OrderOperation::Refund { id, amount, booked_by, key }) => {
                Some(Refund { id: *id, amount: *amount, booked_by: *booked_by, key, exchange })
            }
            _ => None,
        })
    }
}
