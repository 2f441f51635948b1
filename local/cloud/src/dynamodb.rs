//! DynamoDB's API, for the functions and for tools such as the AWS CLI.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri, Version, header};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::{TokioExecutor, TokioIo};
use storefront_embedded::PrivateDynamoDb;
use tower::service_fn;

use crate::guard;

/// Returns the API of this database, behind the check of its callers. `listen` is the address that the
/// local cloud listens on.
pub(crate) fn guarded(database: PrivateDynamoDb, listen: IpAddr) -> Router {
    let connector = service_fn(move |_: Uri| {
        let database = database.clone();
        Box::pin(async move { database.connect().await.map(TokioIo::new) })
    });
    // Connections are kept: each cost a listener to open.
    let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(None).build(connector);
    let routes = Router::new().fallback(move |request: Request| forward(client.clone(), request));
    guard::own_machine_only(routes, "DynamoDB's port", listen)
}

/// Passes a request on as it is, except that its page is not named: it is DynamoDB's own, and the
/// database would allow every other one, too.
async fn forward(
    client: Client<impl Connect + Clone + Send + Sync + 'static, Body>,
    mut request: Request,
) -> Response {
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let Ok(uri) = Uri::builder().scheme("http").authority("dynamodb").path_and_query(path).build()
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    for name in [header::ORIGIN, header::CONNECTION] {
        request.headers_mut().remove(name);
    }
    match client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!("DynamoDB does not answer: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, r#"{"__type":"InternalServerError"}"#)
                .into_response()
        }
    }
}
