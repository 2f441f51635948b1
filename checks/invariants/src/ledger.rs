use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use storefront_core::{OrderId, OrderStatus, ProductId, Role, UserId};
use storefront_testing::Answer;

use crate::Snapshot;

mod accounts;
mod check;
mod history;

/// What the clients of a shop asked for, and what they were told. With the table as it was before
/// and as it is when all are done, it tells whether the shop kept its word.
#[derive(Debug)]
pub struct Ledger {
    /// The users' password is [`crate::PASSWORD`].
    before: Snapshot,
    entries: Mutex<Vec<Entry>>,
}

/// A time in the order of the answers: how many had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(usize);

/// One request and its answer.
#[derive(Clone, Debug)]
struct Entry {
    deed: Deed,
    asked: Moment,
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
        password: String,
    },
    /// With the version of `If-Match`, if with one.
    ChangeUser {
        id: UserId,
        expected: Option<u64>,
        change: UserChange,
    },
    DeleteUser {
        id: UserId,
        expected: Option<u64>,
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
        expected: Option<u64>,
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
        expected: Option<u64>,
    },
    /// What changes nothing.
    Read,
}

/// What a user is to have from now on; none of it where it is the name.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct UserChange {
    pub email: Option<String>,
    pub password: Option<String>,
    pub role: Option<Role>,
    /// What it was confirmed with, by the user.
    pub current_password: Option<String>,
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
    /// One of a shop with this table, where no request is under way.
    #[must_use]
    pub fn since(before: Snapshot) -> Self {
        Self { before, entries: Mutex::default() }
    }

    /// To be asked for before a request is sent.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment(self.entries.lock().unwrap_or_else(PoisonError::into_inner).len())
    }

    /// Notes what a client was told that asked at this moment.
    pub fn note(&self, deed: Deed, asked: Moment, answer: &Answer) {
        let entry = Entry { deed, asked, answer: answer.clone() };
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
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

    /// Whose password was to be changed.
    #[must_use]
    pub fn who_changed_passwords(&self) -> BTreeSet<UserId> {
        self.entries()
            .into_iter()
            .filter_map(|entry| match entry.deed {
                Deed::ChangeUser { id, change, .. } if change.password.is_some() => Some(id),
                _ => None,
            })
            .collect()
    }

    /// The requests and their answers, one a line, for who looks into a violation.
    #[must_use]
    pub fn history(&self) -> String {
        let line = |Entry { deed, answer, .. }: &Entry| {
            format!("{} <- {deed:?} {}", answer.status, answer.body)
        };
        self.entries().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What the shop told its clients that is not so: a sentence for each violation.
    #[must_use]
    pub fn violations(&self, snapshot: &Snapshot) -> Vec<String> {
        check::violations(&self.entries(), &self.before, snapshot)
    }

    fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
