mod change;
mod expiry;
mod generate;
mod lists;
mod order;
mod place;
mod refund;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::json;
use storefront_core::{OrderStatus, ProductId, UserId};
use storefront_testing::Request;

use super::products::ProductRef;
use super::values::{idempotency_key, shipping_address, tracking};
use super::{Focus, Model, Operation};
use crate::engine::client::with_if_match;
use crate::engine::operation::{Call, Client, EntityOperation, Rights};
use crate::engine::response::{Response, forbidden};
use crate::engine::script::{By, IfMatch, Nth};
use change::NewStatus;
pub(crate) use expiry::{ExpiryOperation, InProgress};
pub(crate) use generate::operations;
pub(crate) use lists::Of;
use lists::Placed;
pub(crate) use order::Order;
pub(crate) use place::Placement;
use place::{Cap, too_many_open_orders};
pub(crate) use refund::Amount;

/// `o0` exists from the start: an order of `u1`.
pub(crate) type OrderRef = Nth<'o'>;

#[derive(Clone)]
pub(crate) enum OrderOperation {
    Place {
        by: Nth<'u'>,
        items: Vec<(ProductRef, u32)>,
        expects: ExpectedTotal,
        address: Option<u8>,
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
    ListOfAllUsers {
        by: Nth<'u'>,
        of: Of,
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
        tracking: Option<u8>,
        if_match: IfMatch,
    },
    Refund {
        by: Nth<'u'>,
        order: OrderRef,
        amount: Amount,
        key: u8,
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

/// Operations that read every order: by itself, in its user's list, and in staff's.
pub(crate) fn read_all(model: &Model) -> impl Iterator<Item = OrderOperation> {
    use storefront_core::Payment::RefundDue;
    let lists = model.users.all().map(|of| {
        let by = By::User(Nth(0));
        OrderOperation::List { by, of, limit: 3, from: None, to: None }
    });
    let of_all_users = [OrderStatus::Pending, OrderStatus::Paid, OrderStatus::Shipped]
        .map(Of::Status)
        .into_iter()
        .chain([Of::Payment(RefundDue)])
        .map(|of| OrderOperation::ListOfAllUsers {
            by: Nth(0),
            of,
            limit: 2,
            from: None,
            to: None,
        });
    let orders = model.orders.all().map(|order| OrderOperation::Show { by: By::Owner, order });
    lists.chain(of_all_users).chain(orders)
}

impl EntityOperation for OrderOperation {
    fn caller(&self, known: &Model) -> UserId {
        match *self {
            Self::Place { by, .. } | Self::ListOfAllUsers { by, .. } | Self::Refund { by, .. } => {
                known.users.nth(by)
            }
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
        let path_of = |order: OrderRef| format!("/orders/{}", known.orders.nth(order));
        let list = |query: String, from: Option<OrderRef>, to: Option<OrderRef>| {
            let mut path = format!("/orders?{query}{cursor}");
            for (parameter, order) in [("from", from), ("to", to)] {
                if let Some(time) = order.and_then(|order| known.ordered_at(order)) {
                    path = format!("{path}&{parameter}={time}");
                }
            }
            orders.get(path).by(caller)
        };
        match *self {
            Self::Place { ref items, expects, address, key, .. } => {
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
                if let Some(number) = address {
                    body["shippingAddress"] = shipping_address(number);
                }
                let request = orders.post("/orders").json(body).by(caller);
                match key {
                    Some(key) => request.header("idempotency-key", &idempotency_key(key)),
                    None => request,
                }
            }
            Self::List { of, limit, from, to, .. } => {
                list(format!("userId={}&limit={limit}", known.users.nth(of)), from, to)
            }
            Self::ListOfAllUsers { of, limit, from, to, .. } => {
                list(format!("{}&limit={limit}", of.query()), from, to)
            }
            Self::Show { order, .. } => orders.get(path_of(order)).by(caller),
            Self::ChangeStatus { order, to, tracking: number, if_match, .. } => {
                let mut body = json!({ "status": to });
                if let Some(number) = number {
                    body["tracking"] = tracking(number);
                }
                let version = known.order_version(known.orders.nth(order));
                let request = orders.patch(path_of(order)).json(body);
                with_if_match(request.by(caller), if_match, version)
            }
            Self::Refund { order, amount, key, .. } => {
                let amount = known.refund_amount(known.orders.nth(order), amount);
                let request = orders.post(format!("{}/refunds", path_of(order)));
                let request = request.json(json!({ "amount": amount })).by(caller);
                request.header("idempotency-key", &idempotency_key(key))
            }
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::List { .. } | Self::ListOfAllUsers { .. })
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let known = call.known();
        let placed = |from: Option<OrderRef>, to: Option<OrderRef>| {
            let [from, to] = [from, to].map(|order| known.ordered_at(order?));
            Placed { from, to }
        };
        match *self {
            Self::Place { .. } => {
                let user = (call.rights != Rights::Deleted).then_some(call.caller);
                self.place(model, user, Cap::Counts, call)
            }
            Self::List { of, limit, from, to, .. } => {
                let user = known.users.nth(of);
                if !call.is_staff() && user != call.caller {
                    return forbidden();
                }
                model.list_orders(user, limit, placed(from, to), call.is_concurrent())
            }
            Self::ListOfAllUsers { .. } | Self::Refund { .. } if !call.is_staff() => forbidden(),
            Self::ListOfAllUsers { of, limit, from, to, .. } => {
                model.list_of_all_users(of, limit, placed(from, to), call)
            }
            Self::Show { order, .. } => {
                model.show_order(known.orders.nth(order), call.restricted_to())
            }
            Self::ChangeStatus { order, .. } => {
                let id = known.orders.nth(order);
                model.change_status(id, self.new_status(known), call.restricted_to())
            }
            Self::Refund { order, amount, key, .. } => {
                let id = known.orders.nth(order);
                model.refund(id, known.refund_amount(id, amount), (call.caller, key))
            }
        }
    }

    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool {
        match *self {
            // It first looks at the body.
            Self::Place { .. } => false,
            Self::ChangeStatus { .. } => {
                call.has_staff_token() || self.new_status(call.known()).is_valid()
            }
            // A deleted user's token still reads their orders until it expires. Only what needs the
            // token of staff makes the shop read the user.
            Self::List { of, .. } => {
                call.has_staff_token() && call.known().users.nth(of) != call.caller
            }
            Self::ListOfAllUsers { .. } | Self::Show { .. } | Self::Refund { .. } => {
                call.has_staff_token()
            }
        }
    }

    /// The shop counts a user's open orders before it writes the order, and reads what else is wrong
    /// with it at the same time.
    fn add_concurrent_outcomes(
        &self,
        model: &Model,
        call: &Call<'_>,
        outcomes: &mut Vec<(Response, Model)>,
    ) {
        if !matches!(self, Self::Place { .. }) || model.rules.max_open.is_none() {
            return;
        }
        if model.has_too_many_open_orders(call.caller) {
            outcomes.push((too_many_open_orders(), model.clone()));
        }
        let mut after = model.clone();
        let was_user = [model, call.known()].iter().any(|at| at.users.get(call.caller).is_some());
        let user = was_user.then_some(call.caller);
        let response = self.place(&mut after, user, Cap::CountedEarlier, call);
        outcomes.push((response, after));
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
            Self::ListOfAllUsers { .. } => {}
            Self::Show { order, .. } | Self::ChangeStatus { order, .. } => *order = focus.order,
            Self::Refund { order, key, .. } => {
                *order = focus.order;
                *key = focus.idempotency_key;
            }
        }
    }
}

impl OrderOperation {
    fn place(
        &self,
        model: &mut Model,
        user: Option<UserId>,
        cap: Cap,
        call: &Call<'_>,
    ) -> Response {
        let Self::Place { ref items, expects, address, key, .. } = *self else {
            panic!("{self:?} places no order");
        };
        let known = call.known();
        let mut requested: BTreeMap<ProductId, u64> = BTreeMap::new();
        for &(product, quantity) in items {
            *requested.entry(known.products.nth(product)).or_default() += u64::from(quantity);
        }
        let expected_total = known.seen_total(items, expects);
        let placement = Placement { requested, expected_total, address };
        model.place_order(user, placement, key, cap, call)
    }

    fn new_status(&self, known: &Model) -> NewStatus {
        let Self::ChangeStatus { order, to, tracking, if_match, .. } = *self else {
            panic!("{self:?} changes no status");
        };
        let expected = if_match.version(known.order_version(known.orders.nth(order)));
        NewStatus { to, tracking, expected }
    }
}

impl From<OrderOperation> for Operation {
    fn from(operation: OrderOperation) -> Self {
        Self::Order(operation)
    }
}

impl fmt::Debug for OrderOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |f: &mut fmt::Formatter<'_>, from: Option<OrderRef>, to: Option<OrderRef>| {
            if let Some(from) = from {
                write!(f, " from {from:?} on")?;
            }
            to.map_or(Ok(()), |to| write!(f, " before {to:?}"))
        };
        match self {
            Self::Place { by, items, expects, address, key } => {
                f.write_str("order")?;
                for (product, quantity) in items {
                    write!(f, " {quantity}x{product:?}")?;
                }
                if *expects != ExpectedTotal::NotSaid {
                    write!(f, " at the {expects:?} total")?;
                }
                if let Some(address) = address {
                    write!(f, " to address {address}")?;
                }
                if let Some(key) = key {
                    write!(f, " with key {key}")?;
                }
                write!(f, " by {by:?}")
            }
            Self::List { by, of, limit, from, to } => {
                write!(f, "list the orders of {of:?} by {limit}")?;
                range(f, *from, *to)?;
                write!(f, "{by:?}")
            }
            Self::ListOfAllUsers { by, of, limit, from, to } => {
                write!(f, "list all orders of {of:?} by {limit}")?;
                range(f, *from, *to)?;
                write!(f, " by {by:?}")
            }
            Self::Show { by, order } => write!(f, "show {order:?}{by:?}"),
            Self::ChangeStatus { by, order, to, tracking, if_match } => {
                write!(f, "make {order:?} {to}")?;
                if let Some(tracking) = tracking {
                    write!(f, " with tracking {tracking}")?;
                }
                write!(f, "{if_match:?}{by:?}")
            }
            Self::Refund { by, order, amount, key } => {
                write!(f, "refund {amount:?} of {order:?} with key {key} by {by:?}")
            }
        }
    }
}
