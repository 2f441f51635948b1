//! The shop as it should be: maps, and one operation at a time.

mod items;
mod orders;
mod products;
mod rights;
mod seen;
mod users;

use std::collections::BTreeMap;

use storefront_core::{OrderId, OrderStatus, ProductId, Role, Timestamp, UserId};

pub(crate) use items::{Items, SOME};
pub(crate) use seen::Seen;
use seen::{forbidden, invalid_body, mismatch, no_user, unauthenticated};
pub(crate) use users::NEW_NAME;

use crate::script::{By, IfMatch, NOBODY, Nth, Operation, OrderRef, ProductRef, UserRef};

/// So many failures lock an email's log-in.
const MAX_FAILURES: u32 = 10;

/// The whole state of the shop, and who has been in it.
#[derive(Clone, Default)]
pub(crate) struct Model {
    users: BTreeMap<UserId, User>,
    products: BTreeMap<ProductId, Product>,
    orders: BTreeMap<OrderId, Order>,
    /// The idempotency keys that were used, by user: for what, and which order it gave.
    keys: BTreeMap<(UserId, u8), (BTreeMap<ProductId, u64>, OrderId)>,
    /// Failed log-ins by email, as they were when the step began.
    failures: BTreeMap<String, u32>,
    /// What came of this step's attempts to log in, or to confirm a change by the password.
    attempts: Vec<(String, Attempt)>,
    /// Answers that show more than the change that was asked for: what there is of it when it is
    /// read again, with the others' changes since.
    read_again: Vec<(Operation, Seen)>,
    /// The role in each user's access token: that of the last log-in.
    tokens: BTreeMap<UserId, Role>,
    /// All that there have been, in the order they came to be.
    pub(crate) known: Known,
}

#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) users: Vec<UserId>,
    pub(crate) products: Vec<ProductId>,
    pub(crate) orders: Vec<OrderId>,
}

#[derive(Clone)]
struct User {
    email: String,
    name: String,
    password: u8,
    role: Role,
    version: u64,
}

#[derive(Clone)]
struct Product {
    name: String,
    category: &'static str,
    price: u64,
    currency: &'static str,
    stock: Option<u64>,
    version: u64,
}

#[derive(Clone)]
struct Order {
    user: UserId,
    status: OrderStatus,
    currency: &'static str,
    items: BTreeMap<ProductId, Item>,
    version: u64,
}

#[derive(Clone)]
struct Item {
    name: String,
    quantity: u64,
    price: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Attempt {
    Failed,
    Succeeded,
    /// It may have got as far as to succeed before something else stopped it.
    Unclear,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Caller {
    pub(crate) id: UserId,
    /// As the token says.
    pub(crate) role: Role,
}

/// What a caller may do.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    Admin,
    Customer,
    /// Deleted, and so nobody any more.
    Gone,
}

/// The step that an operation is one of.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The shop as it was when the step began: what the clients know.
    pub(crate) before: &'a Model,
    /// How many operations run at once.
    pub(crate) operations: usize,
}

impl Model {
    /// What may come of an operation now, and the shop that it leaves.
    ///
    /// For one that runs alone that is one answer; `came` gives what the server chooses, which is
    /// ids.
    pub(crate) fn outcomes(
        &self,
        operation: &Operation,
        context: Context<'_>,
        came: &Seen,
    ) -> Vec<(Seen, Self)> {
        let caller = context.before.caller(operation);
        let mut outcomes: Vec<_> = self
            .standings(caller, context)
            .into_iter()
            .map(|standing| {
                let mut after = self.clone();
                let seen = after.apply(operation, caller, standing, context, came);
                (context.before.or_gone(operation, caller, seen), after)
            })
            .collect();
        if context.operations > 1 {
            self.add_what_others_cause(operation, context, &mut outcomes);
            for (seen, after) in &mut outcomes {
                after.read_again(self, operation, context, seen, came);
            }
        }
        outcomes
    }

