//! The kinds of problems that do not come from the shop itself.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use storefront_core::{OrderId, ProductId, UserId};

use super::{FieldError, Problem};

/// When to try again what failed for a passing reason.
const SOON: Duration = Duration::from_secs(1);

impl Problem {
    /// 400: what came is no HTTP request.
    pub(crate) fn malformed_request(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", "Malformed request", detail)
    }

    /// 400: the body is not JSON at all.
    pub(crate) fn malformed_body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed_body", "Malformed body", detail)
    }

    /// 400: a query parameter is missing, unknown, or not what it must be.
    pub fn invalid_query(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        let parameter = parameter.into();
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_query",
            "Invalid query",
            format!("Query parameter {parameter}: {detail}."),
        );
        problem.with_error(FieldError::parameter(parameter, detail))
    }

    /// 400: the cursor is not one that a page of this list gave.
    #[must_use]
    pub fn invalid_cursor() -> Self {
        let detail = "The cursor must be the nextCursor of a page of the same list.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_cursor", "Invalid cursor", detail)
            .with_error(FieldError::parameter("cursor", "is not a cursor of this list"))
    }

    /// 400: a header is not what it must be.
    #[must_use]
    pub fn invalid_header(name: &str, detail: impl fmt::Display) -> Self {
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_header",
            "Invalid header",
            format!("Header {name}: {detail}."),
        );
        problem.with_error(FieldError::parameter(name, detail))
    }

    /// 401: nobody is logged in.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "The request needs an access token in its Authorization header.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not logged in", detail)
    }

    /// 401: the access token is good, but who it was issued to has been deleted since.
    #[must_use]
    pub fn no_longer_a_user() -> Self {
        let detail = "The access token was issued to somebody who is no user any more.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not logged in", detail)
            .challenge("Bearer error=\"invalid_token\"")
    }

    /// 401: no user has this email and this password.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        let detail = "The email or the password is wrong.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", "Invalid credentials", detail)
    }

    /// 403: only administrators may do this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Forbidden",
            "Only an administrator may do this.",
        )
    }

    /// 403: the current password that was given to confirm a change is not the user's.
    #[must_use]
    pub fn wrong_password() -> Self {
        let detail = "The current password is wrong.";
        Self::new(StatusCode::FORBIDDEN, "wrong_password", "Wrong password", detail)
            .with_error(FieldError::pointer("/currentPassword", "is wrong"))
    }

    /// 404: nothing is served at this path.
    #[must_use]
    pub fn route_not_found() -> Self {
        let detail = "There is nothing at this path.";
        Self::new(StatusCode::NOT_FOUND, "route_not_found", "Not found", detail)
    }

    /// 404: there is no such user, or the caller may not know of them.
    #[must_use]
    pub fn user_not_found() -> Self {
        let detail = "There is no such user.";
        Self::new(StatusCode::NOT_FOUND, "user_not_found", "User not found", detail)
    }

    /// 404: there is no such product.
    #[must_use]
    pub fn product_not_found() -> Self {
        let detail = "There is no such product.";
        Self::new(StatusCode::NOT_FOUND, "product_not_found", "Product not found", detail)
    }

    /// 404: there is no such order, or the caller may not know of it.
    #[must_use]
    pub fn order_not_found() -> Self {
        let detail = "There is no such order.";
        Self::new(StatusCode::NOT_FOUND, "order_not_found", "Order not found", detail)
    }

    /// 405: the path is served, but not with this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "This path does not take this method; the header Allow names those it takes.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            detail,
        )
    }

    /// 412: the resource is not at the version that `If-Match` names.
    #[must_use]
    pub fn version_mismatch(detail: impl Into<String>) -> Self {
        let title = "Version mismatch";
        Self::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", title, detail)
    }

    /// 413: the body is too large.
    pub(crate) fn body_too_large() -> Self {
        let detail = format!("A body must not exceed {} KB.", crate::MAX_BODY_BYTES / 1024);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail)
    }

    /// 415: the body is not announced as JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        let title = "Unsupported media type";
        let detail = "A body must have the content type application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title, detail)
    }

    /// 422: the body is JSON, but its fields are not what they must be. Names each with its pointer.
    #[must_use]
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields of the body are not what they must be.";
        let title = "Invalid body";
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", title, detail);
        problem.0.body.errors = errors;
        problem
    }

    /// 422: one field of the body is not what it must be.
    pub fn invalid_field(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::invalid_body(vec![FieldError::pointer(pointer, detail)])
    }

    /// 500: something is broken here. The cause is for the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "Something went wrong here. The request id helps us find out what.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
            .caused_by(cause)
    }

    /// 503: something this depends on does not answer; trying again may help.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The shop cannot answer just now. Please try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", detail)
            .retry_after(SOON)
            .caused_by(cause)
    }

    /// 503: others were writing the same items all the time; nothing was changed.
    #[must_use]
    pub fn contention() -> Self {
        let detail = "Others are changing the same data just now; nothing was changed. \
                      Please try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "contention", "Contention", detail)
            .retry_after(SOON)
    }
}

/// The problems of ids: each kind of resource has its own 404.
impl crate::Resource for UserId {
    fn not_found() -> Problem {
        Problem::user_not_found()
    }
}

impl crate::Resource for ProductId {
    fn not_found() -> Problem {
        Problem::product_not_found()
    }
}

impl crate::Resource for OrderId {
    fn not_found() -> Problem {
        Problem::order_not_found()
    }
}
