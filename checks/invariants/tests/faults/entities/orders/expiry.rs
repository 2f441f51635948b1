//! Orders that are not paid in time, and the lists of what is to be done.

use futures_util::future::{join, join_all};
use serde_json::Value;
use storefront_core::{CancelReason, Order, OrderId, OrderStatus, Timestamp, UserId, Worklist};
use storefront_testing::faults::{FaultyDynamoDb, Plan};

use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::history::Moment;
use crate::engine::schedule::Scenario;
use crate::entities::users::UserOperation;
use crate::entities::{Operation, Snapshot};

/// The pending orders of a user were made overdue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LetExpire {
    user_id: UserId,
    sent_at: Moment,
    is_acknowledged: bool,
}

/// What a run of the function said, unless it failed.
pub(crate) type ExpiryRun = Result<Value, String>;

impl Client {
    /// Runs the function that cancels overdue orders.
    pub(in crate::entities) async fn run_expiry(&self) {
        let run = self.shop.expire_orders().await;
        self.scenario.expiry_runs.lock().unwrap().push(run);
    }

    /// Makes the orders of a customer overdue, and one of them is paid or cancelled while the function
    /// runs, now and then twice at once.
    pub(in crate::entities) async fn let_expire(&mut self) {
        let Some((id, owner)) = self.order() else { return };
        let sent_at = self.scenario.history.now();
        let outcome = self.shop.let_expire(owner.user_id).await;
        let let_expire =
            LetExpire { user_id: owner.user_id, sent_at, is_acknowledged: outcome.is_ok() };
        self.scenario.let_expire.lock().unwrap().push(let_expire);
        let to = [OrderStatus::Paid, OrderStatus::Cancelled][self.random.usize(..2)];
        let by = self.mover(owner, to);
        let runs = (0..self.random.usize(..3)).map(|_| self.run_expiry());
        let runs = join_all(runs.collect::<Vec<_>>());
        join(runs, self.send_status(id, owner, by, to, None)).await;
    }
}

impl Scenario {
    /// Runs the function once more, without faults: what was left to it is done then.
    pub(crate) async fn expire_the_rest(&self, dynamodb: &FaultyDynamoDb) {
        let run = self.shop_on(&dynamodb.table(&Plan::none())).expire_orders().await;
        if let Ok(run) = &run
            && (run["failed"] != 0 || run["more"] != false)
        {
            self.violations.lock().unwrap().push(format!("without faults, the expiry said {run}"));
        }
        self.expiry_runs.lock().unwrap().push(run);
    }

    /// An order expires once, if it was overdue, and no overdue order is left.
    pub(crate) fn check_expiry(&self, checker: &Checker<'_>, violations: &mut Vec<String>) {
        let (let_expire, orders) = (self.let_expire.lock().unwrap(), &checker.after.orders);
        let is_deleted = |order: &Order| {
            checker.exchanges.iter().any(|exchange| match exchange.operation {
                Operation::User(UserOperation::Delete { id, .. }) => id == order.user_id,
                _ => false,
            })
        };
        let has_left = |order: &Order| {
            let_expire.iter().any(|left| left.user_id == order.user_id) || is_deleted(order)
        };
        let mut expired = 0;
        for order in orders.values() {
            let (id, pay_by) = (order.id, order.pay_by);
            if order.cancel_reason == Some(CancelReason::Expired) {
                expired += 1;
                if !has_left(order) {
                    violations.push(format!("order {id} expired, and was not overdue"));
                }
            } else if order.status == OrderStatus::Pending && pay_by != self.first_pay_by(id) {
                // It would have expired.
                violations.push(format!("order {id} is to be paid by {pay_by:?}"));
            }
        }
        for left in let_expire.iter().filter(|left| left.is_acknowledged) {
            for id in checker.placed_before(left.sent_at) {
                let order = orders.get(&id).filter(|order| order.user_id == left.user_id);
                if order.is_some_and(|order| order.status == OrderStatus::Pending) {
                    violations.push(format!("order {id} was made overdue, and is pending"));
                }
            }
        }
        self.check_expired(expired, violations);
    }

    /// The runs count each expired order once; what could not be written may have been written
    /// nevertheless.
    fn check_expired(&self, expired: u64, violations: &mut Vec<String>) {
        let runs = self.expiry_runs.lock().unwrap();
        let sum = |name: &str| -> u64 {
            let counts = runs.iter().flatten().map(|run| run[name].as_u64().unwrap_or_default());
            counts.sum()
        };
        let counted = sum("expired");
        let is_complete = runs.iter().all(Result::is_ok);
        if expired < counted || is_complete && expired > counted + sum("failed") {
            violations.push(format!("{expired} orders expired, and the runs said {runs:?}"));
        }
    }

    fn first_pay_by(&self, id: OrderId) -> Option<Timestamp> {
        let minutes = i64::from(self.rules.pending_minutes?);
        Timestamp::from_millis(id.created_at().as_millis() + 60_000 * minutes)
    }

    /// Staff's lists have exactly the orders that something is to be done with, as they are.
    pub(crate) async fn check_lists(&self, dynamodb: &FaultyDynamoDb, after: &Snapshot) {
        let shop = self.shop_on(&dynamodb.table(&Plan::none()));
        for list in Worklist::ALL {
            let query = match list {
                Worklist::RefundDue => "payment=refund_due".to_owned(),
                status => format!("status={status}"),
            };
            let request = shop.orders.get(format!("/orders?{query}&limit=100")).by(self.admin);
            let page = request.send().await.body;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let shown: Vec<_> = items
                .iter()
                .map(|item| {
                    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
                    (text("id"), text("status"), text("payment"), item["version"].as_u64())
                })
                .collect();
            let orders = after.orders.values().filter(|order| order.worklist() == Some(*list));
            let expected: Vec<_> = orders
                .map(|order| {
                    let (id, status) = (order.id.to_string(), order.status.to_string());
                    (id, status, order.payment().to_string(), Some(order.version))
                })
                .collect();
            if shown != expected {
                let violation = format!("the list {list} shows {shown:?}, not {expected:?}");
                self.violations.lock().unwrap().push(violation);
            }
        }
    }
}
