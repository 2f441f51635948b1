//! Users, products and orders of a web shop on one DynamoDB table.
//!
//! The repositories, [`Users`], [`Products`], [`Orders`] and [`Mails`], share one [`Table`]; every key is
//! built in [`schema`]. The crate knows nothing of HTTP or Lambda: a caller uses these functions
//! and maps [`Error`] to its own responses.
//!
//! Rules that must hold for every caller (unique emails, stock, status changes, idempotent orders)
//! are conditions of the writes themselves, never a read before the write. [`Orders::place`]
//! describes the one exception.

pub mod access_patterns;
pub mod aws;
pub mod before_0_2;
pub mod capacity;
pub mod schema;
pub mod text;

mod access;
mod category;
mod change;
mod email;
mod error;
mod id;
mod idempotency;
mod mails;
mod money;
mod openapi;
mod orders;
mod page;
mod products;
mod request_id;
mod retry;
mod stock;
mod table;
mod timestamp;
mod transaction;
mod users;

pub use category::{Category, InvalidCategory};
pub use email::{Email, InvalidEmail};
pub use error::{CurrentTotal, Error, Result, Shortage};
pub use id::{EntityId, InvalidId, OrderId, ProductId, SessionId, UserId};
pub use idempotency::{IdempotencyKey, InvalidIdempotencyKey, Once};
pub use iso_currency::Currency;
pub use mails::{Claim, Claimed, Mails, Settled};
pub use money::{InvalidCurrency, MAX_TOTAL, PriceCurrency};
pub use orders::{
    Address, AddressLine, Adjustment, AdjustmentKind, CancelReason, Country, CreatedBetween,
    Erased, InvalidCountry, InvalidOrderNumber, InvalidPayment, InvalidRule, InvalidStatus,
    MAX_ORDER_ITEMS, MAX_QUANTITY, NewOrder, NewOrderItem, Order, OrderAccess, OrderItem,
    OrderNumber, OrderRules, OrderStatus, OrderWithItems, Orders, OverdueAfter, OverdueOrder,
    OverdueOrders, Payment, Refund, ShortLine, StatusChange, Tracking, Worklist,
};
pub use page::{Page, PageRequest};
pub use products::{MAX_PRICE, NewProduct, Product, ProductChanges, ProductWithStock, Products};
pub use request_id::{InvalidRequestId, RequestId};
pub use retry::pauses as conflict_pauses;
pub use stock::{Choice, MAX_SPREAD, MAX_STOCK, Pick};
pub use table::Table;
pub use text::{Description, InvalidText, Line, Lines, Name};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use users::{
    ACCOUNT_MAILS_WINDOW, AccountMail, AccountMailKind, InvalidLocale, InvalidRole, KeptSession,
    LOGIN_WINDOW, Locale, LoginAttempt, LoginAttempts, MAX_ACCOUNT_MAILS, MAX_FAILURES_OF_EMAIL,
    MAX_FAILURES_OF_SOURCE, MAX_LOGIN_FAILURES, MailToken, MailTokens, NewUser, PasswordHash,
    PasswordReset, REFRESH_GRACE, REGISTRATION_WAITS_FOR, RESET_LIFETIME, Recipient, Registrations,
    RequestedMail, Role, SESSION_LIFETIME, SOURCE_KNOWN_FOR, Session, SessionEnd, Sessions, Source,
    User, UserAgent, UserChanges, Users, VERIFICATION_LIFETIME,
};

/// Counts the updates of an item, starting at 1 when it is created. Optimistic locking compares it.
pub type Version = u64;
