//! HTTP requests that no SDK makes: to the shop's API, and to the few AWS APIs that are asked by hand.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use storefront_core::aws::{self, ConfigError};
use storefront_http::logging::with_sources;
use tokio::time::timeout;

/// API Gateway gives up on a function after 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);

/// An HTTP client, with the root certificates of the operator's other tools.
#[derive(Clone, Debug)]
pub(crate) struct Http(SharedHttpConnector);

/// A request. Its URL and headers are valid: they are made here, except for the host.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: aws_smithy_runtime_api::http::Headers,
    pub(crate) body: String,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResponse {
    #[error("{0} is not a URL")]
    Url(String),
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("{0}")]
    Failed(String),
}

impl Http {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        aws::operator_connector().map(Self)
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<Response, NoResponse> {
        let invalid = || NoResponse::Url(request.url.clone());
        let body = request.body.as_deref().map_or_else(SdkBody::empty, SdkBody::from);
        let mut sent = HttpRequest::new(body);
        sent.set_method(request.method).map_err(|_| invalid())?;
        sent.set_uri(request.url.as_str()).map_err(|_| invalid())?;
        for (name, value) in &request.headers {
            sent.headers_mut().try_insert(name.clone(), value.clone()).map_err(|_| invalid())?;
        }
        let exchange = async {
            let failed = |error: &(dyn std::error::Error + 'static)| {
                NoResponse::Failed(with_sources(error).to_string())
            };
            let mut response = self.0.call(sent).await.map_err(|error| failed(&error))?;
            let body = ByteStream::new(response.take_body()).collect().await;
            let body = body.map_err(|error| failed(&error))?.to_vec();
            Ok(Response {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        timeout(TIMEOUT, exchange).await.unwrap_or(Err(NoResponse::TimedOut))
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}
