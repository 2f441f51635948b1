use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use storefront_core::aws;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is rejected with `ProvisionedThroughputExceededException`.
    ThroughputExceeded,
    /// It is rejected with `ThrottlingException`.
    Throttled,
    /// Another request writes the same items: a transaction is cancelled for a conflict or for
    /// throttling, a single write is rejected with `TransactionConflictException`. Nothing is
    /// applied.
    Conflict,
    /// A transaction that is cancelled for a failed condition reports conflicts as well. One that
    /// is not cancelled is applied normally: `DynamoDB` does not invent failed conditions.
    ConflictBeside,
    /// `InternalServerError`; nothing is applied.
    ServerError,
    /// It is applied and answered with `InternalServerError`.
    AppliedServerError,
    /// The connection is reset; nothing is applied.
    Reset,
    /// It is applied, and the connection is reset.
    AppliedReset,
    /// It is applied, but the answer comes after the client's attempt has timed out.
    SlowAnswer,
    /// It is applied after the client's attempt has timed out. Until then, a transaction with the
    /// same token is answered with `TransactionInProgressException`.
    LateWrite,
    /// It is applied, and the answer breaks off.
    TruncatedBody,
    /// A batch is read or written only in part.
    Unprocessed,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 12] = [
        Self::ThroughputExceeded,
        Self::Throttled,
        Self::Conflict,
        Self::ConflictBeside,
        Self::ServerError,
        Self::AppliedServerError,
        Self::Reset,
        Self::AppliedReset,
        Self::SlowAnswer,
        Self::LateWrite,
        Self::TruncatedBody,
        Self::Unprocessed,
    ];
}

/// Decides for each request what goes wrong with it. Clones share their decisions.
#[derive(Clone)]
pub struct Plan {
    decider: Arc<Mutex<Decider>>,
    patience: Duration,
}

enum Decider {
    /// Random faults, with odds out of 100.
    Seeded { random: fastrand::Rng, odds: u8 },
    /// Faults for the next requests of an operation.
    Scripted(Vec<Script>),
}

struct Script {
    operation: &'static str,
    remaining: u32,
    step: Step,
}

/// What a script does with a request.
#[derive(Clone)]
pub(super) enum Step {
    Fault(Fault),
    /// Nothing is applied; the answer is this error.
    Answer(Arc<Value>),
    /// Another request, derived from this one, is applied first.
    Preceded(fn(Value) -> Value),
    /// A batch does not find items of this type yet.
    Early(&'static str),
}

/// What happens to one request.
pub(super) struct Decision {
    pub(super) step: Option<Step>,
    /// The latency on the way to `DynamoDB`.
    pub(super) before: Duration,
    /// The latency on the way back.
    pub(super) after: Duration,
    /// For the random choices that a fault makes itself.
    pub(super) random: fastrand::Rng,
}

impl Plan {
    /// Nothing goes wrong, and nothing takes time.
    #[must_use]
    pub fn none() -> Self {
        Self::of(Decider::Scripted(Vec::new()))
    }

    /// `odds` of 100 requests go wrong, and each takes some milliseconds. The seed decides both:
    /// the nth request always meets the same fault and delay.
    #[must_use]
    pub fn seeded(seed: u64, odds: u8) -> Self {
        Self::of(Decider::Seeded { random: fastrand::Rng::with_seed(seed), odds })
    }

    fn of(decider: Decider) -> Self {
        Self { decider: Arc::new(Mutex::new(decider)), patience: aws::ATTEMPT_TIMEOUT }
    }

    /// The same plan for a client whose attempts time out after this time.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Injects the fault into the next `times` requests of this operation.
    ///
    /// # Panics
    ///
    /// On a seeded plan, which cannot be scripted.
    pub fn next(&self, operation: &'static str, times: u32, fault: Fault) {
        self.script(operation, times, Step::Fault(fault));
    }

    /// Answers the next `times` requests with this error body, and does not apply them.
    pub fn answer_next(&self, operation: &'static str, times: u32, refusal: Value) {
        self.script(operation, times, Step::Answer(Arc::new(refusal)));
    }

