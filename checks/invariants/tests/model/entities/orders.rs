mod model;

use std::collections::BTreeMap;
use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;
use storefront_core::{OrderStatus, ProductId, UserId};
use storefront_testing::Request;

use super::products::{ProductRef, product};
use super::values::idempotency_key;
use super::{Focus, Model, Operation};
use crate::engine::client::with_if_match;
use crate::engine::generate::{by, if_match, mostly, user};
use crate::engine::operation::{Call, Client, EntityOperation, Rights};
use crate::engine::response::{Response, forbidden};
use crate::engine::script::{By, IfMatch, Nth};
use model::Placement;
pub(crate) use model::{Order, PlacedOrder};

/// `o0` exists from the start: an order of `u1`.
pub(crate) type OrderRef = Nth<'o'>;

#[derive(Clone)]
pub(crate) enum OrderOperation {
    Place {
        by: Nth<'u'>,
        items: Vec<(ProductRef, u32)>,
        expects: ExpectedTotal,
        key: Option<u8>,
    },
    /// Orders since the creation of `from` and before that of `to`.
    List {
        by: By,
        of: Nth<'u'>,
        limit: usize,
        from: Option<OrderRef>,
        to: Option<OrderRef>,
    },
    Show {
        by: By,
        order: OrderRef,
    },
    ChangeStatus {
        by: By,
        order: OrderRef,
        to: OrderStatus,
        if_match: IfMatch,
    },
}

/// Which total the customer has seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ExpectedTotal {
    NotSaid,
    /// The one of the prices when the step began.
    Current,
    Stale,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use OrderOperation::{ChangeStatus, List, Place, Show};
    let place = (user(), vec((ordered_product(), quantity()), 1..=3), expected_total())
        .prop_map(|(by, items, expects)| Place { by, items, expects, key: None });
    // The same key mostly comes with the same items.
    let items = |key: u8| {
        prop_oneof![
            3 => Just(vec![(Nth(0), 1), (Nth(key), 1)]),
            1 => vec((ordered_product(), quantity()), 1..=2),
        ]
    };
    let place_with_key = (user(), 0..2_u8)
        .prop_flat_map(move |(by, key)| (Just(by), items(key), expected_total(), Just(Some(key))))
        .prop_map(|(by, items, expects, key)| Place { by, items, expects, key });
    let change = (by(), order(), status(), if_match())
        .prop_map(|(by, order, to, if_match)| ChangeStatus { by, order, to, if_match });
    let show = (by(), order()).prop_map(|(by, order)| Show { by, order });
    let list = (by(), user(), 1..4_usize, option::of(order()), option::of(order()))
        .prop_map(|(by, of, limit, from, to)| List { by, of, limit, from, to });
    prop_oneof![4 => place, 3 => place_with_key, 6 => change, 1 => show, 1 => list]
        .prop_map(Operation::Order)
}

/// Operations that read every order, by itself and in its user's list.
pub(crate) fn read_all(model: &Model) -> impl Iterator<Item = OrderOperation> {
    let lists = model.users.all().map(|of| {
        let by = By::User(Nth(0));
        OrderOperation::List { by, of, limit: 3, from: None, to: None }
    });
    lists.chain(model.orders.all().map(|order| OrderOperation::Show { by: By::Owner, order }))
}

fn order() -> impl Strategy<Value = OrderRef> {
    mostly([0, 1, 2])
}

/// Mostly of the same currency.
fn ordered_product() -> impl Strategy<Value = ProductRef> {
    prop_oneof![8 => Just(Nth(0)), 6 => Just(Nth(1)), 3 => product()]
}

/// Twice the largest is more than an order may have of a product.
fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![10 => 1..4_u32, 1 => Just(600)]
}

fn expected_total() -> impl Strategy<Value = ExpectedTotal> {
    prop_oneof![
        4 => Just(ExpectedTotal::NotSaid),
        3 => Just(ExpectedTotal::Current),
        1 => Just(ExpectedTotal::Stale),
    ]
}

fn status() -> impl Strategy<Value = OrderStatus> {
    prop_oneof![
        1 => Just(OrderStatus::Pending),
        3 => Just(OrderStatus::Paid),
        2 => Just(OrderStatus::Shipped),
        1 => Just(OrderStatus::Delivered),
        4 => Just(OrderStatus::Cancelled),
    ]
}

