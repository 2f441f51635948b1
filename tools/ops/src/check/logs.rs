//! What the functions logged about a request.

use std::time::Duration;

use serde_json::{Value, json};
use storefront_core::Timestamp;
use tokio::time::{Instant, sleep};

use super::aws::{Aws, AwsError, LOGS};

/// CloudWatch Logs shows a line some seconds after it was written.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_secs(1);

/// The words that every refusal for lack of a permission contains.
const DENIED: &str = "not authorized to perform";

/// The logs of a stack's functions since the check began.
#[derive(Debug)]
pub(crate) struct Logs {
    aws: Aws,
    since: Timestamp,
    patience: Duration,
}

impl Logs {
    /// Looks for a line for at most `patience`, and never longer than lines take to appear.
    pub(crate) fn new(aws: Aws, since: Timestamp, patience: Duration) -> Self {
        Self { aws, since, patience: patience.min(PATIENCE) }
    }

    /// Returns why a function failed to answer the request with this id, as soon as the log has it.
    pub(crate) async fn cause(&self, group: &str, id: &str) -> Result<Option<String>, AwsError> {
        self.wait_for(group, id).await
    }

    /// Returns the last refusal for lack of a permission, as soon as the log has one.
    pub(crate) async fn denial(&self, group: &str) -> Result<Option<String>, AwsError> {
        self.wait_for(group, DENIED).await
    }

    async fn wait_for(&self, group: &str, words: &str) -> Result<Option<String>, AwsError> {
        let until = Instant::now() + self.patience;
        loop {
            let found = self.causes(group, words).await?.pop();
            if found.is_some() || Instant::now() >= until {
                return Ok(found);
            }
            sleep(PAUSE.min(self.patience)).await;
        }
    }

    /// Returns the last refusal for lack of a permission, if the log has one by now.
    pub(crate) async fn earlier_denial(&self, group: &str) -> Result<Option<String>, AwsError> {
        Ok(self.causes(group, DENIED).await?.pop())
    }

    /// Returns the last reason why a consumer of the stream did not do its work.
    pub(crate) async fn of_consumer(&self, group: &str) -> Result<Option<String>, AwsError> {
        for words in [DENIED, "was not delivered", "was not refreshed", "cannot be read"] {
            if let Some(cause) = self.causes(group, words).await?.pop() {
                return Ok(Some(cause));
            }
        }
        Ok(None)
    }

    /// Returns the causes in all lines with these words.
    async fn causes(&self, group: &str, words: &str) -> Result<Vec<String>, AwsError> {
        let mut request = json!({
            "logGroupName": group,
            "filterPattern": format!("\"{words}\""),
            "startTime": self.since.as_millis(),
        });
        let mut causes = Vec::new();
        loop {
            let answer = self.aws.json(&LOGS, "Logs_20140328.FilterLogEvents", &request).await?;
            for event in answer["events"].as_array().into_iter().flatten() {
                let lines = event["message"].as_str().unwrap_or_default().lines();
                causes.extend(lines.filter_map(cause));
            }
            // A page may be empty although more follow.
            match answer.get("nextToken") {
                Some(token @ Value::String(_)) => request["nextToken"] = token.clone(),
                _ => return Ok(causes),
            }
        }
    }
}

/// Returns why something failed, according to a line of a function.
fn cause(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let cause = ["cause", "error", "reason"].iter().find_map(|field| line[field].as_str())?;
    // EventBridge's message is not logged, only its code.
    Some(match line["error.code"].as_str() {
        Some(code) => format!("{code}: {cause}"),
        None => cause.to_owned(),
    })
}
