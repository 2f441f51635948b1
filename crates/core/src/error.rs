use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::{Adjustment, Currency, OrderItem, OrderStatus, ProductId, SessionEnd, Version};

/// The result of a repository's operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was rejected or failed.
///
/// The shop's own rejections come first: each says what the caller can do about it, and left the
/// table unchanged. (An update reads the item again for its result. If somebody has deleted the
/// item since, that is `NotFound` too.) The last four are failures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no user with this id.
    #[error("there is no such user")]
    UserNotFound,
    /// There is no product with this id.
    #[error("there is no such product")]
    ProductNotFound,
    /// There is no order with this id, or it belongs to somebody else.
    #[error("there is no such order")]
    OrderNotFound,
    /// There is no session with this id, or it is somebody else's.
    #[error("there is no such session")]
    SessionNotFound,
    /// The session of a refresh token is over.
    #[error("the session is over")]
    SessionOver(SessionEnd),
    /// The token of a mail is unknown, was used or has expired, or its user has changed since.
    #[error("the token of the mail is not valid")]
    MailTokenInvalid,
    /// The user who asks for the change has been deleted.
    #[error("the caller has been deleted")]
    CallerNotFound,
    /// An order's owner may not make this change; staff may.
    #[error("only staff may do this")]
    StaffOnly,
    /// The caller is not an administrator any more.
    #[error("only administrators may do this")]
    AdministratorsOnly,
    /// Administrators cannot take the role away from themselves.
    #[error("another administrator has to do this")]
    AdministratorNeeded,
    /// Another user has this email.
    #[error("the email belongs to another user")]
    EmailTaken,
    /// The item was changed since the caller read it.
    #[error("the item is at version {current}, not at the expected version")]
    VersionMismatch {
        /// The current version.
        current: Version,
    },
    /// An order names products that do not exist.
    #[error("{} products do not exist", .0.len())]
    UnknownProducts(Vec<ProductId>),
    /// An order names products that are not for sale at the moment.
    #[error("{} products are not for sale", .0.len())]
    NotForSale(Vec<ProductId>),
    /// The stock of this product is not counted, so it cannot change by a number of pieces.
    #[error("the product's stock is not counted")]
    StockNotCounted,
    /// The stock would be larger than [`MAX_STOCK`](crate::MAX_STOCK).
    #[error("the stock {stock} is more than {}", crate::MAX_STOCK)]
    StockTooLarge {
        /// The stock, in pieces.
        stock: u64,
    },
    /// There is not enough stock.
    #[error("{} products are out of stock", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// The products of an order are priced in more than one currency.
    #[error("the products are priced in several currencies: {}", .0.join(", "))]
    MixedCurrencies(Vec<&'static str>),
    /// The order's total is larger than [`MAX_TOTAL`](crate::MAX_TOTAL).
    #[error("the total {total} is more than {}", crate::MAX_TOTAL)]
    TotalTooLarge {
        /// The total, in the currency's minor unit.
        total: u64,
    },
    /// The order's total is not the one that the customer has seen.
    #[error("the total is {} now", .0.total)]
    TotalChanged(CurrentTotal),
    /// The user has as many pending orders as the shop allows, or has left too many unpaid.
    #[error("the user has {max} pending orders or more, or has paid for none of twice as many")]
    TooManyOpenOrders {
        /// How many are allowed.
        max: u32,
    },
    /// An order without items.
    #[error("an order needs at least one item")]
    EmptyOrder,
    /// More distinct products than one transaction can hold.
    #[error("{count} items are more than the {} an order can hold", crate::MAX_ORDER_ITEMS)]
    TooManyItems {
        /// The number of distinct products in the order.
        count: usize,
    },
    /// After merging, a product's quantity is zero or more than an order item can hold.
    #[error("quantity {quantity} of product {product_id} is not 1 to {}", crate::MAX_QUANTITY)]
    InvalidQuantity {
        /// The product whose order items were merged.
        product_id: ProductId,
        /// The sum of their quantities.
        quantity: u64,
    },
    /// The order's status does not allow this change.
    #[error("an order that is {from} cannot become {to}")]
    InvalidStatusChange {
        /// The current status.
        from: OrderStatus,
        /// The requested status.
        to: OrderStatus,
    },
    /// The order is shipped already, with other tracking.
    #[error("the order was shipped with other tracking")]
    OtherTracking,
    /// Nobody has paid the order, so there is nothing to pay back.
    #[error("the order was not paid")]
    NotPaid,
    /// More than was paid and not paid back yet.
    #[error("only {left} can be paid back")]
    RefundTooLarge {
        /// What can still be paid back, in the currency's minor unit.
        left: u64,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used with other content")]
    IdempotencyKeyReused,
    /// Too many failed log-ins for this email.
    #[error("too many failed log-ins")]
    TooManyLogins {
        /// How long until the next attempt is allowed.
        retry_after: Duration,
    },
    /// Other requests were writing the same items during all tries. Nothing was written. It may
    /// still be in one case only: a request that was given up as lost reaches DynamoDB after all
    /// those that followed it.
    #[error("every try conflicted with other writes to the same items")]
    Contention,
    /// DynamoDB did not answer in time, throttled the request, or failed: a retry may help. Whether
    /// anything was written is unknown.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Cause),
    /// DynamoDB rejected a request that should be valid: a bug here or in the deployment.
    #[error("DynamoDB refused the request")]
    Refused(#[source] Cause),
    /// An item in the table is not what its key says it is.
    #[error("an item could not be read or written: {0}")]
    Item(String),
}

impl Error {
    /// Whether the products of a request, their stock, or the user's open orders are the reason. An
    /// earlier request with the same idempotency key may have made them so.
    pub(crate) const fn may_be_of_earlier(&self) -> bool {
        matches!(
            self,
            Self::OutOfStock(_)
                | Self::TooManyOpenOrders { .. }
                | Self::NotForSale(_)
                | Self::StockNotCounted
                | Self::StockTooLarge { .. }
                | Self::ProductNotFound
                | Self::UnknownProducts(_)
                | Self::MixedCurrencies(_)
                | Self::TotalTooLarge { .. }
                | Self::TotalChanged(_)
        )
    }
}

/// The cause of a failure, for the log.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What an order would cost now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentTotal {
    /// In the currency's minor unit.
    pub total: u64,
    /// The currency of the total and the prices.
    pub currency: Currency,
    /// The order's items at their current prices.
    pub items: Vec<OrderItem>,
    /// What is added to them, or taken off.
    pub adjustments: Vec<Adjustment>,
}

/// A product with less stock than requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// The requested quantity.
    pub requested: u64,
    /// The stock.
    pub available: u64,
}

impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let is_transient = match &error {
            SdkError::ServiceError(context) => {
                context.raw().status().is_server_error() || is_retryable(context.err().code())
            }
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => true,
            _ => false,
        };
        if error.code() == Some("TransactionConflictException") {
            // A single write conflicted with a transaction. The SDK does not retry this.
            Self::Contention
        } else if is_transient {
            Self::Unavailable(error.into())
        } else {
            Self::Refused(error.into())
        }
    }
}

impl From<serde_dynamo::Error> for Error {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Item(error.to_string())
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for Error {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Refused(error.into())
    }
}

/// Whether a retry may help:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn is_retryable(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "LimitExceededException"
                // The transaction's first try is still in progress, and may yet be written.
                | "TransactionInProgressException"
        )
    )
}
