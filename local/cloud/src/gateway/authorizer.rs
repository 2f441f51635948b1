//! The API's Lambda authorizer, and a cache of its decisions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use serde_json::{Map, Value};
use storefront_template::Authorizer as Definition;

use super::event::Incoming;
use crate::function::{Function, FunctionError};

/// The maximum size of the cache. When it is full, it is cleared, so nothing needs to be evicted.
const KEPT_VERDICTS: usize = 1000;

#[derive(Clone)]
pub(crate) enum Verdict {
    /// The context for the function.
    Allowed(Value),
    Denied,
    /// Nothing identifies the caller, so the authorizer was not invoked.
    Unidentified,
}

pub(crate) struct Authorizer {
    function: Function,
    definition: Definition,
    verdicts: Mutex<HashMap<Vec<String>, Remembered>>,
}

struct Remembered {
    since: Instant,
    verdict: Verdict,
}

impl Authorizer {
    pub(crate) fn new(function: Function, definition: Definition) -> Self {
        Self { function, definition, verdicts: Mutex::default() }
    }

    pub(crate) async fn ask(&self, request: &Incoming<'_>) -> Result<Verdict, FunctionError> {
        let Some(identity) = self.identity(&request.parts.headers) else {
            return Ok(Verdict::Unidentified);
        };
        if let Some(verdict) = self.remembered(&identity) {
            return Ok(verdict);
        }
        let answer = self.function.invoke(&request.for_authorizer(&identity)).await?;
        let verdict = verdict(&answer)?;
        self.remember(identity, verdict.clone());
        Ok(verdict)
    }

    fn identity(&self, headers: &HeaderMap) -> Option<Vec<String>> {
        let source = |name: &String| {
            let value = headers.get(name)?.to_str().ok()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        self.definition.identity_headers.iter().map(source).collect()
    }

    fn remembered(&self, identity: &[String]) -> Option<Verdict> {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = verdicts.get(identity)?;
        let is_valid = remembered.since.elapsed() < self.definition.time_to_live;
        is_valid.then(|| remembered.verdict.clone())
    }

    fn remember(&self, identity: Vec<String>, verdict: Verdict) {
        let mut verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.len() >= KEPT_VERDICTS {
            verdicts.clear();
        }
        verdicts.insert(identity, Remembered { since: Instant::now(), verdict });
    }
}

/// Reads a simple response.
fn verdict(answer: &Value) -> Result<Verdict, FunctionError> {
    match answer["isAuthorized"] {
        Value::Bool(true) => Ok(Verdict::Allowed(match &answer["context"] {
            Value::Null => Value::Object(Map::new()),
            context => context.clone(),
        })),
        Value::Bool(false) => Ok(Verdict::Denied),
        _ => Err(FunctionError::Failed(format!(
            "the authorizer's answer has no isAuthorized: {answer}"
        ))),
    }
}
