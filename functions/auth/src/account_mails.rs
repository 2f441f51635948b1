//! Asks for mails about accounts: puts a message into the queue that `notifications` reads.
//!
//! Whether anybody has an email is not looked up here. So neither the answer to who has forgotten a password
//! nor its time depends on that.

use std::time::Duration;

use serde_json::json;
use storefront_core::aws::SdkConfig;
use storefront_core::aws::request::{NotSent, Refused, Request, Signing, send, service_url};
use storefront_core::{AccountMail, RequestedMail};
use storefront_http::Problem;

/// How long SQS may take for one try. It usually answers within some 20 ms.
const SEND_WITHIN: Duration = Duration::from_secs(2);

/// How often a message is sent until SQS takes it. A second copy of it causes no second mail.
const TRIES: u32 = 3;

/// The queue of mails about accounts.
#[derive(Clone)]
pub struct AccountMails {
    config: SdkConfig,
    endpoint_url: Option<String>,
    queue_url: String,
}

impl AccountMails {
    /// The queue with this URL, at this endpoint if it is another than AWS's own.
    #[must_use]
    pub fn new(
        config: &SdkConfig,
        endpoint_url: Option<String>,
        queue_url: impl Into<String>,
    ) -> Self {
        Self { config: config.clone(), endpoint_url, queue_url: queue_url.into() }
    }

    /// Asks for a mail.
    pub(crate) async fn ask_for(&self, mail: RequestedMail) -> Result<(), Problem> {
        let message = serde_json::to_string(&AccountMail::new(mail)).map_err(Problem::internal)?;
        let mut tries = 1;
        loop {
            match self.send(&message).await {
                Err(error) if tries < TRIES && may_pass(&error) => tries += 1,
                sent => return sent.map_err(Problem::unavailable),
            }
        }
    }

    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    async fn send(&self, message: &str) -> Result<(), NotSent> {
        let base_url = service_url(&self.config, self.endpoint_url.as_deref(), "sqs")?;
        let body = json!({ "QueueUrl": self.queue_url, "MessageBody": message });
        let request = Request {
            operation: ("SQS", "SendMessage"),
            signing: Signing::As("sqs"),
            method: "POST",
            base_url: &base_url,
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-target", "AmazonSQS.SendMessage"),
            ],
            body: &body.to_string(),
            within: Some(SEND_WITHIN),
        };
        send(&self.config, request).await
    }
}

/// Whether another try may help.
fn may_pass(error: &NotSent) -> bool {
    match error {
        NotSent::NoAnswer(_) => true,
        NotSent::Refused(Refused { status, .. }) => *status >= 500,
        NotSent::Configuration(_) | NotSent::Request(_) => false,
    }
}
