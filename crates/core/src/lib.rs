//! Users, products and orders of a web shop on one DynamoDB table.
//!
//! Three repositories, [`Users`], [`Products`] and [`Orders`], over one [`Table`]; every key is
//! built in [`schema`]. The crate knows neither HTTP nor Lambda: whoever serves a shop calls these
//! functions and maps [`Error`] to answers of their own.
//!
//! Rules that must hold whoever calls (unique emails, stock, status changes, idempotent orders)
//! are conditions of the writes themselves, never a read that went before. There is one exception,
//! which [`Orders::place`] tells of.

pub mod access_patterns;
pub mod aws;
pub mod capacity;
pub mod schema;

mod access;
mod category;
mod change;
mod email;
mod error;
mod id;
mod openapi;
mod orders;
mod page;
mod products;
mod request_id;
mod retry;
mod table;
mod timestamp;
mod transaction;
mod users;

pub use category::{Category, InvalidCategory};
pub use email::{Email, InvalidEmail};
pub use error::{Error, Result, Shortage};
pub use id::{EntityId, InvalidId, OrderId, ProductId, UserId};
pub use iso_currency::Currency;
pub use orders::{
    CreatedBetween, IdempotencyKey, InvalidIdempotencyKey, InvalidStatus, MAX_ORDER_ITEMS,
    MAX_QUANTITY, NewOrder, NewOrderItem, Order, OrderAccess, OrderItem, OrderStatus,
    OrderWithItems, Orders, Placed, StatusChange,
};
pub use page::{Page, PageRequest};
pub use products::{MAX_PRICE, NewProduct, Product, ProductChanges, Products};
pub use request_id::{InvalidRequestId, RequestId};
pub use retry::pauses as conflict_pauses;
pub use table::Table;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use users::{
    InvalidRole, LOGIN_WINDOW, LoginAttempts, MAX_LOGIN_FAILURES, NewUser, PasswordHash, Role,
    User, UserChanges, Users,
};

/// Counts the updates of an item, from 1 at its creation. It is what optimistic locking compares.
pub type Version = u64;
