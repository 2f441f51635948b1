//! Orders that are not paid in time: what makes them overdue, and the function that cancels them.

use std::collections::BTreeSet;
use std::fmt;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use storefront_core::{CancelReason, OrderId, OrderStatus, Timestamp, UserId, Worklist};
use storefront_invariants::Shop;

use super::lists::ShownPage;
use super::order::Order;
use crate::engine::operation::{Call, EntityOperation};
use crate::engine::response::Response;
use crate::engine::script::Nth;
use crate::engine::table::TableItems;
use crate::entities::{Effect, Focus, Model, Operation};

/// What the shop does by itself.
#[derive(Clone, Copy)]
pub(crate) enum ExpiryOperation {
    /// The schedule runs the function.
    Run,
    /// The pending orders of a user have to be paid by now, as when the user is deleted.
    LetExpire { of: Nth<'u'> },
}

/// What goes on while the operations of a step run, apart from what they do at one moment.
#[derive(Clone, Default)]
pub(crate) struct InProgress {
    /// The users whose pending orders are being made overdue, one after the other.
    leaving: BTreeSet<UserId>,
    /// Pending orders that were made overdue, unless they are not pending any more.
    left: BTreeSet<OrderId>,
    /// Whether the expiry runs.
    is_expiring: bool,
    /// The orders that were overdue before it ran, which must be cancelled or paid in the end.
    overdue: BTreeSet<OrderId>,
    /// How many orders expired, less those that the runs counted.
    uncounted: i64,
    /// What pages of worklists have shown and the model has not.
    pub(super) unseen_entries: Vec<(OrderId, Worklist, Value)>,
    pub(super) shown_pages: Vec<ShownPage>,
}

impl EntityOperation for ExpiryOperation {
    fn caller(&self, known: &Model) -> UserId {
        known.users.nth(Nth(0))
    }

    fn run<'a>(&'a self, shop: &'a Shop, known: &'a Model) -> Option<BoxFuture<'a, Response>> {
        let operation = *self;
        Some(Box::pin(async move {
            let outcome = match operation {
                Self::Run => shop.expire_orders().await,
                Self::LetExpire { of } => {
                    let orders = shop.let_expire(known.users.nth(of)).await;
                    orders
                        .map(|count| json!({ "orders": count }))
                        .map_err(|error| error.to_string())
                }
            };
            let failed = |why| Response::without_version(500, json!({ "failed": why }));
            outcome.map_or_else(failed, |body| Response::without_version(200, body))
        }))
    }

    fn begin(&self, model: &mut Model) {
        match *self {
            Self::Run => {
                model.in_progress.is_expiring = true;
                let overdue = model.orders.iter().filter(|(_, order)| order.is_overdue());
                model.in_progress.overdue = overdue.map(|(id, _)| id).collect();
            }
            Self::LetExpire { of } => {
                let user = model.users.nth(of);
                model.let_expire(user);
            }
        }
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let actual = &call.actual.body;
        let body = match *self {
            // How many there are of those that expire is compared at the end of the step.
            Self::Run => {
                let expired = actual["expired"].as_i64().unwrap_or_default();
                model.in_progress.uncounted -= expired;
                json!({ "expired": expired, "failed": 0, "more": false })
            }
            Self::LetExpire { .. } if call.is_concurrent() => {
                json!({ "orders": actual["orders"].as_u64() })
            }
            Self::LetExpire { of } => {
                let pending = model.pending_orders_of(call.known().users.nth(of));
                json!({ "orders": pending.len() })
            }
        };
        Response::without_version(200, body)
    }

    fn rejects_deleted_caller(&self, _call: &Call<'_>) -> bool {
        false
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Run => {}
            Self::LetExpire { of } => *of = focus.user,
        }
    }
}

impl Model {
    /// The pending orders of this user are made overdue until the end of the step.
    pub(in crate::entities) fn let_expire(&mut self, user: UserId) {
        self.in_progress.leaving.insert(user);
        let pending = self.pending_orders_of(user);
        self.in_progress.left.extend(pending);
    }

    fn pending_orders_of(&self, user: UserId) -> Vec<OrderId> {
        let pending = |order: &Order| order.user == user && order.status == OrderStatus::Pending;
        self.orders.iter().filter(|(_, order)| pending(order)).map(|(id, _)| id).collect()
    }

