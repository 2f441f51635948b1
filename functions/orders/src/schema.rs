//! The bodies and query parameters of `/orders`.

use garde::Validate;
use serde::Deserialize;
use storefront_core::{
    Address, CreatedBetween, MAX_QUANTITY, MAX_TOTAL, NewOrderItem, OrderId, OrderStatus, Payment,
    ProductId, Timestamp, Tracking, UserId, Worklist,
};
use storefront_http::openapi::{CursorSchema, TotalSchema};
use storefront_http::{
    AddressBody, Cursor, Limit, Object, Parsed, Problem, TrackingBody, given, present,
};
use utoipa::{IntoParams, ToSchema};

/// An order to place.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOrder)]
pub(crate) struct NewOrderBody {
    /// At most 48 different products. If one is listed twice, its quantities are added up.
    #[garde(length(min = 1), dive)]
    #[schema(value_type = Vec<NewOrderItemBody>, min_items = 1)]
    items: Vec<Object<NewOrderItemBody>>,
    /// Where it is sent, if anywhere.
    #[garde(dive)]
    #[schema(value_type = Option<AddressBody>)]
    shipping_address: Option<Object<AddressBody>>,
    /// The total that the customer has seen. If it is another by now, nothing is ordered, and the
    /// answer (409, `total_changed`) says what it is.
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(range(max = MAX_TOTAL)))]
    #[schema(value_type = TotalSchema, required = false)]
    pub(crate) expected_total: Option<u64>,
}

/// A product and its quantity.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewOrderItem)]
pub(crate) struct NewOrderItemBody {
    #[garde(dive)]
    #[schema(value_type = ProductId)]
    product_id: Parsed<ProductId>,
    #[garde(range(min = 1, max = MAX_QUANTITY))]
    #[schema(minimum = 1, maximum = 999, example = 2)]
    quantity: u32,
}

/// The order's new status, and what comes with it.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OrderChanges)]
pub(crate) struct OrderChangesBody {
    #[garde(dive)]
    #[schema(value_type = OrderStatus)]
    pub(crate) status: Parsed<OrderStatus>,
    /// How to follow the parcel; only with `shipped`.
    #[garde(dive)]
    #[schema(value_type = Option<TrackingBody>)]
    tracking: Option<Object<TrackingBody>>,
}

/// Which orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The maximum number of orders.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 25, required = false)]
    pub(crate) limit: Limit,
    /// The `nextCursor` of the previous page.
    #[param(value_type = CursorSchema, required = false)]
    pub(crate) cursor: Option<Cursor<OrderId>>,
    /// The earliest `createdAt`, inclusive.
    #[param(value_type = Option<String>, format = "date-time", nullable = false)]
    pub(crate) from: Option<Timestamp>,
    /// The latest `createdAt`, exclusive.
    #[param(value_type = Option<String>, format = "date-time", nullable = false)]
    pub(crate) to: Option<Timestamp>,
    /// Whose orders to list; the caller's by default. Only staff may list those of others.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = UserId, required = false)]
    pub(crate) user_id: Option<UserId>,
    /// For staff: lists the orders of all users with this status, oldest first. There are lists of
    /// those that the shop has something to do with: `pending`, `paid` and `shipped`.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = OrderStatus, required = false)]
    pub(crate) status: Option<OrderStatus>,
    /// For staff: `refund_due` lists the orders of all users that are to be paid back, oldest first.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = Payment, required = false)]
    pub(crate) payment: Option<Payment>,
}

/// What of an order to place comes from its body.
pub(crate) struct Wanted {
    pub(crate) items: Vec<NewOrderItem>,
    pub(crate) shipping_address: Option<Address>,
    pub(crate) expected_total: Option<u64>,
}

impl TryFrom<NewOrderBody> for Wanted {
    type Error = Problem;

    fn try_from(body: NewOrderBody) -> Result<Self, Problem> {
        let item = |Object(item): Object<NewOrderItemBody>| {
            Ok(NewOrderItem { product_id: item.product_id.get()?, quantity: item.quantity })
        };
        let address = body.shipping_address.map(|Object(address)| address.try_into());
        Ok(Self {
            items: body.items.into_iter().map(item).collect::<Result<_, Problem>>()?,
            shipping_address: address.transpose()?,
            expected_total: body.expected_total,
        })
    }
}

impl OrderChangesBody {
    /// Returns the new status, and the tracking if the order is shipped.
    pub(crate) fn into_parts(self) -> Result<(OrderStatus, Option<Tracking>), Problem> {
        let status = self.status.get()?;
        let tracking = self.tracking.map(|Object(tracking)| tracking.try_into()).transpose()?;
        if tracking.is_some() && status != OrderStatus::Shipped {
            return Err(Problem::invalid_field("/tracking", "comes only with the status shipped"));
        }
        Ok((status, tracking))
    }
}

impl ListQuery {
    pub(crate) fn created(&self) -> CreatedBetween {
        CreatedBetween { from: self.from, to: self.to }
    }

    /// Whether the list is one of all users' orders, for staff.
    pub(crate) fn is_of_all_users(&self) -> bool {
        self.status.is_some() || self.payment.is_some()
    }

    /// Returns which list of all users' orders is meant.
    pub(crate) fn worklist(&self) -> Result<Worklist, Problem> {
        if self.user_id.is_some() {
            let detail = "cannot be combined with status or payment, which list all users' orders";
            return Err(Problem::invalid_query("userId", detail));
        }
        match (self.status, self.payment) {
            (Some(OrderStatus::Pending), None) => Ok(Worklist::Pending),
            (Some(OrderStatus::Paid), None) => Ok(Worklist::Paid),
            (Some(OrderStatus::Shipped), None) => Ok(Worklist::Shipped),
            (None, Some(Payment::RefundDue)) => Ok(Worklist::RefundDue),
            (Some(_), Some(_)) => {
                let detail = "cannot be combined with status";
                Err(Problem::invalid_query("payment", detail))
            }
            (Some(status), None) => Err(Problem::not_listed("status", status)),
            (None, Some(payment)) => Err(Problem::not_listed("payment", payment)),
            (None, None) => Err(Problem::invalid_query("status", "is required")),
        }
    }
}