impl EntityOperation for OrderOperation {
    fn caller(&self, known: &Model) -> UserId {
        match *self {
            Self::Place { by, .. } => known.users.nth(by),
            Self::List { by: By::User(user), .. }
            | Self::Show { by: By::User(user), .. }
            | Self::ChangeStatus { by: By::User(user), .. } => known.users.nth(user),
            Self::List { by: By::Owner, of, .. } => known.users.nth(of),
            Self::Show { by: By::Owner, order }
            | Self::ChangeStatus { by: By::Owner, order, .. } => {
                let order = known.orders.get(known.orders.nth(order));
                order.map_or_else(|| known.users.nth(Nth(1)), |order| order.user)
            }
        }
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let &Client { known, caller, cursor, .. } = client;
        let orders = &client.shop.orders;
        match *self {
            Self::Place { ref items, expects, key, .. } => {
                let listed: Vec<_> = items
                    .iter()
                    .map(|&(product, quantity)| {
                        json!({ "productId": known.products.nth(product), "quantity": quantity })
                    })
                    .collect();
                let mut body = json!({ "items": listed });
                if let Some(total) = known.seen_total(items, expects) {
                    body["expectedTotal"] = json!(total);
                }
                let request = orders.post("/orders").json(body).by(caller);
                match key {
                    Some(key) => request.header("idempotency-key", &idempotency_key(key)),
                    None => request,
                }
            }
            Self::List { of, limit, from, to, .. } => {
                let user = known.users.nth(of);
                let mut path = format!("/orders?userId={user}&limit={limit}{cursor}");
                for (parameter, order) in [("from", from), ("to", to)] {
                    if let Some(time) = order.and_then(|order| known.ordered_at(order)) {
                        path = format!("{path}&{parameter}={time}");
                    }
                }
                orders.get(path).by(caller)
            }
            Self::Show { order, .. } => {
                orders.get(format!("/orders/{}", known.orders.nth(order))).by(caller)
            }
            Self::ChangeStatus { order, to, if_match, .. } => {
                let id = known.orders.nth(order);
                let request = orders.patch(format!("/orders/{id}")).json(json!({ "status": to }));
                with_if_match(request.by(caller), if_match, known.order_version(id))
            }
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List { .. })
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let known = call.known();
        match *self {
            Self::Place { ref items, expects, key, .. } => {
                let user = (call.rights != Rights::Deleted).then_some(call.caller);
                let mut requested: BTreeMap<ProductId, u64> = BTreeMap::new();
                for &(product, quantity) in items {
                    let id = known.products.nth(product);
                    *requested.entry(id).or_default() += u64::from(quantity);
                }
                let expected_total = known.seen_total(items, expects);
                model.place_order(user, Placement { requested, expected_total }, key, call)
            }
            Self::List { of, limit, from, to, .. } => {
                let user = known.users.nth(of);
                if !call.is_admin() && user != call.caller {
                    return forbidden();
                }
                let [from, to] = [from, to].map(|order| known.ordered_at(order?));
                model.list_orders(user, limit, from, to, call.is_concurrent())
            }
            Self::Show { order, .. } => {
                model.show_order(known.orders.nth(order), call.restricted_to())
            }
            Self::ChangeStatus { order, to, if_match, .. } => {
                let id = known.orders.nth(order);
                let expected = if_match.version(known.order_version(id));
                model.change_status(id, to, expected, call.restricted_to())
            }
        }
    }

    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool {
        match *self {
            // It first looks at the body.
            Self::Place { .. } => false,
            Self::ChangeStatus { .. } => true,
            // A deleted user's token still reads their orders until it expires. Only what needs an
            // administrator's token makes the shop read the user.
            Self::List { of, .. } => {
                call.has_admin_token() && call.known().users.nth(of) != call.caller
            }
            Self::Show { .. } => call.has_admin_token(),
        }
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Place { by, items, key, .. } => {
                if let Some((product, _)) = items.first_mut() {
                    *product = focus.product;
                }
                if let Some(key) = key {
                    *by = focus.user;
                    *key = focus.idempotency_key;
                }
            }
            Self::List { of, .. } => *of = focus.user,
            Self::Show { order, .. } | Self::ChangeStatus { order, .. } => *order = focus.order,
        }
    }
}

impl From<OrderOperation> for Operation {
    fn from(operation: OrderOperation) -> Self {
        Self::Order(operation)
    }
}

impl fmt::Debug for OrderOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place { by, items, expects, key } => {
                f.write_str("order")?;
                for (product, quantity) in items {
                    write!(f, " {quantity}x{product:?}")?;
                }
                if *expects != ExpectedTotal::NotSaid {
                    write!(f, " at the {expects:?} total")?;
                }
                if let Some(key) = key {
                    write!(f, " with key {key}")?;
                }
                write!(f, " by {by:?}")
            }
            Self::List { by, of, limit, from, to } => {
                write!(f, "list the orders of {of:?} by {limit}")?;
                if let Some(from) = from {
                    write!(f, " from {from:?} on")?;
                }
                if let Some(to) = to {
                    write!(f, " before {to:?}")?;
                }
                write!(f, "{by:?}")
            }
            Self::Show { by, order } => write!(f, "show {order:?}{by:?}"),
            Self::ChangeStatus { by, order, to, if_match } => {
                write!(f, "make {order:?} {to}{if_match:?}{by:?}")
            }
        }
    }
}
