//! The kinds of problems that do not come from the shop itself.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::{FieldError, Problem, ProblemCode};

/// When to try again after a temporary failure.
const SOON: Duration = Duration::from_secs(1);

impl Problem {
    /// 400: the event is not a valid HTTP request.
    pub(crate) fn malformed_request(detail: &'static str) -> Self {
        Self::new(ProblemCode::MalformedRequest, detail)
    }

    /// 400: the body is not JSON at all.
    pub(crate) fn malformed_body(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::MalformedBody, detail)
    }

    /// 400: a query parameter is missing, unknown or invalid.
    pub fn invalid_query(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        let parameter = parameter.into();
        let problem =
            Self::new(ProblemCode::InvalidQuery, format!("Query parameter {parameter}: {detail}."));
        problem.with_error(FieldError::parameter(parameter, detail))
    }

    /// 400: the cursor is not from a page of this list.
    #[must_use]
    pub fn invalid_cursor() -> Self {
        let detail = "The cursor must be the nextCursor of a page of the same list.";
        Self::new(ProblemCode::InvalidCursor, detail)
            .with_error(FieldError::parameter("cursor", "is not a cursor of this list"))
    }

    /// 400: a header is invalid.
    #[must_use]
    pub fn invalid_header(name: &str, detail: impl fmt::Display) -> Self {
        let problem = Self::new(ProblemCode::InvalidHeader, format!("Header {name}: {detail}."));
        problem.with_error(FieldError::parameter(name, detail))
    }

    /// 401: the caller is not logged in.
    #[must_use]
    pub fn unauthenticated() -> Self {
        let detail = "The request needs an access token in its Authorization header.";
        Self::new(ProblemCode::Unauthenticated, detail)
    }

    /// 401: the access token is valid, but its user has been deleted since.
    #[must_use]
    pub fn no_longer_a_user() -> Self {
        let detail = "The user of this access token has been deleted.";
        Self::new(ProblemCode::Unauthenticated, detail).challenge("Bearer error=\"invalid_token\"")
    }

    /// 401: no user has this email and this password.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        let detail = "The email or the password is wrong.";
        Self::new(ProblemCode::InvalidCredentials, detail)
    }

    /// 401: the refresh token is not valid, or its session is over.
    #[must_use]
    pub fn session_over() -> Self {
        let detail = "The refresh token is not valid, or its session is over. Log in again.";
        Self::new(ProblemCode::SessionOver, detail).challenge("Bearer error=\"invalid_token\"")
    }

    /// 403: only administrators may do this.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(ProblemCode::Forbidden, "Only an administrator may do this.")
    }

    /// 403: only staff and administrators may do this.
    #[must_use]
    pub fn staff_only() -> Self {
        Self::new(ProblemCode::Forbidden, "Only staff may do this.")
    }

    /// 403: the current password that was given to confirm a change is not the user's.
    #[must_use]
    pub fn wrong_password() -> Self {
        let detail = "The current password is wrong.";
        Self::new(ProblemCode::WrongPassword, detail)
            .with_error(FieldError::pointer("/currentPassword", "is wrong"))
    }

    /// 404: the shop sends no mails.
    #[must_use]
    pub fn mail_disabled() -> Self {
        let detail = "The shop sends no mails. An administrator can set a new password.";
        Self::new(ProblemCode::MailDisabled, detail)
    }

    /// 404: nothing is served at this path.
    #[must_use]
    pub fn route_not_found() -> Self {
        let detail = "There is nothing at this path.";
        Self::new(ProblemCode::RouteNotFound, detail)
    }

    /// 404: there is no such user, or the caller may not see them.
    #[must_use]
    pub fn user_not_found() -> Self {
        let detail = "There is no such user.";
        Self::new(ProblemCode::UserNotFound, detail)
    }

    /// 405: the path is served, but not with this method.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let detail = "This path does not support the method; the Allow header names those it does.";
        Self::new(ProblemCode::MethodNotAllowed, detail)
    }

    /// 412: the resource is not at the version that `If-Match` names.
    #[must_use]
    pub fn version_mismatch(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::VersionMismatch, detail)
    }

    /// 413: the body is too large.
    pub(crate) fn body_too_large(max_bytes: usize) -> Self {
        let detail = format!("A body must not exceed {} KB.", max_bytes / 1024);
        Self::new(ProblemCode::BodyTooLarge, detail)
    }

    /// 415: the body's content type is not JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "A body must have the content type application/json.";
        Self::new(ProblemCode::UnsupportedMediaType, detail)
    }

    /// 422: the body is JSON, but some fields are invalid. Names each with its pointer.
    #[must_use]
    pub fn invalid_body(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields of the body are invalid.";
        let mut problem = Self::new(ProblemCode::InvalidBody, detail);
        problem.0.body.errors = errors;
        problem
    }

    /// 422: no list has the orders with this value of a query parameter.
    #[must_use]
    pub fn not_listed(parameter: &str, value: impl fmt::Display) -> Self {
        let detail = format!(
            "No list has the orders of all users with {parameter}={value}, because the shop has \
             nothing to do with them. There are status=pending, status=paid, status=shipped and \
             payment=refund_due; userId lists all orders of a user."
        );
        Self::new(ProblemCode::NotListed, detail)
            .with_error(FieldError::parameter(parameter, "has no list"))
    }

    /// 422: one field of the body is invalid.
    pub fn invalid_field(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::invalid_body(vec![FieldError::pointer(pointer, detail)])
    }

    /// 500: an internal failure. The cause is for the log.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "Something went wrong here. The request id helps us find out what.";
        Self::new(ProblemCode::Internal, detail).caused_by(cause)
    }

    /// 503: a dependency does not answer; trying again may help.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "The shop cannot answer at the moment. Please try again.";
        Self::new(ProblemCode::Unavailable, detail).retry_after(SOON).caused_by(cause)
    }

    /// 503: others kept writing the same items; nothing was changed.
    #[must_use]
    pub fn contention() -> Self {
        let detail = "Others are changing the same data just now; nothing was changed. \
                      Please try again.";
        Self::new(ProblemCode::Contention, detail).retry_after(SOON)
    }
}
