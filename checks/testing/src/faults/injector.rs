use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::Injected;
use super::plan::{Decision, Fault, Plan, Step};
use super::store::{Progress, Reply, Store};

/// Sits between a client and the store, and injects the faults of the plan.
#[derive(Clone, Debug)]
pub(super) struct Injector {
    store: Arc<Store>,
    plan: Plan,
    injected: Arc<Injected>,
}

/// The outcome of a request, as the client sees it.
pub(super) enum Outcome {
    Answered(Reply),
    /// The answer breaks off in the middle.
    BrokenOff(Reply),
    /// The connection is reset.
    Reset,
}

struct Request {
    operation: String,
    body: Value,
    /// The token of a transaction.
    token: Option<String>,
}

impl Injector {
    pub(super) fn new(store: Arc<Store>, plan: Plan, injected: Arc<Injected>) -> Self {
        Self { store, plan, injected }
    }

    pub(super) async fn serve(&self, operation: &str, body: &[u8]) -> Outcome {
        let body: Value = serde_json::from_slice(body).expect("the SDK sends JSON");
        let request = Request {
            operation: operation.to_owned(),
            token: body["ClientRequestToken"].as_str().map(str::to_owned),
            body,
        };
        let Decision { step, before, after, random } = self.plan.decide(operation);
        sleep(before).await;
        let outcome = match step {
            None => self.apply(&request).into(),
            Some(Step::Answer(refusal)) => {
                Outcome::Answered(Reply { status: 400, body: (*refusal).clone() })
            }
            Some(Step::Preceded(by)) => {
                let other = self.store.apply(operation, &by(request.body.clone()));
                assert_eq!(other.status, 200, "the other request succeeds: {:?}", other.body);
                self.apply(&request).into()
            }
            Some(Step::Early(item_type)) => {
                let mut reply = self.apply(&request);
                for items in reply.body["Responses"].as_object_mut().into_iter().flatten() {
                    if let Some(items) = items.1.as_array_mut() {
                        items.retain(|item| item["_type"]["S"] != item_type);
                    }
                }
                reply.into()
            }
            Some(Step::Fault(fault)) => self.inject(fault, &request, random).await,
        };
        sleep(after).await;
        outcome
    }

    fn apply(&self, request: &Request) -> Reply {
        if self.progress(request) == Some(Progress::InProgress) {
            let message = "The transaction with the given request token is already in progress.";
            return refusal("TransactionInProgressException", message);
        }
        self.store.apply(&request.operation, &request.body)
    }

    /// The progress of an earlier attempt of this transaction.
    fn progress(&self, request: &Request) -> Option<Progress> {
        self.store.progress(request.token.as_deref()?)
    }

    async fn inject(&self, fault: Fault, request: &Request, mut random: fastrand::Rng) -> Outcome {
        if !self.can_happen(fault, request) {
            return self.apply(request).into();
        }
        // These two count themselves, because they may turn out to change nothing.
        if !matches!(fault, Fault::ConflictBeside | Fault::Unprocessed) {
            self.injected.count(fault);
        }
        match fault {
            Fault::ThroughputExceeded => refusal(
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            )
            .into(),
            Fault::Throttled => {
                refusal("ThrottlingException", "Throughput exceeds the current capacity.").into()
            }
            Fault::Conflict => conflict(request, &mut random).into(),
            Fault::ConflictBeside => {
                let mut reply = self.apply(request);
                if add_conflicts_beside(&mut reply, &mut random) {
                    self.injected.count(fault);
                }
                reply.into()
            }
            Fault::ServerError => server_error().into(),
            Fault::AppliedServerError => {
                self.apply(request);
                server_error().into()
            }
            Fault::Reset => Outcome::Reset,
            Fault::AppliedReset => {
                self.apply(request);
                Outcome::Reset
            }
            Fault::SlowAnswer => {
                let reply = self.apply(request);
                sleep(self.past_the_timeout(&mut random)).await;
                reply.into()
            }
            Fault::LateWrite => self.apply_late(request, self.past_the_timeout(&mut random)).await,
            Fault::TruncatedBody => Outcome::BrokenOff(self.apply(request)),
            Fault::Unprocessed if request.operation == "BatchWriteItem" => {
                self.write_in_part(request).into()
            }
            Fault::Unprocessed => self.read_in_part(request).into(),
        }
    }

