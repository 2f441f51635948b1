//! Lambda authorizer of the HTTP API: verifies access tokens.
//!
//! Takes API Gateway's authorizer request, payload 2.0, and gives its simple response.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use serde::Serialize;
use serde_json::Value;
use storefront_core::{Role, UserId};
use storefront_credentials::access_token::Bearer;
use storefront_credentials::{NotVerified, SigningKeys};
use storefront_http::logging::with_sources;
use tracing::{Instrument as _, debug, error, error_span, info};

/// Whether the gateway lets a request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    is_authorized: bool,
    /// What the function learns of the caller, in `requestContext.authorizer.lambda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    user_id: UserId,
    role: Role,
}

/// Decides on a request.
///
/// Whatever is wrong with it, the answer is no: an error would be the client's 500, and could be
/// provoked by anyone.
pub async fn authorize(signing_keys: &SigningKeys, event: &Value) -> Decision {
    let request_id = event["requestContext"]["requestId"].as_str();
    let span = error_span!("request", function = "authorizer", request_id);
    decide(signing_keys, event).instrument(span).await
}

async fn decide(signing_keys: &SigningKeys, event: &Value) -> Decision {
    let Some(token) = credentials(event).and_then(bearer_token) else {
        info!(reason = "no bearer token", "request refused");
        return Decision::NO;
    };
    match signing_keys.verify(token).await {
        Ok(Bearer { user_id, role }) => {
            debug!(%user_id, %role, "request let through");
            Decision { is_authorized: true, context: Some(Context { user_id, role }) }
        }
        Err(NotVerified::Token(error)) => {
            info!(reason = error.reason(), "request refused");
            Decision::NO
        }
        Err(NotVerified::Key(error)) => {
            error!(cause = %with_sources(&error), "request refused without looking at it");
            Decision::NO
        }
    }
}

impl Decision {
    const NO: Self = Self { is_authorized: false, context: None };
}

/// The value of the Authorization header.
///
/// The gateway keeps decisions by identity source, so that is what must be decided on; the headers
/// are for callers that leave it out.
fn credentials(event: &Value) -> Option<&str> {
    if let Some(identity_source) = event["identitySource"].as_array() {
        return identity_source.first()?.as_str();
    }
    let mut headers = event["headers"].as_object()?.iter();
    let (_, value) = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    value.as_str()
}

/// RFC 6750, section 2.1; the scheme's case does not count (RFC 9110, section 11.1).
fn bearer_token(credentials: &str) -> Option<&str> {
    let (scheme, token) = credentials.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim_start())
}
