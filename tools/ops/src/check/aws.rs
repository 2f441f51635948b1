//! The AWS APIs that `check` asks: CloudFormation, CloudWatch, CloudWatch Logs and SES.
//!
//! Five operations do not justify four SDK crates: those compile for minutes, and bring second
//! versions of `http` and `http-body`. Signatures and XML are left to the SDK's own crates.

use std::time::Duration;

use aws_sigv4::http_request::SigningSettings;
use serde_json::Value;
use storefront_core::aws::sign::{Unsigned, domain, signature};
use storefront_core::aws::{SdkConfig, endpoint_url};
use storefront_http::logging::with_sources;
use tokio::time::sleep;

use super::http::{Http, Request, Response};
use super::xml::Element;

/// How often a request is sent if AWS throttles it or fails.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// An AWS service.
#[derive(Debug)]
pub(crate) struct Service {
    /// The name in messages.
    name: &'static str,
    /// The start of its host name.
    host: &'static str,
    /// The name in signatures.
    signing_name: &'static str,
    /// The variable that names another endpoint is `AWS_ENDPOINT_URL_` and this.
    variable: &'static str,
    /// The version of its query protocol, if it has one.
    version: &'static str,
}

pub(crate) const CLOUDFORMATION: Service = Service {
    name: "CloudFormation",
    host: "cloudformation",
    signing_name: "cloudformation",
    variable: "CLOUDFORMATION",
    version: "2010-05-15",
};
pub(crate) const CLOUDWATCH: Service = Service {
    name: "CloudWatch",
    host: "monitoring",
    signing_name: "monitoring",
    variable: "CLOUDWATCH",
    version: "2010-08-01",
};
pub(crate) const LOGS: Service = Service {
    name: "CloudWatch Logs",
    host: "logs",
    signing_name: "logs",
    variable: "CLOUDWATCH_LOGS",
    version: "",
};
pub(crate) const SES: Service =
    Service { name: "SES", host: "email", signing_name: "ses", variable: "SESV2", version: "" };

/// Sends signed requests with the operator's credentials.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    http: Http,
    config: SdkConfig,
}

/// Why AWS did not answer a request as hoped.
#[derive(Debug, thiserror::Error)]
#[error("{service} ({action}): {why}")]
pub(crate) struct AwsError {
    service: &'static str,
    action: String,
    why: String,
}

impl Aws {
    pub(crate) const fn new(http: Http, config: SdkConfig) -> Self {
        Self { http, config }
    }

    pub(crate) fn region(&self) -> &str {
        self.config.region().map_or("", AsRef::as_ref)
    }

    /// Sends a request of the query protocol, and returns the XML of its answer.
    pub(crate) async fn query(
        &self,
        service: &Service,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, AwsError> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", service.version);
        body.extend_pairs(parameters);
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        let request = Request {
            method: "POST",
            url: service.endpoint(self.region()),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: Some(body.finish()),
        };
        let response = self.send(service, action, request, query_error).await?;
        Ok(response.body)
    }

    /// Sends a request of the JSON protocol. `target` is the action with the service's prefix.
    pub(crate) async fn json(
        &self,
        service: &Service,
        target: &str,
        body: &Value,
    ) -> Result<Value, AwsError> {
        let action = target.split_once('.').map_or(target, |(_, action)| action);
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), target.to_owned()),
        ];
        let url = service.endpoint(self.region());
        let request = Request { method: "POST", url, headers, body: Some(body.to_string()) };
        let response = self.send(service, action, request, json_error).await?;
        service.read(action, &response)
    }

    /// Reads what is at a path of a service with a REST protocol.
    pub(crate) async fn get(
        &self,
        service: &Service,
        action: &str,
        path: &str,
    ) -> Result<Value, AwsError> {
        let url = format!("{}{path}", service.endpoint(self.region()));
        let request = Request { method: "GET", url, headers: Vec::new(), body: None };
        let response = self.send(service, action, request, json_error).await?;
        service.read(action, &response)
    }

    async fn send(
        &self,
        service: &Service,
        action: &str,
        request: Request,
        read_error: fn(&str) -> Option<(String, String)>,
    ) -> Result<Response, AwsError> {
        let url = &request.url;
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let signed = self.signed(service, action, request.clone()).await?;
            let (is_transient, error) = match self.http.send(&signed).await {
                Ok(response) if response.is_success() => return Ok(response),
                Ok(response) => {
                    let (code, message) = read_error(&response.body).unwrap_or_default();
                    let is_transient = response.status >= 500 || code.contains("Throttl");
                    let why = format!("{} {code}: {message}", response.status);
                    (is_transient, service.failed(action, why))
                }
                Err(none) => (true, service.failed(action, format!("{none} ({url})"))),
            };
            if !is_transient || attempt == TRIES {
                return Err(error);
            }
            sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn signed(
        &self,
        service: &Service,
        action: &str,
        mut request: Request,
    ) -> Result<Request, AwsError> {
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = request.body.as_deref().unwrap_or_default().as_bytes();
        let unsigned =
            Unsigned { method: request.method, url: &request.url, headers: &headers, body };
        let settings = SigningSettings::default();
        let signature = signature(&self.config, service.signing_name, settings, unsigned).await;
        let signature =
            signature.map_err(|error| service.failed(action, with_sources(&error).to_string()))?;
        request.headers.extend(signature);
        Ok(request)
    }
}

impl Service {
    fn endpoint(&self, region: &str) -> String {
        let url = endpoint_url(self.variable);
        let url =
            url.unwrap_or_else(|| format!("https://{}.{region}.{}", self.host, domain(region)));
        format!("{}/", url.trim_end_matches('/'))
    }

    fn read(&self, action: &str, response: &Response) -> Result<Value, AwsError> {
        serde_json::from_str(&response.body)
            .map_err(|error| self.failed(action, format!("the answer is not JSON: {error}")))
    }

    fn failed(&self, action: &str, why: String) -> AwsError {
        AwsError { service: self.name, action: action.to_owned(), why }
    }
}

/// Reads code and message of an error of the query protocol.
fn query_error(body: &str) -> Option<(String, String)> {
    let error = Element::read(body);
    Some((error.text("Code")?.to_owned(), error.text("Message")?.to_owned()))
}

/// Reads code and message of an error of the JSON protocol.
fn json_error(body: &str) -> Option<(String, String)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let code = body["__type"].as_str().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default();
    let message = body["message"].as_str().or_else(|| body["Message"].as_str());
    Some((code.to_owned(), message.unwrap_or_default().to_owned()))
}
