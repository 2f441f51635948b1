//! Lambda authorizer of the HTTP API: verifies access tokens.
//!
//! Takes API Gateway's authorizer request (payload 2.0) and returns the simple response.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use storefront_core::{Role, UserId};
use storefront_credentials::access_token::Bearer;
use storefront_credentials::{NotVerified, SigningKeys};
use storefront_http::invocation::{InvocationIds, Served, Telemetry};
use storefront_http::logging::with_sources;
use storefront_http::{MetricSink, Metrics};
use tracing::Level;

/// Whether the gateway lets a request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    is_authorized: bool,
    /// What the function learns about the caller, in `requestContext.authorizer.lambda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    user_id: UserId,
    role: Role,
}

/// The function, which decides whether requests are authorized.
pub struct Authorizer {
    signing_keys: SigningKeys,
    telemetry: Telemetry,
    metrics: MetricSink,
}

impl Authorizer {
    /// An authorizer that accepts tokens signed with these keys.
    #[must_use]
    pub fn new(signing_keys: SigningKeys) -> Self {
        let telemetry = Telemetry::new("authorizer");
        Self { signing_keys, telemetry, metrics: MetricSink::default() }
    }

    /// Makes the authorizer write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Decides whether a request is authorized.
    ///
    /// Whatever is wrong with the request, the decision is no: an error would give the client a
    /// 500, and anyone could provoke it.
    pub async fn authorize(&self, event: LambdaEvent<Value>) -> Decision {
        let LambdaEvent { payload, context, .. } = event;
        let from_gateway = payload["requestContext"]["requestId"].as_str();
        let ids = InvocationIds::new(&context, from_gateway);
        let metrics = Metrics::new(self.metrics.clone());
        self.telemetry.observe(&ids, &metrics, decide(&self.signing_keys, &payload)).await
    }
}

async fn decide(signing_keys: &SigningKeys, event: &Value) -> (Decision, Served) {
    let Some(token) = credentials(event).and_then(bearer_token) else {
        return refused("no bearer token");
    };
    match signing_keys.verify(token).await {
        Ok(bearer) => let_through(bearer),
        Err(NotVerified::Token(error)) => refused(error.reason()),
        Err(NotVerified::Key(error)) => {
            let cause = Some(with_sources(&error).to_string());
            let (no, served) = refused("no key to verify the token with");
            (no, Served { level: Level::ERROR, cause, ..served })
        }
    }
}

fn let_through(Bearer { user_id, role }: Bearer) -> (Decision, Served) {
    let decision = Decision { is_authorized: true, context: Some(Context { user_id, role }) };
    let outcome = Some("let through");
    (decision, Served { outcome, user_id: Some(user_id), ..Served::default() })
}

fn refused(reason: &'static str) -> (Decision, Served) {
    let (outcome, reason) = (Some("refused"), Some(reason));
    (Decision::NO, Served { outcome, reason, ..Served::default() })
}

impl Decision {
    const NO: Self = Self { is_authorized: false, context: None };
}

/// Returns the value of the Authorization header.
///
/// The gateway caches decisions by identity source, so the decision must be based on it. The
/// headers are only for callers that omit it.
fn credentials(event: &Value) -> Option<&str> {
    if let Some(identity_source) = event["identitySource"].as_array() {
        return identity_source.first()?.as_str();
    }
    let mut headers = event["headers"].as_object()?.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    value.as_str()
}

/// Returns the bearer token (RFC 6750, section 2.1). The scheme's case does not matter (RFC 9110,
/// section 11.1).
fn bearer_token(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim_start())
}