    /// Takes an answer for what is shown of a changed product or user now or later, because it is
    /// read again after the change; and finds out whether it is shown now. A new email is answered
    /// from the change itself.
    fn read_again(
        &mut self,
        previous: &Self,
        operation: &Operation,
        context: Context<'_>,
        seen: &mut Seen,
        came: &Seen,
    ) {
        let email = |shop: &Self, user| {
            shop.users.get(&context.before.user(user)).map(|user| user.email.clone())
        };
        let is_read_again = match *operation {
            Operation::ChangeProduct { .. } | Operation::AssignRole { .. } => true,
            Operation::ChangeUser { user, .. } => email(previous, user) == email(self, user),
            _ => false,
        };
        if is_read_again && seen.status == 200 && seen != came {
            *seen = came.clone();
            self.read_again.push((operation.clone(), came.clone()));
        }
        let mut awaited = std::mem::take(&mut self.read_again);
        awaited.retain(|(operation, came)| {
            let now = match *operation {
                Operation::ChangeProduct { product, .. } => {
                    self.show_product(context.before.product(product))
                }
                Operation::ChangeUser { user, .. } | Operation::AssignRole { user, .. } => {
                    let caller = context.before.caller(operation);
                    let seen = self.show_user(context.before.user(user));
                    context.before.or_gone(operation, caller, seen)
                }
                _ => return true,
            };
            now != *came
        });
        self.read_again = awaited;
    }

    fn apply(
        &mut self,
        operation: &Operation,
        caller: Caller,
        standing: Standing,
        context: Context<'_>,
        came: &Seen,
    ) -> Seen {
        let gone = standing == Standing::Gone;
        if gone && context.before.needs_a_user(operation, caller) {
            return unauthenticated();
        }
        let admin = standing == Standing::Admin;
        let known = context.before;
        match *operation {
            Operation::Register { email, password } => self.register(email, password, came),
            Operation::LogIn { email, password } => self.log_in(email, password),
            Operation::ShowUser { user, .. } => {
                let user = known.user(user);
                if admin || user == caller.id { self.show_user(user) } else { no_user() }
            }
            Operation::FindUser { email, .. } if admin => self.find_user(email),
            Operation::ChangeUser { user, fields, if_match, .. } => {
                let user = known.user(user);
                let expected = if_match.version(known.user_version(user));
                if admin || user == caller.id {
                    self.change_user(user, fields, expected, user == caller.id)
                } else {
                    no_user()
                }
            }
            Operation::AssignRole { user, admin: to_admin, if_match, .. } if admin => {
                let user = known.user(user);
                self.assign_role(user, to_admin, if_match.version(known.user_version(user)))
            }
            Operation::DeleteUser { user, if_match, .. } => {
                let user = known.user(user);
                let expected = if_match.version(known.user_version(user));
                if admin || user == caller.id {
                    self.delete_user(user, expected)
                } else {
                    no_user()
                }
            }
            Operation::ShowProduct { product } => self.show_product(known.product(product)),
            Operation::ListProducts { category, limit } => {
                self.list_products(category, limit, context.operations > 1)
            }
            Operation::CreateProduct { fields, .. } if admin => self.create_product(fields, came),
            Operation::ChangeProduct { product, fields, if_match, .. } if admin => {
                let product = known.product(product);
                let expected = if_match.version(known.product_version(product));
                self.change_product(product, fields, expected)
            }
            Operation::DeleteProduct { product, if_match, .. } if admin => {
                let product = known.product(product);
                self.delete_product(product, if_match.version(known.product_version(product)))
            }
            Operation::PlaceOrder { ref items, key, .. } => {
                let items: Vec<_> =
                    items.iter().map(|item| (known.product(item.0), item.1)).collect();
                self.place_order((!gone).then_some(caller.id), &items, key, came)
            }
            Operation::ListOrders { of, limit, from, to, .. } => {
                let user = known.user(of);
                if !admin && user != caller.id {
                    return forbidden();
                }
                let from = from.and_then(|order| known.ordered_at(order));
                let to = to.and_then(|order| known.ordered_at(order));
                self.list_orders(user, limit, (from, to), context.operations > 1)
            }
            Operation::ShowOrder { order, .. } => {
                self.show_order(known.order(order), (!admin).then_some(caller.id))
            }
            Operation::ChangeOrder { order, to, if_match, .. } => {
                let order = known.order(order);
                let expected = if_match.version(known.order_version(order));
                self.change_order(order, to, expected, (!admin).then_some(caller.id))
            }
            Operation::FindUser { .. }
            | Operation::AssignRole { .. }
            | Operation::CreateProduct { .. }
            | Operation::ChangeProduct { .. }
            | Operation::DeleteProduct { .. } => forbidden(),
        }
    }
}

