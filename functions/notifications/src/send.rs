//! Sends mails: the one request to SES that the shop makes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use storefront_core::aws::SdkConfig;
use storefront_core::aws::request::{NotSent, Refused, Request, Signing, send, service_url};

use crate::mail::Message;

/// How long SES may take. It answers within a second; a mail whose answer did not arrive may be sent a
/// second time.
pub(crate) const SEND_WITHIN: Duration = Duration::from_secs(10);

/// What SES says about a message that it will never send, or that nobody could receive. Anything else may
/// pass, also because an operator does something about it.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
const FOR_GOOD: [&str; 3] = ["BadRequestException", "MessageRejected", "NotFoundException"];

/// SES, in the region of the configuration.
pub struct Ses {
    config: SdkConfig,
    endpoint_url: Option<String>,
}

impl Ses {
    /// SES at this endpoint, if it is another than AWS's own.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint_url: Option<String>) -> Self {
        Self { config: config.clone(), endpoint_url }
    }

    /// Sends a mail. It is tried once: the queue delivers its message again.
    pub(crate) async fn send(&self, from: &str, message: &Message) -> Result<(), NotSent> {
        // <https://docs.aws.amazon.com/general/latest/gr/ses.html>
        let base_url = service_url(&self.config, self.endpoint_url.as_deref(), "email")?;
        let body = json!({
            "FromEmailAddress": from,
            // Whatever the header fields say, nobody else gets it.
            "Destination": { "ToAddresses": [message.to] },
            "Content": { "Raw": { "Data": STANDARD.encode(&message.content) } },
        });
        let request = Request {
            operation: ("SESv2", "SendEmail"),
            signing: Signing::As("ses"),
            method: "POST",
            base_url: &base_url,
            path: "/v2/email/outbound-emails",
            headers: &[("content-type", "application/json")],
            body: &body.to_string(),
            within: Some(SEND_WITHIN),
        };
        send(&self.config, request).await
    }
}

/// Whether no retry helps.
pub(crate) fn is_for_good(Refused { status, code }: &Refused) -> bool {
    (400..500).contains(status) && FOR_GOOD.contains(&code.as_str())
}
