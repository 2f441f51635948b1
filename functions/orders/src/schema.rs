//! The bodies and query parameters of `/orders`.

use garde::Validate;
use serde::{Deserialize, Serialize};
use storefront_core::{
    CreatedBetween, Currency, MAX_QUANTITY, MAX_TOTAL, NewOrderItem, Order, OrderId, OrderItem,
    OrderStatus, OrderWithItems, ProductId, Timestamp, UserId, Version,
};
use storefront_http::openapi::{
    CurrencySchema, CursorSchema, NameSchema, PriceSchema, TotalSchema, VersionSchema,
};
use storefront_http::{Cursor, Limit, Object, Parsed, Problem, given, present};
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

/// The order's new status.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = OrderChanges)]
pub(crate) struct OrderChangesBody {
    #[garde(dive)]
    #[schema(value_type = OrderStatus)]
    pub(crate) status: Parsed<OrderStatus>,
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
    /// Whose orders to list; the caller's by default. Only administrators may list those of others.
    #[serde(default, deserialize_with = "given")]
    #[param(value_type = UserId, required = false)]
    pub(crate) user_id: Option<UserId>,
}

/// An order, with its items unless it is part of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub(crate) struct OrderBody {
    id: OrderId,
    user_id: UserId,
    status: OrderStatus,
    #[schema(value_type = TotalSchema)]
    total: u64,
    #[schema(value_type = CurrencySchema)]
    currency: Currency,
    #[schema(value_type = VersionSchema)]
    version: Version,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Sorted by product id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 48, nullable = false)]
    items: Option<Vec<OrderItemBody>>,
}

/// A product in an order, with its name and price at the time of the order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItem)]
pub(crate) struct OrderItemBody {
    product_id: ProductId,
    #[schema(value_type = NameSchema)]
    name: String,
    #[schema(minimum = 1, maximum = 999)]
    quantity: u32,
    /// The price of one, in the currency's minor unit (cents).
    #[schema(value_type = PriceSchema)]
    price: u64,
}

impl NewOrderBody {
    pub(crate) fn into_items(self) -> Result<Vec<NewOrderItem>, Problem> {
        let item = |Object(item): Object<NewOrderItemBody>| {
            Ok(NewOrderItem { product_id: item.product_id.get()?, quantity: item.quantity })
        };
        self.items.into_iter().map(item).collect()
    }
}

impl ListQuery {
    pub(crate) fn created(&self) -> CreatedBetween {
        CreatedBetween { from: self.from, to: self.to }
    }
}

/// Without items, for a list.
impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            user_id: order.user_id,
            status: order.status,
            total: order.total,
            currency: order.currency,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
            items: None,
        }
    }
}

impl From<OrderWithItems> for OrderBody {
    fn from(OrderWithItems { order, items }: OrderWithItems) -> Self {
        let items = items.into_iter().map(OrderItemBody::from).collect();
        Self { items: Some(items), ..Self::from(order) }
    }
}

impl From<OrderItem> for OrderItemBody {
    fn from(item: OrderItem) -> Self {
        Self {
            product_id: item.product_id,
            name: item.name,
            quantity: item.quantity,
            price: item.price,
        }
    }
}