    /// `DynamoDB` recognises a transaction's token before it looks at the items, so a repeated
    /// transaction does not conflict and is not written late.
    fn can_happen(&self, fault: Fault, request: &Request) -> bool {
        match fault {
            Fault::Conflict | Fault::LateWrite => self.progress(request).is_none(),
            _ => true,
        }
    }

    /// A delay that is longer than a client waits for an answer, and may exceed the time in which
    /// it retries at all.
    fn past_the_timeout(&self, random: &mut fastrand::Rng) -> Duration {
        self.plan.patience().mul_f64(1.05 + 2.0 * random.f64())
    }

    /// Applies the request after a delay, even if the client no longer waits for the answer.
    async fn apply_late(&self, request: &Request, delay: Duration) -> Outcome {
        let token = request.token.clone();
        if let Some(token) = &token {
            self.store.set_progress(token, Some(Progress::InProgress));
        }
        let (store, operation, body) =
            (Arc::clone(&self.store), request.operation.clone(), request.body.clone());
        self.store.expect_late_write();
        let applied = tokio::spawn(async move {
            sleep(delay).await;
            if let Some(token) = &token {
                store.set_progress(token, None);
            }
            let reply = store.apply(&operation, &body);
            store.late_write_applied();
            reply
        });
        applied.await.expect("a store does not panic").into()
    }

    /// Writes the first item of a batch, and leaves the others unprocessed.
    fn write_in_part(&self, request: &Request) -> Reply {
        let mut first = request.body.clone();
        let mut left = Value::Null;
        for (table, writes) in first["RequestItems"].as_object_mut().into_iter().flatten() {
            let rest = writes.as_array_mut().map(|writes| writes.split_off(1));
            if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                left[table] = rest.into();
            }
        }
        let mut reply = self.store.apply(&request.operation, &first);
        if reply.status == 200 && !left.is_null() {
            self.injected.count(Fault::Unprocessed);
            reply.body["UnprocessedItems"] = left;
        }
        reply
    }

    /// Reads the first key of a batch, and leaves the others unprocessed.
    fn read_in_part(&self, request: &Request) -> Reply {
        let mut first = request.body.clone();
        let mut left = Value::Null;
        for (table, keys) in first["RequestItems"].as_object_mut().into_iter().flatten() {
            let rest = keys["Keys"].as_array_mut().map(|keys| keys.split_off(1));
            if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
                left[table] = keys.clone();
                left[table]["Keys"] = rest.into();
            }
        }
        let mut reply = self.store.apply(&request.operation, &first);
        if reply.status == 200 && !left.is_null() {
            self.injected.count(Fault::Unprocessed);
            reply.body["UnprocessedKeys"] = left;
        }
        reply
    }
}

/// The answer of `DynamoDB` if another transaction holds one of the items, or one is throttled.
fn conflict(request: &Request, random: &mut fastrand::Rng) -> Reply {
    let Some(actions) = request.body["TransactItems"].as_array() else {
        let message = "Transaction is ongoing for the item.";
        return refusal("TransactionConflictException", message);
    };
    let mut reasons = vec![json!({ "Code": "None" }); actions.len()];
    let codes = [
        "TransactionConflict",
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ];
    for _ in 0..random.usize(1..=2) {
        let code = codes[random.usize(..codes.len())];
        reasons[random.usize(..actions.len())] = json!({ "Code": code, "Message": "…" });
    }
    cancelled(reasons)
}

/// Adds a conflict to some of the actions that did not fail in a cancelled transaction. Returns
/// whether it added any.
fn add_conflicts_beside(reply: &mut Reply, random: &mut fastrand::Rng) -> bool {
    let mut is_changed = false;
    for reason in reply.body["CancellationReasons"].as_array_mut().into_iter().flatten() {
        if reason["Code"] == "None" && random.bool() {
            *reason = json!({ "Code": "TransactionConflict", "Message": "…" });
            is_changed = true;
        }
    }
    is_changed
}

fn cancelled(reasons: Vec<Value>) -> Reply {
    let mut reply = refusal("TransactionCanceledException", "Transaction cancelled.");
    reply.body["CancellationReasons"] = reasons.into();
    reply
}

fn server_error() -> Reply {
    Reply { status: 500, ..refusal("InternalServerError", "Internal server error") }
}

fn refusal(exception: &str, message: &str) -> Reply {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{exception}");
    Reply { status: 400, body: json!({ "__type": kind, "message": message }) }
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Answered(reply)
    }
}
