use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::{OrderStatus, ProductId, Version};

/// What a repository answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was refused or failed.
///
/// The shop's own refusals come first: each says what the caller can do about it, and left the table
/// as it was. (A change that is read again for its answer may find that somebody has deleted the
/// item since: that too is `NotFound`.) The last four are failures.
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
    /// Who asks for the change is no user any more.
    #[error("who asks is no user any more")]
    CallerNotFound,
    /// Whose order it is may not change it so; administrators may.
    #[error("only an administrator may do this")]
    AdminOnly,
    /// Another user has this email.
    #[error("the email belongs to another user")]
    EmailTaken,
    /// The item was changed since the caller read it.
    #[error("the item is at version {current}, not at the expected one")]
    VersionMismatch {
        /// The version it has now.
        current: Version,
    },
    /// An order names products that do not exist.
    #[error("{} products do not exist", .0.len())]
    UnknownProducts(Vec<ProductId>),
    /// There is not enough stock.
    #[error("{} products are out of stock", .0.len())]
    OutOfStock(Vec<Shortage>),
    /// The products of an order are priced in more than one currency.
    #[error("the products are priced in several currencies: {}", .0.join(", "))]
    MixedCurrencies(Vec<&'static str>),
    /// An order without items.
    #[error("an order needs at least one item")]
    EmptyOrder,
    /// More distinct products than one transaction can hold.
    #[error("{count} items are more than the {} an order can hold", crate::MAX_ORDER_ITEMS)]
    TooManyItems {
        /// How many distinct products were asked for.
        count: usize,
    },
    /// One product's quantity, after merging, is none or more than an order item can hold.
    #[error("quantity {quantity} of product {product_id} is not 1 to {}", crate::MAX_QUANTITY)]
    InvalidQuantity {
        /// The product whose order items were merged.
        product_id: ProductId,
        /// Their sum.
        quantity: u64,
    },
    /// The order's status does not allow this change.
    #[error("an order that is {from} cannot become {to}")]
    InvalidStatusChange {
        /// The status it has now.
        from: OrderStatus,
        /// The status that was asked for.
        to: OrderStatus,
    },
    /// The idempotency key was used for another order.
    #[error("the idempotency key was used with other content")]
    IdempotencyKeyReused,
    /// Too many failed log-ins for this email.
    #[error("too many failed log-ins")]
    TooManyLogins {
        /// How long until the next one is let through.
        retry_after: Duration,
    },
    /// Others were writing the same items, and went on doing so through all tries. Nothing was
    /// written: the only way that it may be yet is a request that was given up as lost and reaches
    /// DynamoDB after all those that followed it.
    #[error("other writes to the same items were in the way")]
    Contention,
    /// DynamoDB did not answer in time, throttled, or failed by itself: trying again may help.
    /// Whether anything was written is not known.
    #[error("DynamoDB is unavailable")]
    Unavailable(#[source] Cause),
    /// DynamoDB refused a request that should have been right: a defect here or in the deployment.
    #[error("DynamoDB refused the request")]
    Refused(#[source] Cause),
    /// An item in the table is not what its key says it is.
    #[error("an item could not be read or written: {0}")]
    Item(String),
}

/// What lies behind a failure, for the log.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A product of which an order wanted more than there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// How many the order wanted.
    pub requested: u32,
    /// How many there are.
    pub available: u64,
}

impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let is_transient = match &error {
            SdkError::ServiceError(context) => {
                context.raw().status().is_server_error() || passes(context.err().code())
            }
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => true,
            _ => false,
        };
        if error.code() == Some("TransactionConflictException") {
            // A single write met a transaction. The SDK does not retry it.
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

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn passes(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "LimitExceededException"
                // The transaction's first try is still under way: it may yet be written.
                | "TransactionInProgressException"
        )
    )
}
