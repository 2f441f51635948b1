use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use storefront_core::{OrderId, OrderStatus, ProductId, UserId};
use storefront_testing::Answer;

use crate::Snapshot;

mod check;

/// What the clients of a shop asked for, and what they were told. With the table as it is when all
/// are done, it tells whether the shop kept its word.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Vec<Entry>>);

/// One request and its answer.
#[derive(Clone, Debug)]
struct Entry {
    deed: Deed,
    answer: Answer,
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Deed {
    Register {
        email: String,
    },
    LogIn {
        email: String,
    },
    /// With the version of `If-Match`, if with one.
    ChangeUser {
        id: UserId,
        expected: Option<u64>,
    },
    DeleteUser {
        id: UserId,
    },
    CreateProduct {
        stock: Option<u64>,
    },
    /// With the version of `If-Match`, if with one.
    ChangeProduct {
        id: ProductId,
        sets_stock: bool,
        expected: Option<u64>,
    },
    DeleteProduct {
        id: ProductId,
    },
    /// Each item is a product and how many of it.
    PlaceOrder {
        user_id: UserId,
        key: Option<String>,
        items: BTreeMap<ProductId, u32>,
    },
    ChangeStatus {
        id: OrderId,
        to: OrderStatus,
    },
    /// What changes nothing.
    Read,
}

/// How an answer leaves what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Done,
    /// It may be done or not: try again.
    Unknown,
    Refused,
}

impl Ledger {
    /// Notes what a client was told.
    pub fn note(&self, deed: Deed, answer: &Answer) {
        let entry = Entry { deed, answer: answer.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// How many answers there were of each status.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<i64, usize> {
        let mut statuses = BTreeMap::new();
        for entry in self.entries() {
            *statuses.entry(entry.answer.status).or_default() += 1;
        }
        statuses
    }

    /// The requests and their answers, one a line, for who looks into a violation.
    #[must_use]
    pub fn history(&self) -> String {
        let line = |Entry { deed, answer }: &Entry| {
            format!("{} <- {deed:?} {}", answer.status, answer.body)
        };
        self.entries().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What the shop told its clients that is not so: a sentence for each violation.
    #[must_use]
    pub fn violations(&self, snapshot: &Snapshot) -> Vec<String> {
        check::violations(&self.entries(), snapshot)
    }

    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Entry {
    fn told(&self) -> Told {
        match self.answer.status {
            200..=299 => Told::Done,
            // It says that nothing was changed.
            503 if self.answer.body["code"] == "contention" => Told::Refused,
            503 => Told::Unknown,
            _ => Told::Refused,
        }
    }

    /// The id in the answer's body.
    fn id<T: std::str::FromStr>(&self) -> Option<T> {
        self.answer.body["id"].as_str()?.parse().ok()
    }

    /// What is wrong with the answer in itself.
    fn fault(&self) -> Option<String> {
        let answer = &self.answer;
        let is_problem = answer.header("content-type") == Some("application/problem+json")
            && answer.body["status"] == answer.status
            && answer.body["code"].is_string();
        let fault = match (answer.status, &answer.body["code"]) {
            (200..=299, _) => return None,
            _ if !is_problem => "without problem details",
            (503, Value::String(code)) if !["unavailable", "contention"].contains(&&**code) => {
                "with another's code"
            }
            (503, _) if answer.header("retry-after").is_none() => {
                "without saying when to try again"
            }
            (400..=499 | 503, _) => return None,
            _ => "which is none of what passes",
        };
        let (status, body, deed) = (answer.status, &answer.body, &self.deed);
        Some(format!("{deed:?} was answered {status} {fault}: {body}"))
    }
}
