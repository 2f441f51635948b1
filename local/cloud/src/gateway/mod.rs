//! The local cloud's API Gateway: converts HTTP requests to payload 2.0 events, calls the
//! authorizer, invokes the functions, and responds as an HTTP API would.

mod authorizer;
mod event;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};
use storefront_template::{Cors, Template};
use tower_http::cors::CorsLayer;
use uuid::Uuid;

use crate::Error;
use crate::function::Function;
use authorizer::{Authorizer, Verdict};
use event::Incoming;
use routes::{Routes, Target};

/// The maximum payload of an HTTP API.
const PAYLOAD_LIMIT: usize = 10 * 1024 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The gateway's own responses. They cannot be customised on AWS, so they are not problems.
#[derive(Clone, Copy)]
enum Refusal {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    TooLarge,
    FunctionFailed,
}

struct Gateway {
    routes: Routes,
    authorizer: Option<Authorizer>,
    address: SocketAddr,
}

/// Returns the API of a template. `functions` are by logical id, and `address` is the API's own.
pub(crate) fn router(
    template: &Template,
    functions: &HashMap<String, Function>,
    address: SocketAddr,
) -> Result<Router, Error> {
    let authorizer = match template.authorizer()? {
        Some(definition) => {
            let function = functions
                .get(&definition.function)
                .ok_or_else(|| Error::NoSuchFunction { logical_id: definition.function.clone() })?;
            Some(Authorizer::new(function.clone(), definition))
        }
        None => None,
    };
    let gateway =
        Gateway { routes: Routes::new(template.routes()?, functions)?, authorizer, address };
    let router = Router::new().fallback(serve).with_state(Arc::new(gateway));
    Ok(match template.cors()? {
        Some(cors) => router.layer(cors_layer(&cors)),
        None => router,
    })
}

async fn serve(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let started_at = Instant::now();
    let request_id = Uuid::new_v4().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());

    let answer = gateway.answer(request, client, &request_id).await;
    let mut response = answer.unwrap_or_else(Refusal::response);

    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    tracing::info!(
        "{method} {path} {} {:.1} ms",
        response.status().as_u16(),
        started_at.elapsed().as_secs_f64() * 1000.0,
    );
    response
}

impl Gateway {
    async fn answer(
        &self,
        request: Request,
        client: SocketAddr,
        request_id: &str,
    ) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let (target, path_parameters) =
            self.routes.find(&parts.method, parts.uri.path()).ok_or(Refusal::NotFound)?;
        let incoming = Incoming {
            request_id,
            route_key: &target.route_key,
            path_parameters,
            parts: &parts,
            client,
            server: self.address,
        };
        let context = self.authorize(target, &incoming).await?;
        let body = read(body).await?;
        let event = incoming.for_function(&body, context.as_ref());
        let answer = target.function.invoke(&event).await.map_err(|error| {
            tracing::error!("{}: {error}", target.route_key);
            Refusal::FunctionFailed
        })?;
        response(&answer).ok_or_else(|| {
            tracing::error!("{}: not a valid HTTP response: {answer}", target.route_key);
            Refusal::FunctionFailed
        })
    }

    /// Returns the authorizer's context for the caller, if the route needs authorization.
    async fn authorize(
        &self,
        target: &Target,
        request: &Incoming<'_>,
    ) -> Result<Option<Value>, Refusal> {
        let Some(authorizer) = self.authorizer.as_ref().filter(|_| target.authorized) else {
            return Ok(None);
        };
        match authorizer.ask(request).await {
            Ok(Verdict::Allowed(context)) => Ok(Some(context)),
            Ok(Verdict::Denied) => Err(Refusal::Forbidden),
            Ok(Verdict::Unidentified) => Err(Refusal::Unauthorized),
            Err(error) => {
                tracing::error!("authorizer: {error}");
                Err(Refusal::FunctionFailed)
            }
        }
    }
}

impl Refusal {
    fn response(self) -> Response {
        let (status, message) = match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::FunctionFailed => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        };
        (status, axum::Json(json!({ "message": message }))).into_response()
    }
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    // Says so before the client has sent it.
    if body.size_hint().lower() > PAYLOAD_LIMIT as u64 {
        return Err(Refusal::TooLarge);
    }
    match Limited::new(body, PAYLOAD_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        // It is malformed, or the client disconnected and does not see this response.
        Err(_) => Err(Refusal::BadRequest),
    }
}

/// Converts a function's answer to an HTTP response.
fn response(answer: &Value) -> Option<Response> {
    let status = u16::try_from(answer["statusCode"].as_u64()?).ok()?;
    let body = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).ok()?,
        _ => body.as_bytes().to_vec(),
    };
    let mut response = Response::builder().status(status);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        response = response.header(header::SET_COOKIE, cookie.as_str()?);
    }
    response.body(Body::from(body)).ok()
}

fn cors_layer(cors: &Cors) -> CorsLayer {
    fn parsed<T: for<'a> TryFrom<&'a str>>(values: &[String]) -> Vec<T> {
        values.iter().filter_map(|value| T::try_from(value.as_str()).ok()).collect()
    }
    let any = |values: &[String]| values.iter().any(|value| value == "*");
    let layer = CorsLayer::new().allow_credentials(cors.allow_credentials);
    let layer = if any(&cors.allow_origins) {
        layer.allow_origin(tower_http::cors::Any)
    } else {
        layer.allow_origin(parsed::<HeaderValue>(&cors.allow_origins))
    };
    let layer = if any(&cors.allow_headers) {
        layer.allow_headers(tower_http::cors::Any)
    } else {
        layer.allow_headers(parsed::<HeaderName>(&cors.allow_headers))
    };
    let layer = if any(&cors.allow_methods) {
        layer.allow_methods(tower_http::cors::Any)
    } else {
        layer.allow_methods(parsed::<Method>(&cors.allow_methods))
    };
    let layer = layer.expose_headers(parsed::<HeaderName>(&cors.expose_headers));
    match cors.max_age {
        Some(age) => layer.max_age(age),
        None => layer,
    }
}