    /// Applies another request, derived from the next one, just before it.
    pub fn precede_next(&self, operation: &'static str, by: fn(Value) -> Value) {
        self.script(operation, 1, Step::Preceded(by));
    }

    /// Makes the next `times` batches read as if items of this type had not been written yet.
    pub fn lose_from_next(&self, operation: &'static str, times: u32, item_type: &'static str) {
        self.script(operation, times, Step::Early(item_type));
    }

    /// Returns how many requests are still to go wrong.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        match &*self.decider() {
            Decider::Scripted(scripts) => scripts.iter().map(|script| script.remaining).sum(),
            Decider::Seeded { .. } => 0,
        }
    }

    /// Stops all faults. Returns how many requests were still to go wrong.
    #[must_use]
    pub fn stop(&self) -> u32 {
        let remaining = self.remaining();
        *self.decider() = Decider::Scripted(Vec::new());
        remaining
    }

    fn script(&self, operation: &'static str, times: u32, step: Step) {
        match &mut *self.decider() {
            Decider::Scripted(scripts) => {
                scripts.push(Script { operation, remaining: times, step });
            }
            Decider::Seeded { .. } => panic!("a seeded plan cannot be scripted"),
        }
    }

    pub(super) fn decide(&self, operation: &str) -> Decision {
        match &mut *self.decider() {
            Decider::Scripted(scripts) => {
                let script = scripts
                    .iter_mut()
                    .find(|script| script.operation == operation && script.remaining > 0);
                let step = script.map(|script| {
                    script.remaining -= 1;
                    script.step.clone()
                });
                Decision {
                    step,
                    before: Duration::ZERO,
                    after: Duration::ZERO,
                    random: fastrand::Rng::with_seed(0),
                }
            }
            Decider::Seeded { random, odds } => {
                let is_faulty = random.u8(..100) < *odds;
                let faults = possible(operation);
                let fault = faults[random.usize(..faults.len())];
                Decision {
                    step: is_faulty.then_some(Step::Fault(fault)),
                    before: Duration::from_millis(random.u64(..20)),
                    after: Duration::from_millis(random.u64(..10)),
                    random: random.fork(),
                }
            }
        }
    }

    fn decider(&self) -> std::sync::MutexGuard<'_, Decider> {
        self.decider.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What can go wrong with this operation.
fn possible(operation: &str) -> &'static [Fault] {
    use Fault::{
        AppliedReset, AppliedServerError, Conflict, ConflictBeside, LateWrite, Reset, ServerError,
        SlowAnswer, Throttled, ThroughputExceeded, TruncatedBody, Unprocessed,
    };
    match operation {
        "GetItem" | "Query" => {
            &[ThroughputExceeded, Throttled, ServerError, Reset, SlowAnswer, TruncatedBody]
        }
        "BatchGetItem" => &[
            ThroughputExceeded,
            Throttled,
            ServerError,
            Reset,
            SlowAnswer,
            TruncatedBody,
            Unprocessed,
            Unprocessed,
        ],
        "BatchWriteItem" => &[
            ThroughputExceeded,
            Throttled,
            ServerError,
            AppliedServerError,
            Reset,
            AppliedReset,
            SlowAnswer,
            LateWrite,
            TruncatedBody,
            Unprocessed,
            Unprocessed,
        ],
        "TransactWriteItems" => &[
            ThroughputExceeded,
            Throttled,
            Conflict,
            Conflict,
            ConflictBeside,
            ConflictBeside,
            ServerError,
            AppliedServerError,
            Reset,
            AppliedReset,
            SlowAnswer,
            LateWrite,
            TruncatedBody,
        ],
        _ => &[
            ThroughputExceeded,
            Throttled,
            Conflict,
            ServerError,
            AppliedServerError,
            Reset,
            AppliedReset,
            SlowAnswer,
            LateWrite,
            TruncatedBody,
        ],
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plan(…)")
    }
}
