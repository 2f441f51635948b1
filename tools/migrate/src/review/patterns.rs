//! The shop's access patterns that can replace statements. Those of log-in attempts are missing,
//! because other shops do not count them in their tables.

use storefront_core::access_patterns::{AccessPattern, named};

type Pattern = &'static AccessPattern;

pub(super) const REGISTER: Pattern = named("register a user");
pub(super) const USER_BY_ID: Pattern = named("user by id");
pub(super) const ROLE: Pattern = named("a user's role, for what only administrators may do");
pub(super) const USER_BY_EMAIL: Pattern = named("user by email");
pub(super) const LOG_IN: Pattern = named("user by email, at log-in");
pub(super) const CONFIRM: Pattern = named("user by id, to check a password");
pub(super) const CHANGE_USER: Pattern = named("change a user's name, password or role");
pub(super) const CHANGE_EMAIL: Pattern = named("change a user's email");
pub(super) const DELETE_USER: Pattern = named("delete a user");
pub(super) const PRODUCT_BY_ID: Pattern = named("product by id, with its stock");
pub(super) const PRODUCTS: Pattern = named("products of a category, a page of n");
pub(super) const ADD_PRODUCT: Pattern = named("add a product");
pub(super) const DELETE_PRODUCT: Pattern = named("delete a product");
pub(super) const DESCRIBE_PRODUCT: Pattern = named("change a product's description or category");
pub(super) const CHANGE_PRODUCT: Pattern =
    named("change a product's name, price, currency or selling");
pub(super) const SET_STOCK: Pattern = named("set a product's stock");
pub(super) const PLACE_ORDER: Pattern = named("place an order of n items");
pub(super) const ORDERS: Pattern =
    named("orders of a user, newest first, a page of n, optionally from/to");
pub(super) const OWN_ORDER: Pattern = named("own order with items");
pub(super) const ANY_ORDER: Pattern = named("any order by id, with items");
pub(super) const CHANGE_STATUS: Pattern = named("change an order's status");
pub(super) const CANCEL: Pattern = named("cancel an order of n items");
