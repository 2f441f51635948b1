//! `/_local`: what people ask of the local cloud itself.

use std::net::IpAddr;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::json;

use crate::guard;

/// Returns these routes, and 404 for other paths of `/_local`, behind the check of their callers.
/// `listen` is the address that the local cloud listens on.
pub(crate) fn guarded(routes: Router, listen: IpAddr) -> Router {
    let routes =
        routes.route("/_local/{*path}", any(async || refusal(StatusCode::NOT_FOUND, "Not Found")));
    guard::own_machine_only(routes, "/_local", listen)
}

/// Returns an answer in the shape of the gateway's own.
pub(crate) fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
