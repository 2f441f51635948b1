use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use storefront_core::aws;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It is refused with `ProvisionedThroughputExceededException`.
    ThroughputExceeded,
    /// It is refused with `ThrottlingException`.
    Throttled,
    /// Another writes the same items: a transaction is cancelled for a conflict or for throttling,
    /// a single write is refused with `TransactionConflictException`. Nothing is applied.
    Conflict,
    /// A transaction that is cancelled for a failed condition has conflicts beside it. One that is
    /// not cancelled is applied as ever: `DynamoDB` does not make conditions up.
    ConflictBeside,
    /// `InternalServerError`; nothing is applied.
    ServerError,
    /// It is applied and answered with `InternalServerError`.
    AppliedServerError,
    /// The connection is reset; nothing is applied.
    Reset,
    /// It is applied, and the connection is reset.
    AppliedReset,
    /// It is applied, and answered after the client has given the try up.
    SlowAnswer,
    /// It is applied after the client has given the try up. Meanwhile a transaction's token is
    /// answered with `TransactionInProgressException`.
    LateWrite,
    /// It is applied, and the answer breaks off.
    TruncatedBody,
    /// A batch is read, or written, in part only.
    Unprocessed,
}

impl Fault {
    /// Each of them.
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
    /// With these odds out of 100.
    Seeded { random: fastrand::Rng, odds: u8 },
    /// The next so many requests for an operation.
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
    /// Nothing is applied; the answer is this refusal.
    Answer(Arc<Value>),
    /// Another's request is applied first, made of this one.
    Preceded(fn(Value) -> Value),
    /// A batch does not find the items of this type yet.
    Early(&'static str),
}

/// What happens to one request.
pub(super) struct Decision {
    pub(super) step: Option<Step>,
    /// On its way to `DynamoDB`.
    pub(super) before: Duration,
    /// On the way back.
    pub(super) after: Duration,
    /// What a fault makes its own choices with.
    pub(super) random: fastrand::Rng,
}

impl Plan {
    /// Nothing goes wrong, and nothing takes time.
    #[must_use]
    pub fn none() -> Self {
        Self::of(Decider::Scripted(Vec::new()))
    }

    /// So many of 100 requests go wrong, and each takes some milliseconds, as the seed has it. The
    /// nth request that is made through it always meets the same.
    #[must_use]
    pub fn seeded(seed: u64, odds: u8) -> Self {
        Self::of(Decider::Seeded { random: fastrand::Rng::with_seed(seed), odds })
    }

    fn of(decider: Decider) -> Self {
        Self { decider: Arc::new(Mutex::new(decider)), patience: aws::ATTEMPT_TIMEOUT }
    }

    /// The same for a client that gives a try up after this time.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Has the next so many requests for this operation go wrong.
    ///
    /// # Panics
    ///
    /// On a seeded plan, which has made its mind up.
    pub fn next(&self, operation: &'static str, times: u32, fault: Fault) {
        self.script(operation, times, Step::Fault(fault));
    }

    /// Has them refused with this body, unapplied.
    pub fn answer_next(&self, operation: &'static str, times: u32, refusal: Value) {
        self.script(operation, times, Step::Answer(Arc::new(refusal)));
    }

    /// Has somebody else's request, made of the next one, come just before it.
    pub fn precede_next(&self, operation: &'static str, by: fn(Value) -> Value) {
        self.script(operation, 1, Step::Preceded(by));
    }

    /// Has the next so many batches read items of this type before they were written.
    pub fn lose_from_next(&self, operation: &'static str, times: u32, item_type: &'static str) {
        self.script(operation, times, Step::Early(item_type));
    }

    /// How many requests are still to go wrong.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        match &*self.decider() {
            Decider::Scripted(scripts) => scripts.iter().map(|script| script.remaining).sum(),
            Decider::Seeded { .. } => 0,
        }
    }

    /// Has nothing go wrong from now on; returns how many requests still should have.
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
            Decider::Seeded { .. } => panic!("a seeded plan cannot be told what to do"),
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
