//! Converts API Gateway's events to requests for a function's routes.

use std::pin::Pin;

use axum::response::Response;
use axum::{Extension, Router, body};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Uri, header};
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::util::MapResponse;
use lambda_http::{Adapter, Body, Error, IntoResponse, LambdaEvent, Service as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Problem;

/// All characters of a path except slashes and the unreserved ones (RFC 3986, section 2.3).
const ENCODED_IN_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Answers an event of an HTTP API (payload 2.0) with the response of the [`crate::service`].
///
/// `lambda_http` converts the event and the response, but panics on events that are not valid HTTP
/// requests, and then no function answers the client or logs the reason. Here they get a 400 like
/// any other, with a request id and a line in the log.
///
/// # Errors
///
/// If the event is not one of an HTTP API, which no client can cause.
pub async fn answer(
    service: Router,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<impl Serialize, Error> {
    let (request, refused) = read(&event.payload)?;
    let service = match refused {
        None => service,
        Some(refused) => service.layer(Extension(refused)),
    };
    let event = LambdaEvent::new(LambdaRequest::ApiGatewayV2(request), event.context);
    // The adapter itself must not live across the await, because it is not `Send`. A router is
    // always ready.
    let answering = Adapter::from(MapResponse::new(service, Utf8)).call(event);
    Ok(answering.await?)
}

/// A response in UTF-8, as all of the shop's are.
///
/// `lambda_http` would look up the character set in the headers, and so make the decoders of all
/// character sets a part of every function: 140 KB of its zip.
struct Utf8(Response);

impl IntoResponse for Utf8 {
    fn into_response(self) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let (parts, body) = self.0.into_parts();
        Box::pin(async move {
            // It is in memory, and so cannot fail to be read.
            let bytes = body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            let body = String::from_utf8(bytes.into())
                .map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text);
            http::Response::from_parts(parts, body)
        })
    }
}

/// Why an event cannot be served. It is passed on with what is left of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// A header or the method is malformed.
    Unreadable,
    /// The path and the query do not form a valid URI.
    Uri,
    /// The event says that the body is Base64, but it is not.
    Body,
}

impl Refused {
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Unreadable => Problem::malformed_request("The method or a header is malformed."),
            Self::Uri => Problem::malformed_request("The URI is malformed or too long."),
            Self::Body => Problem::malformed_body("The body could not be read."),
        }
    }
}

/// Reads the request in a form that `lambda_http` can convert. If that is impossible, returns what
/// is left of it, and the reason.
fn read(event: &RawValue) -> serde_json::Result<(ApiGatewayV2httpRequest, Option<Refused>)> {
    let mut request = match serde_json::from_str::<ApiGatewayV2httpRequest>(event.get()) {
        Ok(request) => request,
        Err(error) => {
            let request_id = request_id(event).ok_or(error)?;
            return Ok((nothing(request_id), Some(Refused::Unreadable)));
        }
    };
    let refused = make_convertible(&mut request).err();
    if refused.is_some() {
        request.request_context.stage = None;
        request.raw_path = None;
        request.raw_query_string = None;
        request.body = None;
    }
    Ok((request, refused))
}

fn make_convertible(request: &mut ApiGatewayV2httpRequest) -> Result<(), Refused> {
    // The host has no meaning behind the gateway, but would become part of the URI.
    request.headers.remove(header::HOST);
    request.request_context.domain_name = None;

    // The gateway has decoded the path, so it may contain any character.
    let path = request.raw_path.take().unwrap_or_default();
    let path = utf8_percent_encode(&path, ENCODED_IN_PATHS).to_string();
    // The stage may be put in front of it.
    let stage = request.request_context.stage.as_deref().unwrap_or_default();
    let query = request.raw_query_string.as_deref().unwrap_or_default();
    let uri = Uri::try_from(format!("/{stage}{path}?{query}"));
    if !path.is_empty() && !path.starts_with('/') || uri.is_err() {
        return Err(Refused::Uri);
    }
    request.raw_path = Some(path);

    let body = request.body.as_ref().filter(|_| request.is_base64_encoded);
    if body.is_some_and(|body| STANDARD.decode(body).is_err()) {
        return Err(Refused::Body);
    }
    Ok(())
}

/// Returns the gateway's id of a request that cannot be read; `None` if the event is not from an
/// HTTP API.
fn request_id(event: &RawValue) -> Option<Option<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        request_context: Context,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        #[serde(rename = "http")]
        _http: IgnoredAny,
        request_id: Option<String>,
    }

    let event: Event = serde_json::from_str(event.get()).ok()?;
    Some(event.request_context.request_id)
}

/// Returns a request of which only the id is known.
fn nothing(request_id: Option<String>) -> ApiGatewayV2httpRequest {
    let mut request = ApiGatewayV2httpRequest::default();
    request.request_context.request_id = request_id;
    request
}
