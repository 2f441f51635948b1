//! Sends mails: the one request to SES that the shop makes.
//!
//! The SDK's client for SES is large. This request is signed with the SDK's own signer, and sent with its
//! HTTP client, which trusts the same root certificates as for all others.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sigv4::http_request::SigningSettings;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_core::aws::sign::{Unsigned, domain, signature};

use crate::mail::Message;

/// How long SES may take. It answers within a second; a mail whose answer did not arrive may be sent a
/// second time.
pub(crate) const SEND_WITHIN: Duration = Duration::from_secs(10);

const PATH: &str = "/v2/email/outbound-emails";

/// What SES says about a message that it will never send, or that nobody could receive. Anything else may
/// pass, also because an operator does something about it.
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
const FOR_GOOD: [&str; 3] = ["BadRequestException", "MessageRejected", "NotFoundException"];

/// SES, in the region of the configuration.
pub struct Ses {
    config: SdkConfig,
    endpoint_url: Option<String>,
}

/// Why a mail was not sent. Reveals nothing of its content or its addresses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    /// The configuration lacks something.
    #[error("the configuration has no {0}")]
    Configuration(&'static str),
    /// The request could not be made.
    #[error("the request cannot be made")]
    Request(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// SES answered with an error.
    #[error(transparent)]
    Refused(Refused),
    /// SES did not answer, so it may have sent the mail.
    #[error("there is no answer")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// SES answered with an error. Its message may quote the addresses, and is not kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("HTTP status {status}, {code}")]
pub(crate) struct Refused {
    status: u16,
    pub(crate) code: String,
}

impl Refused {
    /// Whether no retry helps.
    pub(crate) fn is_for_good(&self) -> bool {
        (400..500).contains(&self.status) && FOR_GOOD.contains(&self.code.as_str())
    }

    fn read(response: &HttpResponse) -> Self {
        let status = response.status().as_u16();
        let header = response.headers().get("x-amzn-errortype").map(str::to_owned);
        let in_body = || {
            let body: Value = serde_json::from_slice(response.body().bytes()?).ok()?;
            body["__type"].as_str().map(str::to_owned)
        };
        let code = header.or_else(in_body).unwrap_or_default();
        // `MessageRejected:http://…` or `com.amazonaws.sesv2#MessageRejected`
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        let is_name = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self { status, code: if is_name { code } else { "without a code" }.to_owned() }
    }
}

impl Ses {
    /// SES at this endpoint, if it is another than AWS's own.
    #[must_use]
    pub fn new(config: &SdkConfig, endpoint_url: Option<String>) -> Self {
        Self { config: config.clone(), endpoint_url }
    }

    /// Sends a mail.
    pub(crate) async fn send(&self, from: &str, message: &Message) -> Result<(), NotSent> {
        let base = self.base_url()?;
        let body = json!({
            "FromEmailAddress": from,
            // Whatever the header fields say, nobody else gets it.
            "Destination": { "ToAddresses": [message.to] },
            "Content": { "Raw": { "Data": STANDARD.encode(&message.content) } },
        });
        let request = self.signed(&base, body.to_string()).await?;
        let config = &self.config;
        let timeouts = aws::timeouts()
            .operation_attempt_timeout(SEND_WITHIN)
            .operation_timeout(SEND_WITHIN)
            .build();
        let operation = Operation::builder()
            .service_name("SESv2")
            .operation_name("SendEmail")
            .http_client(config.http_client().ok_or(NotSent::Configuration("HTTP client"))?)
            .endpoint_url(&base)
            .no_auth()
            // The queue delivers the event again.
            .no_retry()
            .timeout_config(timeouts)
            .with_connection_poisoning()
            .serializer(|request: HttpRequest| Ok(request))
            .deserializer(|response: &HttpResponse| match response.status().as_u16() {
                200..300 => Ok(()),
                _ => Err(OrchestratorError::operation(Refused::read(response))),
            })
            .build();
        // Boxed, because the future takes many kilobytes.
        let sent = Box::pin(operation.invoke(request));
        sent.await.map_err(|error| match error {
            SdkError::ServiceError(refused) => NotSent::Refused(refused.into_err()),
            SdkError::ConstructionFailure(_) => NotSent::Request(Box::new(error)),
            _ => NotSent::NoAnswer(Box::new(error)),
        })
    }

    /// <https://docs.aws.amazon.com/general/latest/gr/ses.html>
    fn base_url(&self) -> Result<String, NotSent> {
        if let Some(endpoint) = &self.endpoint_url {
            return Ok(endpoint.trim_end_matches('/').to_owned());
        }
        let region = self.config.region().ok_or(NotSent::Configuration("region"))?.as_ref();
        let fips = if self.config.use_fips() == Some(true) { "-fips" } else { "" };
        let domain = match (self.config.use_dual_stack(), domain(region)) {
            (Some(true), "amazonaws.com") => "api.aws",
            (Some(true), "amazonaws.com.cn") => "api.amazonwebservices.com.cn",
            (Some(true), "amazonaws.eu") => "api.amazonwebservices.eu",
            (_, domain) => domain,
        };
        Ok(format!("https://email{fips}.{region}.{domain}"))
    }

    async fn signed(&self, base: &str, body: String) -> Result<HttpRequest, NotSent> {
        let headers = [("content-type", "application/json")];
        let url = format!("{base}{PATH}");
        let unsigned =
            Unsigned { method: "POST", url: &url, headers: &headers, body: body.as_bytes() };
        let settings = SigningSettings::default();
        let signature =
            signature(&self.config, "ses", settings, unsigned).await.map_err(request)?;
        let mut post = HttpRequest::new(SdkBody::from(body));
        post.set_method("POST").map_err(request)?;
        // The endpoint is added when it is sent.
        post.set_uri(PATH).map_err(request)?;
        for (name, value) in headers {
            post.headers_mut().insert(name, value);
        }
        for (name, value) in signature {
            post.headers_mut().insert(name, value);
        }
        Ok(post)
    }
}

fn request(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NotSent {
    NotSent::Request(error.into())
}

#[cfg(test)]
mod tests {
    use aws_config::Region;

    use super::*;

    fn base_url(region: &'static str, fips: bool, dual_stack: bool) -> String {
        let config = aws::emulator_config().into_builder().region(Region::new(region));
        let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
        Ses::new(&config, None).base_url().unwrap()
    }

    #[test]
    fn ses_is_reached_in_its_region() {
        for (region, url) in [
            ("eu-central-1", "https://email.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "https://email.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://email.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://email.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(base_url(region, false, false), url);
        }
        assert_eq!(base_url("us-east-1", true, true), "https://email-fips.us-east-1.api.aws");
    }
}
