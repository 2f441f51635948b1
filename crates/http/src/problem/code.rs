//! The table of problems: the only place that defines them, with their codes, statuses and titles.
//!
//! Responses, the OpenAPI document and the docs take them from here. To add one, add a row; the
//! compiler and `cargo xtask` say what else it needs.

use std::fmt;

use http::StatusCode;
use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::responses::ProblemList;

macro_rules! problems {
    ($(
        #[doc = $description:literal]
        $name:ident = $status:ident $code:literal $title:literal
    )*) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ProblemCode {
            $(#[doc = $description] $name,)*
        }

        impl ProblemCode {
            /// Every kind, sorted by status.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The status of the response.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }

            /// The kind in a few words, the same in every response.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// When a client gets it, for the OpenAPI document and the docs.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => $description.trim_ascii(),)*
                }
            }
        }

        /// The kinds of problems as types, for the annotations of handlers: see
        /// [`Problems`](crate::Problems).
        pub mod problems {
            use super::{ProblemCode, ProblemList};

            $(
                #[doc = $description]
                #[derive(Clone, Copy, Debug)]
                pub struct $name;

                impl ProblemList for $name {
                    fn codes() -> Vec<ProblemCode> {
                        vec![ProblemCode::$name]
                    }
                }
            )*
        }
    };
}

problems! {
    /// the cursor is not from a page of this list
    InvalidCursor = BAD_REQUEST "invalid_cursor" "Invalid cursor"
    /// `errors` names the header
    InvalidHeader = BAD_REQUEST "invalid_header" "Invalid header"
    /// `errors` names the parameter
    InvalidQuery = BAD_REQUEST "invalid_query" "Invalid query"
    /// the body is not JSON
    MalformedBody = BAD_REQUEST "malformed_body" "Malformed body"
    /// this is not an HTTP request, or its URI is too long
    MalformedRequest = BAD_REQUEST "malformed_request" "Malformed request"
    /// no user has this email and password
    InvalidCredentials = UNAUTHORIZED "invalid_credentials" "Invalid credentials"
    /// the refresh token is not valid, or its session is over: log in again
    SessionOver = UNAUTHORIZED "session_over" "Session over"
    /// the access token is missing, or its user has been deleted
    Unauthenticated = UNAUTHORIZED "unauthenticated" "Not logged in"
    /// only an administrator, or only staff, may do this
    Forbidden = FORBIDDEN "forbidden" "Forbidden"
    /// `currentPassword` is not the user's
    WrongPassword = FORBIDDEN "wrong_password" "Wrong password"
    /// the shop sends no mails
    MailDisabled = NOT_FOUND "mail_disabled" "Mail disabled"
    /// there is no such order, or it is somebody else's
    OrderNotFound = NOT_FOUND "order_not_found" "Order not found"
    /// there is no such product
    ProductNotFound = NOT_FOUND "product_not_found" "Product not found"
    /// there is nothing at this path, for example because a parameter contains an encoded slash
    RouteNotFound = NOT_FOUND "route_not_found" "Not found"
    /// there is no such session, or it is somebody else's
    SessionNotFound = NOT_FOUND "session_not_found" "Session not found"
    /// there is no such user, or the caller may not see them
    UserNotFound = NOT_FOUND "user_not_found" "User not found"
    /// the `Allow` header names the methods of this path
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed" "Method not allowed"
    /// administrators cannot demote or delete themselves; another one can
    AdministratorNeeded = CONFLICT "administrator_needed" "Administrator needed"
    /// another user has the email
    EmailTaken = CONFLICT "email_taken" "Email taken"
    /// the order's status does not allow this change
    InvalidStatusChange = CONFLICT "invalid_status_change" "Invalid status change"
    /// `products` names those that are not for sale at the moment
    NotForSale = CONFLICT "not_for_sale" "Not for sale"
    /// the order was not paid, so there is nothing to pay back
    NotPaid = CONFLICT "not_paid" "Not paid"
    /// `products` names what is short, and how much there is
    OutOfStock = CONFLICT "out_of_stock" "Out of stock"
    /// more than was paid and has not been paid back yet
    RefundTooLarge = CONFLICT "refund_too_large" "Refund too large"
    /// the product's stock is unlimited, so it cannot change by a number of pieces
    StockNotCounted = CONFLICT "stock_not_counted" "Stock not counted"
    /// as many orders as the shop allows wait for the customer's payment, or none of twice as many was paid
    TooManyOpenOrders = CONFLICT "too_many_open_orders" "Too many open orders"
    /// the total is not `expectedTotal`; `total` and `products` have the current total and prices
    TotalChanged = CONFLICT "total_changed" "Total changed"
    /// the current version is not the one in `If-Match`
    VersionMismatch = PRECONDITION_FAILED "version_mismatch" "Version mismatch"
    /// the body is larger than 256 KB
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "Body too large"
    /// the body is not `application/json`
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "Unsupported media type"
    /// the key was used for another request
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused" "Idempotency key reused"
    /// `errors` names the fields
    InvalidBody = UNPROCESSABLE_ENTITY "invalid_body" "Invalid body"
    /// the token of a mail was used, has expired or is none, or its user has changed since
    MailTokenInvalid = UNPROCESSABLE_ENTITY "mail_token_invalid" "Mail token invalid"
    /// the products are priced in different currencies
    MixedCurrencies = UNPROCESSABLE_ENTITY "mixed_currencies" "Mixed currencies"
    /// no list has the orders of this status: the shop has nothing to do with them
    NotListed = UNPROCESSABLE_ENTITY "not_listed" "Not listed"
    /// an order cannot hold so many different products
    TooManyItems = UNPROCESSABLE_ENTITY "too_many_items" "Too many items"
    /// the total is more than 9007199254740991, which many JSON clients could not read exactly
    TotalTooLarge = UNPROCESSABLE_ENTITY "total_too_large" "Total too large"
    /// `products` names those that do not exist
    UnknownProducts = UNPROCESSABLE_ENTITY "unknown_products" "Unknown products"
    /// there were too many wrong passwords, from this address or for this email
    TooManyLogins = TOO_MANY_REQUESTS "too_many_logins" "Too many log-ins"
    /// an internal failure
    Internal = INTERNAL_SERVER_ERROR "internal" "Internal error"
    /// others are changing the same data; nothing was changed
    Contention = SERVICE_UNAVAILABLE "contention" "Contention"
    /// the shop cannot answer at the moment; trying again may help
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "Unavailable"
}

impl ProblemCode {
    /// Identifies the kind (RFC 9457, `type`).
    #[must_use]
    pub fn urn(self) -> String {
        format!("urn:storefront:problem:{self}")
    }

    /// Whether responses say when to try again.
    pub(crate) const fn has_retry_after(self) -> bool {
        matches!(self, Self::TooManyLogins | Self::Contention | Self::Unavailable)
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl PartialSchema for ProblemCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The kind of problem, for programs"))
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .examples(["email_taken"])
            .into()
    }
}

impl ToSchema for ProblemCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_status_and_names_each_code_once() {
        let rows: Vec<_> =
            ProblemCode::ALL.iter().map(|code| (code.status(), code.as_str())).collect();
        assert!(rows.is_sorted_by_key(|(status, _)| *status), "{rows:?}");
        for (i, (_, code)) in rows.iter().enumerate() {
            assert!(rows[..i].iter().all(|(_, other)| other != code), "{code} twice");
        }
    }
}