/// Whom and what an operation names.
impl Model {
    pub(crate) fn user(&self, nth: UserRef) -> UserId {
        of(&self.known.users, nth)
    }

    pub(crate) fn product(&self, nth: ProductRef) -> ProductId {
        of(&self.known.products, nth)
    }

    pub(crate) fn order(&self, nth: OrderRef) -> OrderId {
        of(&self.known.orders, nth)
    }

    pub(crate) fn user_version(&self, id: UserId) -> Option<u64> {
        self.users.get(&id).map(|user| user.version)
    }

    pub(crate) fn product_version(&self, id: ProductId) -> Option<u64> {
        self.products.get(&id).map(|product| product.version)
    }

    pub(crate) fn order_version(&self, id: OrderId) -> Option<u64> {
        self.orders.get(&id).map(|order| order.version)
    }

    /// When an order was placed, if it was.
    pub(crate) fn ordered_at(&self, nth: OrderRef) -> Option<Timestamp> {
        let id = self.order(nth);
        self.orders.contains_key(&id).then(|| id.created_at())
    }

    /// Who asks for this, and what their token says; nobody in particular where it needs no token.
    pub(crate) fn caller(&self, operation: &Operation) -> Caller {
        let id = match *operation {
            Operation::Register { .. }
            | Operation::LogIn { .. }
            | Operation::ShowProduct { .. }
            | Operation::ListProducts { .. } => self.user(Nth(0)),
            Operation::ShowUser { by, user }
            | Operation::ChangeUser { by, user, .. }
            | Operation::AssignRole { by, user, .. }
            | Operation::DeleteUser { by, user, .. }
            | Operation::ListOrders { by, of: user, .. } => match by {
                By::Oneself => self.user(user),
                By::User(user) => self.user(user),
            },
            Operation::FindUser { by, .. } => match by {
                By::Oneself => self.user(Nth(0)),
                By::User(user) => self.user(user),
            },
            Operation::ShowOrder { by, order } | Operation::ChangeOrder { by, order, .. } => {
                match by {
                    By::Oneself => {
                        let order = self.orders.get(&self.order(order));
                        order.map_or_else(|| self.user(Nth(1)), |order| order.user)
                    }
                    By::User(user) => self.user(user),
                }
            }
            Operation::CreateProduct { by, .. }
            | Operation::ChangeProduct { by, .. }
            | Operation::DeleteProduct { by, .. }
            | Operation::PlaceOrder { by, .. } => self.user(by),
        };
        Caller { id, role: self.tokens.get(&id).copied().unwrap_or(Role::User) }
    }
}

/// The one that is meant. So that a script means something whatever it is cut down to, counting
/// begins again where there have not been so many.
fn of<const LETTER: char, T: Copy + std::str::FromStr>(known: &[T], nth: Nth<LETTER>) -> T {
    let is_there = nth.0 != NOBODY && !known.is_empty();
    if is_there { known[usize::from(nth.0) % known.len()] } else { nobody() }
}

/// An id that nothing has.
fn nobody<T: std::str::FromStr>() -> T {
    let id = "01930000-0000-7000-8000-00000000dead".parse().ok();
    id.expect("a UUID of version 7")
}

impl IfMatch {
    /// The version that it names, where it names one.
    pub(crate) fn version(self, current: Option<u64>) -> Option<u64> {
        match self {
            Self::None | Self::Any => None,
            Self::Current => Some(current.unwrap_or(1)),
            Self::Stale => Some(current.unwrap_or(1) - 1),
        }
    }
}

/// Whether a change expects another version than there is.
fn misses(expected: Option<u64>, version: u64) -> bool {
    expected.is_some_and(|expected| expected != version)
}
