//! The shop's entities. Each has a file with its operations: how they are generated and requested,
//! what the model makes of them, and which items the table must have for it.
//!
//! A new entity gets its file, an [`Operation`] variant, and a line wherever this file names the
//! others.

pub(crate) mod idempotency_keys;
pub(crate) mod login_failures;
pub(crate) mod mail_tokens;
pub(crate) mod orders;
pub(crate) mod products;
pub(crate) mod sessions;
pub(crate) mod users;
pub(crate) mod values;

use std::collections::BTreeMap;
use std::fmt;

use proptest::prelude::*;
use storefront_core::{OrderId, OrderRules, ProductId, Role, SessionId, UserId};

use crate::engine::collection::Collection;
use crate::engine::operation::{EntityOperation, Rights};
use crate::engine::response::Response;
use crate::engine::script::Nth;
use crate::engine::table::{TableItems, differences, without_login_attempts};
use idempotency_keys::IdempotencyKeys;
use login_failures::LoginFailures;
use mail_tokens::{MailToken, MailTokenOperation};
use orders::{ExpiryOperation, InProgress, Order, OrderOperation};
use products::{Product, ProductOperation, with_joined_stock};
use sessions::{Session, SessionOperation};
use users::{User, UserOperation};

/// What a client asks for.
#[derive(Clone)]
pub(crate) enum Operation {
    User(UserOperation),
    Session(SessionOperation),
    MailToken(MailTokenOperation),
    Product(ProductOperation),
    Order(OrderOperation),
    Expiry(ExpiryOperation),
}

/// What happens to one entity while operations run, at a moment of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    /// The expiry cancels an order.
    Expire(OrderId),
}

/// The shop as it should be. Each entity's file has the functions that change its part.
#[derive(Clone, Default)]
pub(crate) struct Model {
    /// The shop's rules for new orders.
    pub(crate) rules: OrderRules,
    pub(crate) users: Collection<UserId, User, 'u'>,
    pub(crate) sessions: Collection<SessionId, Session, 's'>,
    pub(crate) products: Collection<ProductId, Product, 'p'>,
    pub(crate) orders: Collection<OrderId, Order, 'o'>,
    pub(crate) idempotency_keys: IdempotencyKeys,
    pub(crate) login_failures: LoginFailures,
    /// Those that were issued before the script. No others are.
    pub(crate) mail_tokens: Vec<MailToken>,
    /// The role in each user's access token: the role they had when they last logged in or refreshed a session.
    pub(crate) token_roles: BTreeMap<UserId, Role>,
    /// The answers of changes in this step that the model has not shown yet: see
    /// [`EntityOperation::reread`].
    pub(crate) unseen_rereads: Vec<(Operation, Response)>,
    /// What else goes on in this step.
    pub(crate) in_progress: InProgress,
}

/// What the operations of a step have in common, so that they conflict.
#[derive(Clone, Debug)]
pub(crate) struct Focus {
    user: Nth<'u'>,
    session: Nth<'s'>,
    product: Nth<'p'>,
    order: Nth<'o'>,
    email: u8,
    idempotency_key: u8,
}

pub(crate) fn focus() -> impl Strategy<Value = Focus> {
    (1..3_u8, 0..3_u8, 0..3_u8, 0..5_u8, 0..2_u8).prop_map(
        |(user, product, order, email, idempotency_key)| Focus {
            user: Nth(user),
            // One of that user's.
            session: Nth(user - 1),
            product: Nth(product),
            order: Nth(order),
            email,
            idempotency_key,
        },
    )
}

pub(crate) fn any_operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => orders::operations(),
        4 => products::operations(),
        4 => users::operations(),
        2 => sessions::operations(),
        1 => mail_tokens::operations(),
    ]
}

/// Operations that read all that the shop has.
pub(crate) fn read_everything(model: &Model) -> Vec<Operation> {
    let mut reads: Vec<Operation> = Vec::new();
    reads.extend(users::read_all().map(Operation::User));
    reads.extend(sessions::read_all(model).map(Operation::Session));
    reads.extend(products::read_all(model).map(Operation::Product));
    reads.extend(orders::read_all(model).map(Operation::Order));
    reads
}

impl Operation {
    pub(crate) fn entity(&self) -> &dyn EntityOperation {
        match self {
            Self::User(operation) => operation,
            Self::Session(operation) => operation,
            Self::MailToken(operation) => operation,
            Self::Product(operation) => operation,
            Self::Order(operation) => operation,
            Self::Expiry(operation) => operation,
        }
    }

    pub(crate) fn entity_mut(&mut self) -> &mut dyn EntityOperation {
        match self {
            Self::User(operation) => operation,
            Self::Session(operation) => operation,
            Self::MailToken(operation) => operation,
            Self::Product(operation) => operation,
            Self::Order(operation) => operation,
            Self::Expiry(operation) => operation,
        }
    }
}

impl Model {
    /// A role that was taken away is lost at once. A role that was given counts from the next log-in
    /// on, when it gets into the token.
    pub(crate) fn rights(&self, caller: UserId) -> Rights {
        match (self.token_role(caller), self.users.get(caller).map(|user| user.role)) {
            (_, None) => Rights::Deleted,
            (Role::User, _) | (_, Some(Role::User)) => Rights::Customer,
            (_, Some(Role::Staff)) => Rights::Staff,
            (_, Some(Role::Admin)) => Rights::Admin,
        }
    }

    pub(crate) fn token_role(&self, id: UserId) -> Role {
        self.token_roles.get(&id).copied().unwrap_or(Role::User)
    }

    /// What happened in a step besides what its operations did, as the table shows after it.
    pub(crate) fn effects(&self, table: &TableItems) -> Vec<Effect> {
        self.expirations(table)
    }

    /// Makes the effect happen now. Returns whether that is possible.
    pub(crate) fn happen(&mut self, effect: Effect) -> bool {
        let happens = match effect {
            Effect::Expire(id) => self.expire(id),
        };
        self.settle_listed();
        happens
    }

    /// Takes over from an answer what the model cannot know while other operations run.
    pub(crate) fn accept_unknown(&self, expected: &mut Response, actual: &Response) {
        self.accept_pay_by(&mut expected.body, &actual.body);
    }

    /// Compares the model with the table at the end of a step. Returns the model for the next step,
    /// or the difference.
    pub(crate) fn matching(mut self, table: &TableItems) -> Result<Self, String> {
        if let Some((operation, actual)) = self.unseen_rereads.first() {
            return Err(format!("{operation:?} was answered {actual:?}, which was never true"));
        }
        self.settle_orders(table)?;
        self.in_progress = InProgress::default();
        let (items, failures) = without_login_attempts(table);
        let mut items = with_joined_stock(items)?;
        self.accept_picked_stock_items(&mut items);
        let differences = differences(&self.items(), &items);
        if !differences.is_empty() {
            return Err(format!("the table differs: {differences}"));
        }
        self.login_failures.settle(failures)?;
        Ok(self)
    }

    fn items(&self) -> TableItems {
        let mut items = TableItems::new();
        self.add_user_items(&mut items);
        self.add_session_items(&mut items);
        self.add_mail_token_items(&mut items);
        self.add_product_items(&mut items);
        self.add_order_items(&mut items);
        self.add_idempotency_items(&mut items);
        items
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entity().fmt(f)
    }
}
