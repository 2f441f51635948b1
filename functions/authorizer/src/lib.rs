//! Lambda authorizer of the HTTP API: verifies access tokens and, if it is to, that their sessions are
//! not over.
//!
//! Takes API Gateway's authorizer request (payload 2.0) and returns the simple response.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use std::error::Error;

use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde_json::Value;
use storefront_core::{Role, SessionId, Sessions, UserId};
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
    /// A token of version 0.1 has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<SessionId>,
}

/// The function, which decides whether requests are authorized.
pub struct Authorizer {
    signing_keys: SigningKeys,
    sessions: Option<Sessions>,
    telemetry: Telemetry,
    metrics: MetricSink,
}

impl Authorizer {
    /// An authorizer that accepts tokens signed with these keys.
    #[must_use]
    pub fn new(signing_keys: SigningKeys) -> Self {
        let telemetry = Telemetry::new("authorizer");
        Self { signing_keys, sessions: None, telemetry, metrics: MetricSink::default() }
    }

    /// Makes the authorizer refuse the tokens of sessions that are over, which takes reads of the table
    /// (`ImmediateRevocation` in template.yaml). Without, such tokens are accepted until they expire.
    #[must_use]
    pub fn revoking_immediately(self, sessions: Sessions) -> Self {
        Self { sessions: Some(sessions), ..self }
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
        self.telemetry.observe(&ids, &metrics, self.decide(&payload)).await
    }

    async fn decide(&self, event: &Value) -> (Decision, Served) {
        let Some(token) = credentials(event).and_then(bearer_token) else {
            return refused("no bearer token");
        };
        let bearer: Bearer = match self.signing_keys.verify(token).await {
            Ok(bearer) => bearer,
            Err(NotVerified::Token(error)) => return refused(error.reason()),
            Err(NotVerified::Key(error)) => {
                return failed("no key to verify the token with", &error);
            }
        };
        let Some(sessions) = &self.sessions else { return let_through(bearer) };
        let Some(session_id) = bearer.session_id else { return refused("no session") };
        // Boxed, because the futures of requests are large and mostly not needed.
        match Box::pin(sessions.is_in_force(bearer.user_id, session_id)).await {
            Ok(true) => let_through(bearer),
            Ok(false) => refused("its session is over"),
            Err(error) => failed("its session could not be looked up", &error),
        }
    }
}

fn let_through(Bearer { user_id, role, session_id }: Bearer) -> (Decision, Served) {
    let context = Some(Context { user_id, role, session_id });
    let decision = Decision { is_authorized: true, context };
    let outcome = Some("let through");
    (decision, Served { outcome, user_id: Some(user_id), ..Served::default() })
}

fn refused(reason: &'static str) -> (Decision, Served) {
    let (outcome, reason) = (Some("refused"), Some(reason));
    (Decision::NO, Served { outcome, reason, ..Served::default() })
}

/// Refuses because of something that is wrong here.
fn failed(reason: &'static str, error: &(dyn Error + 'static)) -> (Decision, Served) {
    let cause = Some(with_sources(error).to_string());
    let (no, served) = refused(reason);
    (no, Served { level: Level::ERROR, cause, ..served })
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
