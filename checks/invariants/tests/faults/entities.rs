//! The shop's entities. Each has a file with the requests that clients send, how its items are read
//! from the table, and what must hold of them at the end.
//!
//! A new entity gets its file, an [`Operation`] variant, and a line wherever this file names the
//! others.

pub(crate) mod mail_tokens;
pub(crate) mod orders;
pub(crate) mod passwords;
pub(crate) mod products;
pub(crate) mod sessions;
pub(crate) mod stock;
pub(crate) mod user_fields;
pub(crate) mod users;

use std::collections::BTreeMap;
use std::fmt;

use storefront_core::schema::{self, Item, ItemType};
use storefront_core::{Order, OrderId, OrderItem, Product, ProductId, User, UserId};

use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::snapshot::text;
use mail_tokens::{MailToken, MailTokenOperation};
use orders::OrderOperation;
use products::ProductOperation;
use stock::StockItem;
use users::{UserChange, UserOperation};

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    User(UserOperation),
    MailToken(MailTokenOperation),
    Product(ProductOperation),
    Order(OrderOperation),
    /// Changes nothing.
    Read,
}

/// An entity that clients can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EntityId {
    User(UserId),
    Product(ProductId),
    Order(OrderId),
}

/// The change or deletion of an entity.
pub(crate) struct Write {
    pub(crate) entity: EntityId,
    pub(crate) is_deletion: bool,
    /// The version in `If-Match`.
    pub(crate) expected_version: Option<u64>,
}

/// The whole table, read while no request is in progress.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) users: BTreeMap<UserId, User>,
    /// The owner of each email.
    pub(crate) unique_emails: BTreeMap<String, UserId>,
    /// The number of failed log-ins of each email, with all versions of its password.
    pub(crate) login_failures: BTreeMap<String, usize>,
    /// The tokens of mails, by partition key.
    pub(crate) mail_tokens: BTreeMap<String, MailToken>,
    pub(crate) products: BTreeMap<ProductId, Product>,
    /// By product and number.
    pub(crate) stock_items: BTreeMap<ProductId, BTreeMap<u8, StockItem>>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) order_items: BTreeMap<OrderId, Vec<OrderItem>>,
    /// The order that each user placed with each idempotency key.
    pub(crate) idempotency_keys: BTreeMap<(UserId, String), OrderId>,
    /// The product that the administrator added with each idempotency key.
    pub(crate) keys_of_products: BTreeMap<String, ProductId>,
    /// The order for which each user booked a refund with each idempotency key.
    pub(crate) keys_of_refunds: BTreeMap<(UserId, String), OrderId>,
    /// The product whose stock the administrator changed with each idempotency key.
    pub(crate) keys_of_stock_changes: BTreeMap<String, ProductId>,
    /// Why items could not be read.
    pub(crate) malformed: Vec<String>,
}

impl Snapshot {
    pub(crate) fn add(&mut self, item: &Item) -> Result<(), String> {
        let item_type = text(item, schema::TYPE);
        let item_type: ItemType =
            item_type.parse().map_err(|_| format!("is of the unknown type {item_type:?}"))?;
        match item_type {
            ItemType::User => self.add_user(item),
            ItemType::UniqueEmail => self.add_unique_email(item),
            ItemType::LoginAttempts => self.add_login_attempts(item),
            ItemType::EmailAttempts => Self::add_email_attempts(item),
            ItemType::SourceAttempts => Self::add_source_attempts(item),
            ItemType::KnownSource => Self::add_known_source(item),
            ItemType::Product => self.add_product(item),
            ItemType::Stock => self.add_stock_item(item),
            ItemType::Order => self.add_order(item),
            ItemType::OrderItem => self.add_order_item(item),
            ItemType::Idempotency => self.add_idempotency_key(item),
            ItemType::Session => Self::add_session(item),
            // No client writes these: the function that sends mails has fault schedules of its own.
            ItemType::Mail | ItemType::AccountMails | ItemType::Registration => Ok(()),
            ItemType::MailToken => self.add_mail_token(item),
        }
    }

