use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Mutex;

use serde_json::Value;
use storefront_testing::Answer;

use crate::entities::Operation;

/// What the clients of a shop asked for and what they were answered, in the order of the answers.
#[derive(Debug, Default)]
pub(crate) struct History {
    exchanges: Mutex<Vec<Exchange>>,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) operation: Operation,
    pub(crate) sent_at: Moment,
    pub(crate) answer: Answer,
}

/// A point in the history: how many requests had been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(usize);

/// The time from a request to its answer.
#[derive(Clone, Copy)]
pub(crate) struct Interval {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

/// What a client knows from the answer about what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has taken effect.
    Acknowledged,
    /// It may or may not have taken effect, or may still do so.
    Unknown,
    /// It has no effect.
    Rejected,
}

impl History {
    /// To be taken before a request is sent.
    pub(crate) fn now(&self) -> Moment {
        Moment(self.exchanges.lock().unwrap().len())
    }

    pub(crate) fn record(&self, operation: Operation, sent_at: Moment, answer: &Answer) {
        let exchange = Exchange { operation, sent_at, answer: answer.clone() };
        self.exchanges.lock().unwrap().push(exchange);
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }

    /// How many answers had each status.
    pub(crate) fn statuses(&self) -> BTreeMap<i64, usize> {
        let mut statuses = BTreeMap::new();
        for exchange in self.exchanges() {
            *statuses.entry(exchange.answer.status).or_default() += 1;
        }
        statuses
    }

    /// The exchanges, one per line, to investigate a violation.
    pub(crate) fn lines(&self) -> String {
        let line = |Exchange { operation, answer, .. }: &Exchange| {
            format!("{} <- {operation:?} {}", answer.status, answer.body)
        };
        self.exchanges().iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Interval {
    /// The time at which the exchange with this index was in progress.
    pub(crate) fn of(index: usize, exchange: &Exchange) -> Self {
        Self { from: exchange.sent_at, to: Moment(index) }
    }

    /// After all of these exchanges.
    pub(crate) fn after(exchanges: &[Exchange]) -> Self {
        let end = Moment(exchanges.len());
        Self { from: end, to: end }
    }
}

impl Exchange {
    pub(crate) fn outcome(&self) -> Outcome {
        match self.answer.status {
            200..=299 => Outcome::Acknowledged,
            // This problem says that nothing was changed.
            503 if self.answer.body["code"] == "contention" => Outcome::Rejected,
            503 => Outcome::Unknown,
            _ => Outcome::Rejected,
        }
    }

    /// The id in the answer's body.
    pub(crate) fn id<T: FromStr>(&self) -> Option<T> {
        self.answer.body["id"].as_str()?.parse().ok()
    }

    /// What is wrong with the answer, whatever was asked for.
    pub(crate) fn malformed_answer(&self) -> Option<String> {
        let answer = &self.answer;
        let is_problem = answer.header("content-type") == Some("application/problem+json")
            && answer.body["status"] == answer.status
            && answer.body["code"].is_string();
        let fault = match (answer.status, &answer.body["code"]) {
            (200..=299, _) => return None,
            _ if !is_problem => "without problem details",
            (503, Value::String(code)) if !["unavailable", "contention"].contains(&&**code) => {
                "with a code that does not go with 503"
            }
            (503, _) if answer.header("retry-after").is_none() => "without Retry-After",
            (400..=499 | 503, _) => return None,
            _ => "which no fault excuses",
        };
        let (status, body, operation) = (answer.status, &answer.body, &self.operation);
        Some(format!("{operation:?} was answered {status} {fault}: {body}"))
    }
}
