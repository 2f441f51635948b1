//! The few requests that no client of the SDK makes.
//!
//! The SDK's clients for these services are large, and the shop sends one kind of request to each of them.
//! Such a request is signed with the SDK's own signer, and sent with its HTTP client, which trusts the same
//! root certificates as for all others.

use std::error::Error;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SigningSettings, UriPathNormalizationMode,
};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use super::sign::{Unsigned, domain, signature};
use super::timeouts;

/// A request to a service.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The service and the operation, for traces.
    pub operation: (&'static str, &'static str),
    /// How the request is signed.
    pub signing: Signing,
    /// The method.
    pub method: &'static str,
    /// The service's URL, without a slash at the end.
    pub base_url: &'a str,
    /// The path at the service. It has only characters that need no encoding.
    pub path: &'a str,
    /// Its headers. They are signed, too.
    pub headers: &'a [(&'static str, &'static str)],
    /// Its body.
    pub body: &'a str,
    /// How long the service may take; `None` for the timeouts of the configuration.
    pub within: Option<Duration>,
}

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// As most services expect it, under this service's name.
    As(&'static str),
    /// As S3 expects it.
    S3,
}

/// Why a request was not carried out. Reveals nothing of its content.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The configuration lacks something.
    #[error("the configuration has no {0}")]
    Configuration(&'static str),
    /// The request could not be made.
    #[error("the request cannot be made")]
    Request(#[source] Box<dyn Error + Send + Sync>),
    /// The service answered with an error.
    #[error(transparent)]
    Refused(Refused),
    /// The service did not answer, so it may have carried it out.
    #[error("there is no answer")]
    NoAnswer(#[source] Box<dyn Error + Send + Sync>),
}

/// A service answered with an error. Its message may quote the request, and is not kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("HTTP status {status}, {code}")]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// The error's code, if the answer is JSON and has one.
    pub code: String,
}

/// Sends a request, once.
pub async fn send(config: &SdkConfig, request: Request<'_>) -> Result<(), NotSent> {
    let signed = signed(config, &request).await?;
    let timeouts = match request.within {
        Some(within) => {
            timeouts().operation_attempt_timeout(within).operation_timeout(within).build()
        }
        None => config.timeout_config().ok_or(NotSent::Configuration("timeouts"))?.clone(),
    };
    let (service, operation) = request.operation;
    let operation = Operation::builder()
        .service_name(service)
        .operation_name(operation)
        .http_client(config.http_client().ok_or(NotSent::Configuration("HTTP client"))?)
        .endpoint_url(request.base_url)
        .no_auth()
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
    let sent = Box::pin(operation.invoke(signed));
    sent.await.map_err(|error| match error {
        SdkError::ServiceError(refused) => NotSent::Refused(refused.into_err()),
        SdkError::ConstructionFailure(_) => NotSent::Request(Box::new(error)),
        _ => NotSent::NoAnswer(Box::new(error)),
    })
}

/// Returns the URL of a service: this endpoint, if it is another than AWS's own. Otherwise the one in the region of
/// the configuration, whose host begins with this name and follows the usual rules.
pub fn service_url(
    config: &SdkConfig,
    endpoint_url: Option<&str>,
    name: &str,
) -> Result<String, NotSent> {
    if let Some(endpoint_url) = endpoint_url {
        return Ok(endpoint_url.trim_end_matches('/').to_owned());
    }
    let region = config.region().ok_or(NotSent::Configuration("region"))?.as_ref();
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let domain = match (config.use_dual_stack(), domain(region)) {
        (Some(true), "amazonaws.com") => "api.aws",
        (Some(true), "amazonaws.com.cn") => "api.amazonwebservices.com.cn",
        (Some(true), "amazonaws.eu") => "api.amazonwebservices.eu",
        (_, domain) => domain,
    };
    Ok(format!("https://{name}{fips}.{region}.{domain}"))
}

async fn signed(config: &SdkConfig, request: &Request<'_>) -> Result<HttpRequest, NotSent> {
    let Request { signing, method, base_url, path, headers, body, .. } = *request;
    let mut settings = SigningSettings::default();
    let service = match signing {
        Signing::As(service) => service,
        Signing::S3 => {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            "s3"
        }
    };
    let url = format!("{base_url}{path}");
    let unsigned = Unsigned { method, url: &url, headers, body: body.as_bytes() };
    let signature = signature(config, service, settings, unsigned).await.map_err(unmade)?;
    let mut signed = HttpRequest::new(SdkBody::from(body));
    signed.set_method(method).map_err(unmade)?;
    // The endpoint is added when it is sent.
    signed.set_uri(path).map_err(unmade)?;
    for (name, value) in headers {
        signed.headers_mut().insert(*name, *value);
    }
    for (name, value) in signature {
        signed.headers_mut().insert(name, value);
    }
    Ok(signed)
}

fn unmade(error: impl Into<Box<dyn Error + Send + Sync>>) -> NotSent {
    NotSent::Request(error.into())
}

impl Refused {
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

#[cfg(test)]
mod tests {
    use aws_config::Region;

    use super::*;
    use crate::aws;

    fn url(region: &'static str, fips: bool, dual_stack: bool) -> String {
        let config = aws::emulator_config().into_builder().region(Region::new(region));
        let config = config.use_fips(fips).use_dual_stack(dual_stack).build();
        service_url(&config, None, "email").unwrap()
    }

    #[test]
    fn a_service_is_reached_in_its_region() {
        for (region, expected) in [
            ("eu-central-1", "https://email.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "https://email.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://email.cn-north-1.amazonaws.com.cn"),
            ("eusc-de-east-1", "https://email.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(url(region, false, false), expected);
        }
        assert_eq!(url("us-east-1", true, true), "https://email-fips.us-east-1.api.aws");
    }
}