    /// What must hold of any table, whatever clients asked for: a sentence for each violation.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations = self.malformed.clone();
        self.check_users(&mut violations);
        self.check_products(&mut violations);
        self.check_stock(&mut violations);
        self.check_orders(&mut violations);
        self.check_idempotency_keys(&mut violations);
        violations
    }
}

impl Checker<'_> {
    /// What must hold of the table after what clients were told.
    pub(crate) fn check_entities(&self, violations: &mut Vec<String>) {
        self.check_users(violations);
        self.check_passwords(violations);
        self.check_mail_tokens(violations);
        self.check_products(violations);
        self.check_keys_of_products(violations);
        self.check_stock(violations);
        self.check_orders(violations);
    }
}

impl Client {
    /// Sends a random request.
    pub(crate) async fn act(&mut self) {
        match self.random.u8(..100) {
            0..28 => Box::pin(self.place_order()).await,
            28..36 => Box::pin(self.refund()).await,
            36..42 if self.scenario.orders_expire => Box::pin(self.let_expire()).await,
            42..44 if self.scenario.orders_expire => Box::pin(self.run_expiry()).await,
            36..60 => Box::pin(self.change_status()).await,
            60..67 => Box::pin(self.change_product()).await,
            67..75 => Box::pin(self.change_stock()).await,
            75..78 => Box::pin(self.spread_stock()).await,
            78..81 => Box::pin(self.create_product()).await,
            81..83 => Box::pin(self.delete_product()).await,
            83..87 => Box::pin(self.change_user()).await,
            87..90 => Box::pin(self.assign_role()).await,
            90..92 => Box::pin(self.delete_user()).await,
            92..95 => Box::pin(self.verify_email()).await,
            _ => Box::pin(self.read()).await,
        }
    }

    /// Sends a random request that hashes a password, which takes real time even when the clock is
    /// simulated.
    pub(crate) async fn act_with_password(&mut self) {
        match self.random.u8(..100) {
            0..25 => Box::pin(self.change_oneself()).await,
            25..50 => Box::pin(self.log_in()).await,
            50..75 => Box::pin(self.use_session()).await,
            75..92 => Box::pin(self.reset_password()).await,
            _ => Box::pin(self.register()).await,
        }
    }

    async fn read(&mut self) {
        let customer = self.customer();
        let id = self.product();
        let order = self.random.choice(self.scenario.orders.lock().unwrap().clone());
        let request = match (self.random.u8(..6), order) {
            (0, _) => self.shop.orders.get("/orders?limit=3").by(customer),
            (1, _) => self.shop.products.get("/products?category=coffee&limit=2"),
            (2, _) => self.shop.products.get(format!("/products/{id}")),
            (3, _) => {
                let email = self.wanted_email();
                self.shop.users.get(format!("/users?email={email}")).by(self.scenario.admin)
            }
            (4, Some((id, owner))) => self.shop.orders.get(format!("/orders/{id}")).by(owner),
            _ => self.shop.users.get("/users/me").by(customer),
        };
        self.send(Operation::Read, request).await;
    }
}

impl Operation {
    /// The change or deletion of an existing entity that this asks for, if it does.
    pub(crate) fn write(&self) -> Option<Write> {
        match self {
            Self::User(operation) => operation.write(),
            Self::MailToken(operation) => Some(operation.write()),
            Self::Product(operation) => operation.write(),
            Self::Order(operation) => operation.write(),
            Self::Read => None,
        }
    }

    /// The user whose fields this sets, and the values that it sets.
    pub(crate) fn user_change(&self) -> Option<(UserId, UserChange)> {
        match self {
            Self::User(UserOperation::Change { id, change, .. }) => Some((*id, change.clone())),
            Self::MailToken(operation) => Some(operation.user_change()),
            Self::User(_) | Self::Product(_) | Self::Order(_) | Self::Read => None,
        }
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Product(id) => write!(f, "product {id}"),
            Self::Order(id) => write!(f, "order {id}"),
        }
    }
}