    /// The orders that have expired in this step, as the table shows in the end.
    pub(in crate::entities) fn expirations(&self, table: &TableItems) -> Vec<Effect> {
        let is_expired = |reason: &String| *reason == CancelReason::Expired.to_string();
        let orders = table.values().filter(|item| item["_type"] == "Order");
        let expired = orders.filter(|item| item.get("cancelReason").is_some_and(is_expired));
        let ids = expired.filter_map(|item| item.get("id")?.parse().ok());
        let was_cancelled =
            |id| self.orders.get(id).is_some_and(|order| order.status == OrderStatus::Cancelled);
        ids.filter(|id| !was_cancelled(*id)).map(Effect::Expire).collect()
    }

    /// Cancels an overdue order while the expiry runs. Returns whether that is possible now.
    pub(in crate::entities) fn expire(&mut self, id: OrderId) -> bool {
        let Some(order) = self.orders.get(id) else { return false };
        let is_overdue = order.is_overdue()
            || order.status == OrderStatus::Pending
                && self.in_progress.leaving.contains(&order.user);
        if !is_overdue || !self.in_progress.is_expiring {
            return false;
        }
        self.cancel(id, CancelReason::Expired);
        if let Some(order) = self.orders.get_mut(id) {
            order.version += 1;
            order.was_requested = false;
        }
        self.in_progress.uncounted += 1;
        true
    }

    /// Accepts the time at which a pending order of a leaving user was made overdue, in answers.
    pub(in crate::entities) fn accept_pay_by(&self, expected: &mut Value, actual: &Value) {
        match (expected, actual) {
            (Value::Array(expected), Value::Array(actual)) => {
                for (expected, actual) in expected.iter_mut().zip(actual) {
                    self.accept_pay_by(expected, actual);
                }
            }
            (Value::Object(expected), Value::Object(actual)) => {
                let user = expected.get("userId").and_then(|user| user.as_str()?.parse().ok());
                let is_leaving = user.is_some_and(|user| self.in_progress.leaving.contains(&user));
                let is_pending = expected.get("status").is_some_and(|status| status == "pending");
                if let Some(pay_by) = actual.get("payBy")
                    && is_leaving
                    && is_pending
                    && past(pay_by.as_str()).is_some()
                {
                    expected.insert("payBy".to_owned(), pay_by.clone());
                }
                for (name, expected) in expected {
                    if let Some(actual) = actual.get(name) {
                        self.accept_pay_by(expected, actual);
                    }
                }
            }
            _ => {}
        }
    }

    /// At the end of a step, takes over the times at which orders were made overdue, and checks that none
    /// was left out, neither there nor by the expiry.
    pub(in crate::entities) fn settle_orders(&mut self, table: &TableItems) -> Result<(), String> {
        self.check_shown_pages()?;
        for user in &self.in_progress.leaving {
            for id in self.pending_orders_of(*user) {
                let key = (format!("USER#{user}"), format!("ORDER#{}#{id}", id.created_at()));
                let pay_by = table.get(&key).and_then(|item| item.get("payBy"));
                if let Some(order) = self.orders.get_mut(id)
                    && let Some(pay_by) = past(pay_by.map(String::as_str))
                {
                    order.pay_by = Some(pay_by);
                }
            }
        }
        let is_pending = |order: &Order| order.status == OrderStatus::Pending;
        for (id, order) in self.orders.iter().filter(|(_, order)| is_pending(order)) {
            if self.in_progress.left.contains(&id) && !order.is_overdue() {
                return Err(format!("{id} was not made overdue"));
            }
            if self.in_progress.overdue.contains(&id) {
                return Err(format!("{id} is overdue, and did not expire"));
            }
        }
        match self.in_progress.uncounted {
            0 => Ok(()),
            uncounted => Err(format!("of the orders that expired, {uncounted} were not counted")),
        }
    }
}

impl Order {
    fn is_overdue(&self) -> bool {
        self.status == OrderStatus::Pending
            && self.pay_by.is_some_and(|pay_by| pay_by <= Timestamp::now())
    }
}

/// The time in this text, if it is over.
fn past(time: Option<&str>) -> Option<Timestamp> {
    time?.parse().ok().filter(|time| *time <= Timestamp::now())
}

impl From<ExpiryOperation> for Operation {
    fn from(operation: ExpiryOperation) -> Self {
        Self::Expiry(operation)
    }
}

impl fmt::Debug for ExpiryOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => f.write_str("cancel the overdue orders"),
            Self::LetExpire { of } => write!(f, "let the pending orders of {of:?} expire"),
        }
    }
}
